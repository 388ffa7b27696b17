/**
 * Closing: the hours of a day, week or month that is over, of all lanes, become one document a dimension, which is kept for ever.
 * All is read at one moment and says what of each lane it contains, so it is right whoever writes it and whenever; it is
 * written by compare-and-swap, so that nothing older takes the place of something newer. No clock decides whether it is right.
 */
import { isDeepStrictEqual } from 'node:util'
import type { AnyBulkWriteOperation, ClientSession, Db, MongoServerError } from 'mongodb'
import { HOUR_DIMENSIONS, type HourDimension, VISIT_DIMENSIONS } from '../journal/index.ts'
import { lanes } from '../settle/index.ts'
import { type ClosedDocument, type ClosedGrain, closedId, packClosed, type Rows } from './closed.ts'
import { readSums, TooManyHours, UnfitHours } from './read-hours.ts'
import { addDelta, isOther } from './rollup.ts'
import { type Position, readTouches, type Touch } from './touch.ts'

/** A day, week or month of a site. */
export interface ClosedSpan {
  site: string
  grain: ClosedGrain
  /** first and, not included, last moment, ms since the epoch */
  from: number
  to: number
  zone: string
}

/**
 * Values that one dimension of a closed span holds: those that are most; the rest is `(other)`, and then days are read
 * instead of the week or month, and hours instead of the day. So of days it is as many as an hour holds: a shop of 2,058
 * pages had its hours read for each answer, which took ten times as long.
 */
export const MOST_CLOSED: Record<ClosedGrain, number> = { day: 10_000, week: 10_000, month: 2_000 }
/** Values that are held together before they are cut down to that. */
const MOST_HELD = 200_000
/** Longer than this a snapshot may not last, ms (`minSnapshotHistoryWindowInSeconds` is 300). */
const MOST_MS = 240_000
/** `total` comes last: where it is current, all are. Who looks for what has to be built looks at this one. */
const DIMS: HourDimension[] = [...HOUR_DIMENSIONS.filter(dim => dim !== 'total'), 'total']
const DURABLE = { w: 'majority', journal: true } as const

/**
 * - `closed`: it is built, by now, of the hours as they were at one moment
 * - `overtaken`: somebody else has built it meanwhile
 * - `unfit`: its hours do not tell, as they were counted when the site had another zone
 */
export type Outcome = 'closed' | 'overtaken' | 'unfit'

/** @param builtAt now, ms: when it was built, from which on it is waited until it is built again */
export async function closeSpan(db: Db, span: ClosedSpan, builtAt: number, signal?: AbortSignal): Promise<Outcome> {
  try {
    const documents = await buildSpan(db, span, builtAt, signal)
    return (await replaceAll(db, documents)) ? 'closed' : 'overtaken'
  } catch (error) {
    if (error instanceof UnfitHours) return 'unfit'
    throw error
  }
}

/**
 * Everything that stands for a closed span, built of one moment. What else is to be computed at closing is computed here, in
 * the same session, and gets the same position.
 * @returns in the order in which they have to be written
 * @throws UnfitHours
 */
export async function buildSpan(
  db: Db,
  span: ClosedSpan,
  builtAt: number,
  signal?: AbortSignal,
): Promise<ClosedDocument[]> {
  const { site, grain, from, to } = span
  const until = AbortSignal.any([AbortSignal.timeout(MOST_MS), ...(signal ? [signal] : [])])
  return await db.client.withSession({ snapshot: true }, async session => {
    const seen = await readSeen(db, span, session, until)
    const position = positionOf(seen)
    const built = await readBuilt(db, span, session)
    const documents: ClosedDocument[] = []
    for await (const [dim, rows] of sumsOf(db, span, session, until)) {
      documents.push({
        _id: closedId(site, grain, dim, from),
        site,
        grain,
        dim,
        at: new Date(from),
        to: new Date(to),
        built: (built.get(dim) ?? 0) + 1,
        builtAt: new Date(builtAt),
        ...position,
        ...packClosed(topOf(dim, rows, MOST_CLOSED[grain])),
      })
    }
    // Reads of a session make no snapshot where a client has a read concern of its own. A day must not stay wrong for it.
    if (!isDeepStrictEqual(seen, await readSeen(db, span, session, until)))
      throw new Error('what a day is built of was not read at one moment')
    return documents
  })
}

