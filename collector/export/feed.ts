/**
 * The feed: events of a site as they are settled, each once. It follows the settle numbers of all lanes, which have no gap
 * and are given in the transaction that counts; so what was read is said by one number a lane, whichever collector is asked,
 * and holds when collectors and primaries die. A page is there until 15 minutes after its counts are folded.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Db, Document } from 'mongodb'
import { fromStored, type JournalEvent, type StoredPage } from '../journal/index.ts'
import { claimKey, lanes, toRaw } from '../settle/index.ts'
import { type FeedCursor, feedCursor } from './feed-cursor.ts'
import { type EventRow, eventRow } from './rows.ts'

/** How often it is looked for new pages, ms. */
const LOOK_MS = 500
/** Pages asked for at a time, and those of them held: each has 1 MB at most. */
const PAGES = { asked: 50, held: 4 } as const
const MAJORITY = { readConcern: { level: 'majority' } } as const

/** The cursor can't be gone on from: pages that come after it are gone, or the database has never been that far. */
export class CursorExpired extends Error {
  override name = 'CursorExpired'
}

/** What a reader is told: an event, or with none that nothing else came up to here. */
export interface Told {
  cursor: string
  event?: EventRow
}

/** The end of the feed at this moment. */
export async function readEnd(db: Db): Promise<FeedCursor> {
  const found = await lanes(db)
    .find({}, { ...MAJORITY, projection: { settled: 1 } })
    .sort({ _id: 1 })
    .toArray()
  return new Map(found.map(({ _id, settled }) => [_id, { settled, part: 0 }]))
}

/** @throws CursorExpired when the cursor can't be gone on from */
export async function checkCursor(db: Db, cursor: FeedCursor): Promise<void> {
  const end = await readEnd(db)
  for (const [lane, { settled, part }] of cursor) {
    const last = end.get(lane)?.settled ?? 0
    // A primary that was just elected may not know yet what a majority has.
    const isAhead = async () => ((await lanes(db).findOne({ _id: lane }, LINEARIZABLE))?.settled ?? 0) < settled
    if (last < settled && (await isAhead())) throw new CursorExpired()
    if (last > settled || part > 0) await firstPage(db, lane, settled)
  }
  for (const [lane, { settled }] of end) if (settled > 0 && !cursor.has(lane)) await firstPage(db, lane, 0)
}
const LINEARIZABLE = { readConcern: { level: 'linearizable' }, maxTimeMS: 10_000 } as const

async function firstPage(db: Db, lane: number, settled: number): Promise<void> {
  const page = { lane, settled: settled + 1 }
  if (!(await db.collection('journal').findOne(page, { ...MAJORITY, projection: { _id: 1 } })))
    throw new CursorExpired()
}

export interface FeedParts {
  db: Db
  site: string
  /** where to begin; it is moved on */
  cursor: FeedCursor
  /** how long nothing may be told, ms */
  heartbeat: number
  signal: AbortSignal
}

/**
 * Begins with a line of no event, so that a reader has a cursor at once. Ends where `signal` says so.
 * @throws CursorExpired when the reader is so slow that pages are gone
 */
export async function* follow({ db, site, cursor, heartbeat, signal }: FeedParts): AsyncGenerator<Told> {
  const here = (): string => feedCursor(site, cursor)
  yield { cursor: here() }
  let told = performance.now()
  while (!signal.aborted) {
    let isMore = false
    for (const [lane, { settled: end }] of await readEnd(db)) {
      const reached = cursor.get(lane) ?? { settled: 0, part: 0 }
      cursor.set(lane, reached)
      const last = Math.min(end, reached.settled + PAGES.asked)
      if (last <= reached.settled) continue
      isMore ||= last < end
      for await (const page of pagesOf(db, site, lane, reached.settled, last)) {
        if (page.settled !== reached.settled + 1) throw new CursorExpired()
        const counted = await countedOf(db, page)
        for (const { event, place } of counted) {
          if (place < reached.part) continue
          const isLast = place === counted.at(-1)?.place
          Object.assign(reached, isLast ? { settled: page.settled, part: 0 } : { part: place + 1 })
          yield { cursor: here(), event: eventRow(toRaw(event, page._id)) }
          told = performance.now()
        }
        Object.assign(reached, { settled: page.settled, part: 0 })
      }
      if (reached.settled < last) throw new CursorExpired()
    }
    if (performance.now() - told >= heartbeat) {
      yield { cursor: here() }
      told = performance.now()
    }
    if (!isMore) await pause(LOOK_MS, undefined, { signal })
  }
}

/** Settled pages of a lane, in their order, with the events of one site. */
function pagesOf(db: Db, site: string, lane: number, after: number, last: number) {
  const ofSite = (field: string): Document => ({
    $filter: { input: { $ifNull: [field, []] }, cond: { $eq: ['$$this.site', site] } },
  })
  const pages = db
    .collection<StoredPage>('journal')
    .aggregate<StoredPage>(
      [
        { $match: { lane, settled: { $gt: after, $lte: last } } },
        { $project: { settled: 1, envelopes: ofSite('$envelopes'), before: ofSite('$events') } },
        { $sort: { settled: 1 } },
      ],
      { ...MAJORITY, batchSize: PAGES.held, comment: 'livetag feed' },
    )
  return pages.map(page => {
    const { before = [], ...rest } = page as StoredPage & { before?: JournalEvent[] }
    return fromStored(before.length > 0 ? { ...rest, events: before } : rest)
  })
}

type Page = ReturnType<typeof fromStored>

interface Counted {
  event: JournalEvent
  /** among the site's events of its page */
  place: number
}

/** The events of a page that were counted: not those that were repeated, nor those that were set aside. */
async function countedOf(db: Db, { _id, events }: Page): Promise<Counted[]> {
  if (events.length === 0) return []
  const keyed = events.map((event, place) => ({ event, place, key: claimKey(event) }))
  const parkedId = (key: string): string => `${_id.toHexString()}:${key}`
  const [claims, parked] = await Promise.all([
    among<{ _id: string; page: typeof _id }>(
      db,
      'seen',
      keyed.map(({ key }) => key),
    ),
    among<{ _id: string }>(
      db,
      'parked',
      keyed.map(({ key }) => parkedId(key)),
    ),
  ])
  const others = new Set(claims.filter(({ page }) => !page.equals(_id)).map(claim => claim._id))
  const aside = new Set(parked.map(one => one._id))
  const once = new Set<string>()
  return keyed.filter(({ key }) => {
    const isCounted = !others.has(key) && !aside.has(parkedId(key)) && !once.has(key)
    once.add(key)
    return isCounted
  })
}

const among = <T extends { _id: string }>(db: Db, collection: string, ids: string[]): Promise<T[]> =>
  db
    .collection<{ _id: string }>(collection)
    .find({ _id: { $in: ids } }, { ...MAJORITY, projection: { page: 1 } })
    .toArray() as unknown as Promise<T[]>
