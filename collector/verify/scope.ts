/** Where a verification looks, and what it knows so far. */
import { type ClientSession, type Db, type MongoClient, ObjectId } from 'mongodb'
import type { JournalEvent, JournalPage, StoredPage } from '../journal/index.ts'
import { lanes, type Session } from '../settle/index.ts'

/**
 * What is wrong with the record and left so. The record as it should be is the raw one with this applied, so that one
 * fault is found once and not again as wrong sessions and counters.
 */
export interface Truth {
  /** raw events that are there too often: `_id` → how many of them are too many */
  extras: Map<string, number>
  /** events that are missing, from journal pages that are still kept */
  lost: JournalEvent[]
  /** sites that lack events which nothing holds any more: what counts more than the raw record may be right */
  gone: Set<string>
  /** sessions by id, as they should be */
  sessions: Map<string, Session | undefined>
  /** begin of the hours that are wrong: what was closed is not held against them */
  hours: Set<number>
}

export interface Scope {
  client: MongoClient
  db: Db
  /** when it began, ms: what happened later is not judged */
  began: number
  truth: Truth
  /** the time zone of a site: one for the whole verification */
  zoneOf(site: string): string
}

export const knowNothing = (): Truth => ({
  extras: new Map(),
  lost: [],
  gone: new Set(),
  sessions: new Map(),
  hours: new Set(),
})

/** How long before it was received an event may have happened, with a day to spare, ms. */
export const LATE_MS = 8 * 24 * 3_600_000

/** What one snapshot says of a site's pages. */
export interface Moment {
  session: ClientSession
  /** pages that are not settled: their raw events may be there, and are not counted yet */
  open: ObjectId[]
  /** pages that are settled and not folded */
  unfolded: Pick<JournalPage, 'lane' | 'settled' | 'deltas' | 'hours'>[]
  /** lane → the last settle number given */
  lanes: Map<number, number>
}

/** Reads at one moment: what settle and fold do meanwhile is seen as a whole or not at all. */
export const atOneMoment = <T>({ client, db }: Scope, site: string, read: (moment: Moment) => Promise<T>): Promise<T> =>
  client.withSession({ snapshot: true }, async session => await read(await readMoment(db, site, session)))

/** So often a change is begun again, before it is given up. */
const MOST_TRIES = 20

/**
 * Changes what was read at one moment, or starts again: a folder or settler at work on it is never overwritten.
 * @param held the document that is changed, if there is one: it is written first, so that whoever else writes it waits,
 *   and not the change, which takes longer, starts again and again
 * @throws when it changes all the time nevertheless
 */
export const inTransaction = <T>(
  { client, db }: Scope,
  site: string,
  change: (moment: Moment) => Promise<T>,
  held?: { collection: string; id: string },
): Promise<T> =>
  client.withSession(session => {
    let tries = 0
    const attempt = async () => {
      if (++tries > MOST_TRIES) throw new Error('it changes all the time: run it again when less happens')
      if (held) {
        const documents = db.collection<{ _id: string }>(held.collection)
        await documents.updateOne({ _id: held.id }, { $set: { mending: new ObjectId() } }, { session })
      }
      return await change(await readMoment(db, site, session))
    }
    return session.withTransaction(attempt, {
      readConcern: { level: 'snapshot' },
      writeConcern: { w: 'majority', journal: true },
    })
  })

async function readMoment(db: Db, site: string, session: ClientSession): Promise<Moment> {
  const held = await lanes(db).find({}, { session }).toArray()
  const journal = db.collection<StoredPage>('journal')
  const open = await journal
    .find({ lane: { $in: held.map(({ _id }) => _id) }, state: 'open' }, { session, projection: { _id: 1 } })
    .toArray()
  const unfolded = await journal
    .find(
      { foldedAt: null as never, state: 'settled', 'deltas.site': site },
      { session, projection: { lane: 1, settled: 1, deltas: 1, hours: 1 } },
    )
    .toArray()
  return {
    session,
    open: open.map(({ _id }) => _id),
    unfolded,
    lanes: new Map(held.map(({ _id, settled }) => [_id, settled])),
  }
}