/** Of all dimensions together, which takes least, or, where these have too many values to be held, one by one. */
async function* sumsOf(
  db: Db,
  { site, grain, from, to, zone }: ClosedSpan,
  session: ClientSession,
  signal: AbortSignal,
): AsyncGenerator<[HourDimension, Rows]> {
  const closed: ClosedGrain[] = grain === 'day' ? [] : ['day']
  const range = { site, from, to, zone, bucketOf: () => 0, closed, options: { signal } }
  const most = { read: Number.POSITIVE_INFINITY, held: MOST_HELD }
  const all = await readSums(db, { ...range, dims: DIMS, most }, session).catch(error => {
    if (error instanceof TooManyHours) return undefined
    throw error
  })
  for (const dim of DIMS) {
    const sums = all ?? (await readSums(db, { ...range, dims: [dim] }, session))
    yield [dim, sums.get(dim)?.get(0) ?? new Map()]
  }
}

/**
 * What the snapshot contains: of each lane all that is settled. A touch may be ahead of its lane where a database was put
 * back from a copy that was made piece by piece.
 */
function positionOf({ settled, touches }: Seen): Position {
  const position: Position = { upto: { ...settled }, mended: 0 }
  for (const { lane, folded, mended = 0 } of touches) {
    if (folded > (position.upto[lane] ?? 0)) position.upto[lane] = folded
    position.mended += mended
  }
  return position
}

interface Seen {
  /** lane → the last settle number given */
  settled: Record<string, number>
  touches: Touch[]
}

async function readSeen(db: Db, span: ClosedSpan, session: ClientSession, signal: AbortSignal): Promise<Seen> {
  const settled: Seen['settled'] = {}
  for await (const lane of lanes(db).find({}, { session }).sort({ _id: 1 }))
    if (lane.settled > 0) settled[lane._id] = lane.settled
  return { settled, touches: await readTouches(db, span, { session, signal }) }
}

async function readBuilt(db: Db, { site, grain, from }: ClosedSpan, session: ClientSession) {
  const _id = { $in: DIMS.map(dim => closedId(site, grain, dim, from)) }
  const held = db.collection<ClosedDocument>('rollups').find({ _id }, { session, projection: { dim: 1, built: 1 } })
  const built = new Map<HourDimension, number>()
  for await (const { dim, built: times } of held) built.set(dim, times)
  return built
}

/**
 * In their order, each in the place of the one that was there at the moment of building; ends at the first that has another
 * one in its place.
 */
export async function replaceAll(db: Db, documents: readonly ClosedDocument[]): Promise<boolean> {
  const operations: AnyBulkWriteOperation<ClosedDocument>[] = documents.map(replacement => ({
    // One that was replaced meanwhile is not found, and can't be inserted beside the other.
    replaceOne: { filter: { _id: replacement._id, built: replacement.built - 1 }, replacement, upsert: true },
  }))
  try {
    await db.collection<ClosedDocument>('rollups').bulkWrite(operations, { ordered: true, writeConcern: DURABLE })
    return true
  } catch (error) {
    if ((error as MongoServerError).code === 11000) return false
    throw error
  }
}

/** The values that are most, by visits or, of events, by events, and the rest as one: sums stay what they were. */
export function topOf(dim: HourDimension, rows: Rows, most: number): Rows {
  const column = (VISIT_DIMENSIONS as readonly string[]).includes(dim) ? 2 : 0
  const filled = [...rows].filter(([, row]) => row.some(n => n !== 0))
  if (filled.length <= most) return new Map(filled)
  const weight = ([value, row]: [string, number[]]): number => (isOther(dim, value) ? -1 : (row[column] ?? 0))
  filled.sort((a, b) => weight(b) - weight(a) || (a[0] < b[0] ? -1 : 1))
  const top: Rows = new Map(filled.slice(0, most))
  for (const [value, row] of filled.slice(most)) addDelta(top, { dim, values: [value], counters: [row] }, 0)
  return top
}
