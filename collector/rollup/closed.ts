/** A day, week or month that was closed: one document a dimension, all lanes together, with what it contains of them. */
import type { Binary, Db } from 'mongodb'
import { HOUR_COUNTERS, type HourDimension, OTHER, propertyKey } from '../journal/index.ts'
import { once } from '../store/index.ts'
import { packRows, unpackColumns, unpackRows } from './columns.ts'
import { LONGEST_HOUR_MS, type ReadOptions } from './hour-sources.ts'
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
  /** see `addColumns` */
  columns: Float64Array
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

/**
 * What can be taken from documents of days, weeks and months instead of hours, at the moment of the session's snapshot: those
 * that are not stale and name every value. In the order of time, none overlaps another.
 */
export async function findClosed(db: Db, range: ClosedRange, options: ReadOptions): Promise<Closed[]> {
  if (range.grains.length === 0) return []
  const touches = await readTouches(db, { ...range, from: range.from - LONGEST_HOUR_MS }, options)
  const heads = await readHeads(db, range, options)
  let left = heads.filter(
    head =>
      range.grains.includes(head.grain) &&
      head.to <= range.to &&
      range.fits(head.from, head.to) &&
      !isStale(head, head, touches),
  )
  const read = new Map<Head, Closed>()
  for (;;) {
    const taken = largestOf(left, range)
    await readParts(
      db,
      range,
      read,
      taken.filter(head => !read.has(head)),
      options,
    )
    const holds = (head: Head): boolean => {
      const parts = read.get(head)?.parts
      return (
        parts?.size === range.dims.length &&
        [...parts].every(([dim, part]) => namesAll(dim, part, range) && !isStale(part, head, touches))
      )
    }
    const others = new Set(taken.filter(head => !holds(head)))
    if (others.size === 0) return taken.flatMap(head => read.get(head) ?? [])
    left = left.filter(head => !others.has(head))
  }
}

/** What of a closed span tells whether it holds, without its values. */
interface Head extends Position {
  grain: ClosedGrain
  from: number
  to: number
}

/** Of all grains that begin in a time, by the dimension that is written last: those of the others are as new, or newer. */
async function readHeads(db: Db, { site, from, to }: ClosedRange, options: ReadOptions): Promise<Head[]> {
  return await once(options, `closed ${site} ${from} ${to}`, async shared => {
    const at = { $gte: new Date(from), $lt: new Date(to) }
    const projection = { _id: 0, grain: 1, at: 1, to: 1, upto: 1, mended: 1 }
    const held = await db
      .collection<ClosedDocument>('rollups')
      .find(
        { site, grain: { $in: [...CLOSED_GRAINS] }, dim: 'total', at },
        { ...shared, projection, batchSize: 10_000 },
      )
      .toArray()
    return held.map(({ grain, at, to, upto, mended }) => ({ grain, from: +at, to: +to, upto, mended }))
  })
}

/** The larger ones first, then what lies between them. In the order of time, without overlaps. */
function largestOf(heads: readonly Head[], { from, to, grains }: ClosedRange): Head[] {
  let taken: Head[] = []
  for (const grain of grains) {
    const gaps = gapsBetween({ from, to }, taken)
    const fitting = heads.filter(
      head => head.grain === grain && gaps.some(gap => head.from >= gap.from && head.to <= gap.to),
    )
    taken = withoutOverlaps([...taken, ...fitting])
  }
  return taken
}

/** Whether it names every value; of one property, if it is asked for by itself. */
const namesAll = (dim: HourDimension, { values }: ClosedPart, { property }: ClosedRange): boolean =>
  dim === 'property' && property !== undefined
    ? !values.includes(propertyKey(property, OTHER))
    : !values.some(value => isOther(dim, value))

/** Of the asked dimensions, into `read`. */
async function readParts(
  db: Db,
  { site, dims }: ClosedRange,
  read: Map<Head, Closed>,
  heads: readonly Head[],
  options: ReadOptions,
): Promise<void> {
  if (heads.length === 0) return
  const byId = new Map<string, Head>()
  for (const head of heads) {
    read.set(head, { from: head.from, to: head.to, parts: new Map() })
    for (const dim of dims) byId.set(closedId(site, head.grain, dim, head.from), head)
  }
  const documents = db
    .collection<ClosedDocument>('rollups')
    .find({ _id: { $in: [...byId.keys()] }, site }, { ...options, batchSize: 10_000 })
  for await (const { _id, dim, to, upto, mended, values, counters } of documents) {
    const head = byId.get(_id)
    // Of a zone of before, whose day began at the same time.
    if (!head || +to !== head.to) continue
    read.get(head)?.parts.set(dim, { upto, mended, values, columns: unpackColumns(counters) })
  }
}

/** Documents of two time zones may overlap: the first one is taken, the longer one of two that begin together. */
function withoutOverlaps<One extends Pick<Closed, 'from' | 'to'>>(spans: readonly One[]): One[] {
  const taken: One[] = []
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
