/** A day, week or month that was closed: one document a dimension, all lanes together, with what it contains of them. */
import type { Binary, Db, Filter } from 'mongodb'
import { HOUR_COUNTERS, type HourDimension, OTHER, propertyKey } from '../journal/index.ts'
import { packRows, unpackRows } from './columns.ts'
import type { ReadOptions } from './hour-sources.ts'
import { isOther } from './rollup.ts'
import { isStale, type Position, readTouches } from './touch.ts'

/** From the smallest: the larger ones are built of days. Weeks begin on Monday. */
export const CLOSED_GRAINS = ['day', 'week', 'month'] as const
export type ClosedGrain = (typeof CLOSED_GRAINS)[number]

/**
 * In the collection `rollups`, without an end. It holds what hours held, so `visits` and `total` beside the dimensions that
 * they are the whole of. There is one of every dimension, also where nothing was.
 */
export interface ClosedDocument extends Position {
  _id: string
  site: string
  grain: ClosedGrain
  dim: HourDimension
  /** first and, not included, last moment: a day, week or month of the site when it was built, whatever its zone is now */
  at: Date
  to: Date
  /** how often it was built, from 1: who builds it compares and swaps on this */
  built: number
  builtAt: Date
  values: string[]
  counters: Binary
}

export type Rows = Map<string, number[]>

export const closedId = (site: string, grain: ClosedGrain, dim: HourDimension, at: number): string =>
  `${site}/${grain}/${dim}/${at}`

export const packClosed = (rows: Rows): Pick<ClosedDocument, 'values' | 'counters'> => ({
  values: [...rows.keys()],
  counters: packRows([...rows.values()], HOUR_COUNTERS.length),
})

export const fromClosed = ({ values, counters }: Pick<ClosedDocument, 'values' | 'counters'>): Rows => {
  const rows = unpackRows(counters, values.length, HOUR_COUNTERS.length)
  return new Map(values.map((value, i) => [value, rows[i] ?? []]))
}

/** A time, ms, of which each asked dimension has a document that holds. */
export interface Closed {
  from: number
  to: number
  parts: Map<HourDimension, ClosedPart>
}

export interface ClosedPart extends Position {
  values: string[]
  counters: number[][]
}

export interface ClosedRange {
  site: string
  dims: readonly HourDimension[]
  /** of the dimension `property` the one that is asked for; all if absent */
  property?: string | undefined
  /** ms; documents lie in it as a whole */
  from: number
  to: number
  /** the larger first */
  grains: readonly ClosedGrain[]
  /** whether what lies in this time, ms, is counted as one */
  fits(from: number, to: number): boolean
}

/** Shorter is none of them, ms. */
const LEAST_MS: Record<ClosedGrain, number> = { day: 0, week: 6.5 * 86_400_000, month: 27.5 * 86_400_000 }

/**
 * What can be taken from documents of days, weeks and months instead of hours, at the moment of the session's snapshot: those
 * that are not stale and name every value. In the order of time, none overlaps another.
 */
export async function findClosed(db: Db, range: ClosedRange, options: ReadOptions): Promise<Closed[]> {
  let found: Closed[] = []
  if (range.grains.length === 0) return found
  const touches = await readTouches(db, range, options)
  for (const grain of range.grains) {
    const left = gapsBetween(range, found).filter(gap => gap.to - gap.from >= LEAST_MS[grain])
    if (left.length === 0) continue
    const spans = await readGrain(db, range, grain, left, options)
    const fresh = spans.filter(
      span =>
        span.parts.size === range.dims.length &&
        range.fits(span.from, span.to) &&
        [...span.parts].every(([dim, part]) => namesAll(dim, part, range) && !isStale(part, span, touches)),
    )
    found = withoutOverlaps([...found, ...fresh])
  }
  return found
}

/** Whether it names every value; of one property, if it is asked for by itself. */
const namesAll = (dim: HourDimension, { values }: ClosedPart, { property }: ClosedRange): boolean =>
  dim === 'property' && property !== undefined
    ? !values.includes(propertyKey(property, OTHER))
    : !values.some(value => isOther(dim, value))

async function readGrain(
  db: Db,
  { site, dims }: ClosedRange,
  grain: ClosedGrain,
  left: { from: number; to: number }[],
  options: ReadOptions,
): Promise<Closed[]> {
  const spans = new Map<string, Closed>()
  const filter: Filter<ClosedDocument> = {
    $or: left.map(gap => ({
      site,
      grain,
      dim: { $in: [...dims] },
      at: { $gte: new Date(gap.from), $lt: new Date(gap.to) },
    })),
  }
  const documents = db.collection<ClosedDocument>('rollups').find(filter, { ...options, batchSize: 10_000 })
  for await (const { dim, at, to, upto, mended, values, counters } of documents) {
    if (!left.some(gap => +at >= gap.from && +to <= gap.to)) continue
    const key = `${+at}-${+to}`
    const span = spans.get(key) ?? { from: +at, to: +to, parts: new Map() }
    spans.set(key, span)
    span.parts.set(dim, { upto, mended, values, counters: unpackRows(counters, values.length, HOUR_COUNTERS.length) })
  }
  return [...spans.values()]
}

/** Documents of two time zones may overlap: the first one is taken, the longer one of two that begin together. */
function withoutOverlaps(spans: Closed[]): Closed[] {
  const taken: Closed[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from || b.to - a.to))
    if (span.from >= (taken.at(-1)?.to ?? span.from)) taken.push(span)
  return taken
}

/** What of a range is left, in the order of time. */
export function gapsBetween(
  { from, to }: { from: number; to: number },
  taken: readonly Pick<Closed, 'from' | 'to'>[],
): { from: number; to: number }[] {
  const gaps: { from: number; to: number }[] = []
  let at = from
  for (const span of taken) {
    if (span.from > at) gaps.push({ from: at, to: span.from })
    at = span.to
  }
  if (at < to) gaps.push({ from: at, to })
  return gaps
}
