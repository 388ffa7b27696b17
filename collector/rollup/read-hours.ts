/** Reading counters of hours, from days, weeks and months where these hold. */
import type { Abortable, ClientSession, Db, FindOptions } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { fromPropertyKey, HOUR_COUNTERS, type HourDimension, type HourRows, NONE, wholeOf } from '../journal/index.ts'
import { hourOf, readChanges } from '../settle/index.ts'
import { once } from '../store/index.ts'
import { type Closed, type ClosedGrain, type ClosedPart, findClosed, gapsBetween } from './closed.ts'
import { addColumns, toRows } from './columns.ts'
import { fewUnfolded, foldedHours, LONGEST_HOUR_MS, unfoldedHours } from './hour-sources.ts'
import { addDelta, rollupId } from './rollup.ts'
import { readTouches } from './touch.ts'

export interface HourRange {
  site: string
  dims: readonly HourDimension[]
  /** of the dimension `property` only this one is read, and its rows are by its texts; all are, by keys, if absent */
  property?: string | undefined
  /** hours that begin in this time, ms since the epoch, `to` not included */
  from: number
  to: number
  /**
   * what hours are added up in, such as the day that holds one, by a moment in it, and later ones never in an earlier bucket;
   * each hour by itself if absent
   */
  bucketOf?: (at: number) => number
  /** what may be read instead of hours, the larger first, where all of it is one bucket; nothing if absent */
  closed?: readonly ClosedGrain[]
  /** the zone on whose grid hours have to lie: those that do not may reach into the range, or out of it; not looked at if absent */
  zone?: string
  /** begin of the hours that are surely kept, ms; all are if absent */
  kept?: number
  /** values that are read, and rows that are held, before it gives up; as many as there are if absent */
  most?: { read: number; held: number }
  /** of each read */
  options?: Pick<FindOptions, 'maxTimeMS' | 'comment'> & Abortable
}

/** Hours do not tell exactly what was asked: they lie on another grid, or some are not kept any more. */
export class UnfitHours extends Error {
  override name = 'UnfitHours'
}

/** There is more to read than was allowed. */
export class TooManyHours extends UnfitHours {
  override name = 'TooManyHours'
}

/** Counters of one dimension: hour (or bucket) → value → row in the order of `HOUR_COUNTERS`. */
export type Hours = Map<number, Map<string, number[]>>

/** Values of one dimension that an answer has for each hour or bucket; what is beyond goes into `(other)`. */
const MOST_READ = 100_000

/**
 * Reads exact counters; without bots but in the dimension `bot`. The rest of what a dimension divides is the value `(none)`.
 * All is read at one moment, in `session`, a snapshot session: read apart, a page folded in between would be counted twice
 * or not at all.
 * @throws UnfitHours
 */
export async function readHours(db: Db, range: HourRange, session: ClientSession): Promise<Map<HourDimension, Hours>> {
  const dims = [...new Set(range.dims)]
  const all = new Set(dims.flatMap(dim => [dim, wholeOf(dim) ?? dim]))
  const read = await readSums(db, { ...range, dims: [...all] }, session)
  return new Map(dims.map(dim => [dim, withRest(read, dim)]))
}

/**
 * The same of each dimension by itself: what has no value has no row.
 * @throws UnfitHours
 */
