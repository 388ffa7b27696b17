/** The present: a moment and the snapshot of it, which all who ask then read in, so that what they have in common is read once. */
import type { ClientSession, Db, MongoClient } from 'mongodb'
import { shareChanges } from '../rollup/index.ts'
import { beginSharing, endSharing } from '../store/index.ts'
import { isSameCount, type Moment, readMoment } from './moment.ts'
import { orGone, shareReads } from './work.ts'

export interface Present {
  moment: Moment
  /** a snapshot session of that moment, or of one at which the same was counted, until it is let go */
  session: ClientSession
  /** Once more, for who goes on when this one has let go. */
  hold(): Present
  /** The last one who lets go ends the session. */
  release(): void
}

/** For so long a snapshot is held for who comes next, ms: the questions of a dashboard come one soon after the other. */
export const NEXT_MS = 1_000

/**
 * Gives the present, held once for each who asks; it has all that was there when they did.
 * @param next for how long a snapshot goes on to be read in by who comes later, if nothing was counted since; ms
 */
export function createPresent(client: MongoClient, db: Db, next = 0): () => Promise<Present> {
  let last: Present | undefined
  const letGo = (present: Present): void => {
    if (last === present) last = undefined
    present.release()
  }
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
    const before = last
    if (before && isSameCount(before.moment, moment)) {
      end()
      return () => ({ ...before.hold(), moment })
    }
    beginSharing(session)
    // Which others ask by themselves.
    shareChanges(session, moment.changes)
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
    if (next > 0) {
      const held = hold()
      if (last) letGo(last)
      last = held
      setTimeout(letGo, next, held).unref()
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
