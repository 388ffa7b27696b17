/** Reading counters of hours: rollups of all lanes, plus the settled pages that they do not contain yet. */
import type { Abortable, ClientSession, Db, Filter, FindOptions } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { type HourDimension, type StoredPage, unpackHour, wholeOf } from '../journal/index.ts'
import { addDelta, fromDocument, type RollupDocument, rollupId } from './rollup.ts'

export interface HourRange {
  site: string
  dims: readonly HourDimension[]
  /** hours that begin in this time, ms since the epoch, `to` not included */
  from: number
  to: number
  /** what hours are added up in, such as the day that holds one, by the begin of the hour; each hour by itself if absent */
  bucketOf?: (at: number) => number
  /** values that are read, and rows that are held, before it gives up; as many as there are if absent */
  most?: { read: number; held: number }
  /** of each read */
  options?: Pick<FindOptions, 'maxTimeMS' | 'comment'> & Abortable
}

/** There is more to read than was allowed. */
export class TooManyHours extends Error {
  override name = 'TooManyHours'
}

/** Counters of one dimension: hour (or bucket) → value → row in the order of `HOUR_COUNTERS`. */
export type Hours = Map<number, Map<string, number[]>>

/** Values of one dimension that an answer has for each hour or bucket; what is beyond goes into `(other)`. */
const MOST_READ = 100_000

/** The value of what has none. */
export const NONE = '(none)'

/**
 * Reads exact counters; without bots but in the dimension `bot`. The rest of what a dimension divides is the value `(none)`.
 * Rollups and pages are read at one moment, in `session`, a snapshot session: read apart, a page folded in between would
 * be counted twice or not at all.
 * @throws TooManyHours
 */
export async function readHours(
  db: Db,
  { site, dims, from, to, bucketOf = at => at, most, options: given }: HourRange,
  session: ClientSession,
): Promise<Map<HourDimension, Hours>> {
  const read = new Set(dims.flatMap(dim => [dim, wholeOf(dim) ?? dim]))
  const result = new Map<HourDimension, Hours>([...read].map(dim => [dim, new Map()]))
  const rows = (dim: HourDimension, at: number): Map<string, number[]> =>
    getOrAdd(
      getOrAdd<HourDimension, Hours>(result, dim, () => new Map()),
      bucketOf(at),
      () => new Map(),
    )
  let [valuesRead, held] = [0, 0]
  const add = (dim: HourDimension, at: number, delta: Parameters<typeof addDelta>[1]): void => {
    const into = rows(dim, at)
    held -= into.size
    addDelta(into, delta, MOST_READ)
    held += into.size
    valuesRead += delta.values.length
    if (most && (valuesRead > most.read || held > most.held)) throw new TooManyHours('more hours than one answer takes')
  }
  const options = { session, ...given }
  const range: Filter<RollupDocument> = {
    site,
    grain: 'hour',
    dim: { $in: [...read] },
    at: { $gte: new Date(from), $lt: new Date(to) },
  }
  const upto = new Map<string, number>()
  for await (const document of db
    .collection<RollupDocument>('rollups')
    .find(range, { ...options, batchSize: 10_000 })) {
    const rollup = fromDocument(document)
    upto.set(rollup.id, rollup.upto)
    add(rollup.dim as HourDimension, rollup.at, {
      values: [...rollup.rows.keys()],
      counters: [...rollup.rows.values()],
    })
  }
  const unfolded = db
    .collection<StoredPage>('journal')
    .find(
      { foldedAt: null as never, state: 'settled', 'deltas.site': site },
      { ...options, projection: { lane: 1, settled: 1, hours: 1 } },
    )
  for await (const { lane, settled = 0, hours = [] } of unfolded) {
    for (const hour of hours) {
      if (hour.site !== site || hour.at < from || hour.at >= to) continue
      for (const { dim, at, values, counters } of unpackHour(hour)) {
        if (!read.has(dim) || settled <= (upto.get(rollupId({ site, grain: 'hour', dim, at }, lane)) ?? 0)) continue
        add(dim, at, { values, counters })
      }
    }
  }
  return new Map([...new Set(dims)].map(dim => [dim, withRest(result, dim)]))
}

/** With what has no value, and without rows in which nothing is left. */
function withRest(read: Map<HourDimension, Hours>, dim: HourDimension): Hours {
  const hours: Hours = read.get(dim) ?? new Map()
  const whole = wholeOf(dim)
  for (const [at, all] of (whole && read.get(whole)) ?? []) {
    const rest = [...(all.get('') ?? [])]
    const rows = getOrAdd(hours, at, () => new Map())
    for (const row of rows.values()) for (let c = 0; c < rest.length; c++) rest[c] = (rest[c] ?? 0) - (row[c] ?? 0)
    if (rest.some(n => n !== 0)) addDelta(rows, { values: [NONE], counters: [rest] }, MOST_READ)
  }
  for (const [at, rows] of hours) {
    for (const [value, row] of rows) if (row.every(n => n === 0)) rows.delete(value)
    if (rows.size === 0) hours.delete(at)
  }
  return hours
}