export async function readSums(
  db: Db,
  {
    site,
    dims,
    property,
    from,
    to,
    bucketOf = at => at,
    closed: grains = [],
    zone,
    kept,
    most,
    options: given,
  }: HourRange,
  session: ClientSession,
): Promise<Map<HourDimension, Hours>> {
  const result = new Map<HourDimension, Hours>(dims.map(dim => [dim, new Map()]))
  let [valuesRead, held] = [0, 0]
  const change = (dim: HourDimension, at: number, values: number, by: (into: Map<string, number[]>) => void): void => {
    const hours = getOrAdd<HourDimension, Hours>(result, dim, () => new Map())
    const into = getOrAdd(hours, bucketOf(at), () => new Map())
    held -= into.size
    by(into)
    held += into.size
    valuesRead += values
    if (most && (valuesRead > most.read || held > most.held)) throw new TooManyHours('more hours than one answer takes')
  }
  const add = (dim: HourDimension, at: number, delta: Counted): void =>
    change(dim, at, delta.values.length, into => {
      if (dim === 'property' && property !== undefined)
        addDelta(into, { dim: 'name', ...ofProperty(delta, property) }, MOST_READ)
      else addDelta(into, { dim, ...delta }, MOST_READ)
    })
  /** Of many values mostly the same ones, so that these are added without a row of their own. */
  const addClosed = (dim: HourDimension, at: number, { values, columns }: ClosedPart): void => {
    const width = HOUR_COUNTERS.length
    const there = result.get(dim)?.get(bucketOf(at))?.size ?? 0
    if ((dim === 'property' && property !== undefined) || there + values.length > MOST_READ)
      add(dim, at, { values, counters: toRows(columns, values.length, width) })
    else change(dim, at, values.length, into => addColumns(into, values, columns, width))
  }
  /** Of hours: not those that are looked at only as they may reach into the range. */
  const addHour: typeof add = (dim, at, delta) => {
    if (zone !== undefined && hourOf(at, zone).at !== at) throw new UnfitHours('hours lie on the grid of another zone')
    if (at >= from) add(dim, at, delta)
  }
  const options = { session, ...given }
  const fits = (first: number, end: number): boolean => bucketOf(first) === bucketOf(end - 1)
  const closed = await findClosed(db, { site, dims, property, from, to, grains, fits }, options)
  for (const { from: at, parts } of closed) for (const [dim, part] of parts) addClosed(dim, at, part)

  const spans = gapsBetween({ from, to }, closed)
  const [first] = spans
  if (first && first.from < (kept ?? first.from)) throw new UnfitHours('some hours are kept no longer')
  const before = zone === undefined ? 0 : LONGEST_HOUR_MS
  if (first?.from === from) first.from -= before
  const upto = new Map<string, number>()
  for await (const { id, dim, at, rows, upto: position } of foldedHours(db, { site, dims, spans }, options)) {
    upto.set(id, position)
    // Of what was mended: it lies where nothing is any more.
    if (rows.size > 0) addHour(dim as HourDimension, at, { values: [...rows.keys()], counters: [...rows.values()] })
  }
  const span = { site, dims, from: from - before, to }
  for await (const { lane, settled, rows } of unfoldedHours(db, span, options)) {
    const { dim, at } = rows
    const part = closedAt(closed, at)?.parts.get(dim)
    const contained = part ? part.upto[lane] : upto.get(rollupId({ site, grain: 'hour', dim, at }, lane))
    if (settled <= (contained ?? 0)) continue
    addHour(dim, at, rows)
  }
  return result
}

/**
 * Names what the hours of a time hold at the moment of the session: while it is the same, so are their sums. `undefined`
 * where some of it is not folded yet.
 */
export async function readPlace(
  db: Db,
  { site, from: first, to, options: given }: Pick<HourRange, 'site' | 'from' | 'to' | 'options'>,
  session: ClientSession,
): Promise<string | undefined> {
  const span = { site, from: first - LONGEST_HOUR_MS, to }
  const options = { session, ...given }
  if ((await fewUnfolded(db, span, options))?.length !== 0) return undefined
  const touches = await readTouches(db, span, options)
  const places = touches.map(({ lane, from, folded, mended = 0 }) => `${lane} ${from} ${folded} ${mended}`)
  // What was closed may have been built again, or all of it removed and another history written.
  const changes = await once({ session }, CHANGES, () => readChanges(db, session))
  return [changes, ...places.sort()].join()
}

const CHANGES = 'changes'
/** Tells those who read in the session how often counts were changed otherwise (`readChanges`), as its moment knows. */
export const shareChanges = (session: ClientSession, changes: number): void =>
  void once({ session }, CHANGES, async () => changes)

type Counted = Pick<HourRows, 'values' | 'counters'>

function ofProperty({ values, counters }: Counted, property: string): Counted {
  const own: Counted = { values: [], counters: [] }
  for (const [i, value] of values.entries()) {
    const { name, text } = fromPropertyKey(value)
    if (name !== property) continue
    own.values.push(text)
    own.counters.push(counters[i] ?? [])
  }
  return own
}

const closedAt = (closed: readonly Closed[], at: number): Closed | undefined =>
  closed.find(({ from, to }) => at >= from && at < to)

/** With what has no value, and without rows in which nothing is left. */
function withRest(read: Map<HourDimension, Hours>, dim: HourDimension): Hours {
  const hours: Hours = read.get(dim) ?? new Map()
  const whole = wholeOf(dim)
  for (const [at, all] of (whole && read.get(whole)) ?? []) {
    const rest = [...(all.get('') ?? [])]
    const rows = getOrAdd(hours, at, () => new Map())
    for (const row of rows.values()) for (let c = 0; c < rest.length; c++) rest[c] = (rest[c] ?? 0) - (row[c] ?? 0)
    if (rest.some(n => n !== 0)) addDelta(rows, { dim, values: [NONE], counters: [rest] }, MOST_READ)
  }
  for (const [at, rows] of hours) {
    for (const [value, row] of rows) if (row.every(n => n === 0)) rows.delete(value)
    if (rows.size === 0) hours.delete(at)
  }
  return hours
}
