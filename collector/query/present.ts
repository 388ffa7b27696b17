/** The present: a moment and the snapshot of it, which all who ask then read in, so that what they have in common is read once. */
import type { ClientSession, Db, MongoClient } from 'mongodb'
import { beginSharing, endSharing } from '../store/index.ts'
import { type Moment, readMoment } from './moment.ts'
import { orGone, shareReads } from './work.ts'

export interface Present {
  moment: Moment
  /** a snapshot session of that moment, until it is let go */
  session: ClientSession
  /** Once more, for who goes on when this one has let go. */
  hold(): Present
  /** The last one who lets go ends the session. */
  release(): void
}

/** Gives the present, held once for each who asks; it has all that was there when they did. */
export function createPresent(client: MongoClient, db: Db): () => Promise<Present> {
  const open = shareReads(async () => {
    const session = client.startSession({ snapshot: true })
    const end = () => {
      endSharing(session)
      // Of a client that was closed meanwhile it has ended.
      session.endSession().catch(() => {})
    }
    const moment = await readMoment(db, session).catch(error => {
      end()
      throw error
    })
    beginSharing(session)
    let holders = 0
    const hold = (): Present => {
      holders++
      let isHeld = true
      const release = () => {
        if (!isHeld) return
        isHeld = false
        if (--holders === 0) end()
      }
      return { moment, session, hold, release }
    }
    return hold
  })
  // All who waited hold it before the first of them goes on.
  return () => open().then(hold => hold())
}

/** Held for who is still there when it comes. */
export const heldBy = (present: Promise<Present>, signal: AbortSignal): Promise<Present> =>
  orGone(present, signal, () => {
    present.then(({ release }) => release()).catch(() => {})
  })
