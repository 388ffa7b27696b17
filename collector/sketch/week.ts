/**
 * Weeks of sketches: those of seven days, united, so that thirty days are some ten documents a dimension to read. A week says
 * of which versions of its days it was made, and holds while these are what is there: it needs no revisions of its own.
 */
import { Binary, type Db } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { weekOf } from '../zone.ts'
import {
  ALL,
  bytesOf,
  type HeadDocument,
  heads,
  isOf,
  SKETCHED_FIELDS,
  type SketchedField,
  type Total,
  totalOf,
  WEEK,
  type WeekDocument,
  weekId,
  weeks,
} from './documents.ts'
import { readValues } from './read.ts'
import { LIMITS, MAJORITY, replaceSketches } from './replace.ts'
import { emptySketch, estimate, memoryOf, packSketch, type Sketch, unitePacked } from './sketch.ts'
import type { Span } from './visits.ts'

/** What the sketches of one dimension may take while they are united, bytes: past it the week has none of that. */
const MOST_BYTES = 64 * 1024 * 1024
/** Of a value beside its sketch, about, bytes. */
const VALUE_BYTES = 200
const WEEK_MS = 7 * 24 * 3_600_000

interface Asked extends Span {
  site: string
  zone: string
  /** so long after it was built a week is built again, ms */
  wait: number
}

/** Weeks that end in this time, of which each day has sketches, and that are not made of these. The newest first. */
export async function dueWeeks(db: Db, { site, zone, from, to, wait }: Asked): Promise<Span[]> {
  const at = { $gte: new Date(from - WEEK_MS), $lt: new Date(to) }
  const days = await heads(db)
    .find({ site, dim: ALL, at }, { projection: { at: 1, to: 1, version: 1 }, sort: { at: 1 } })
    .toArray()
  const held = new Map<number, WeekDocument>()
  for await (const week of weeks(db).find({ site, dim: WEEK, at }, { projection: { at: 1, to: 1, of: 1, builtAt: 1 } }))
    held.set(+week.at, week)
  const due: Span[] = []
  for (let week = weekOf(from, zone); week.end <= to; week = weekOf(week.end, zone)) {
    const span = { from: week.start, to: week.end }
    const before = held.get(span.from)
    const own = daysOf(days, span)
    if (own && !isMadeOf(before, own, span) && to >= +(before?.builtAt ?? 0) + wait) due.push(span)
  }
  return due.reverse()
}

type Day = Pick<HeadDocument, 'at' | 'to' | 'version'>

/** Those in a time, in its order; `undefined` where they leave something of it out. */
function daysOf<One extends Day>(days: readonly One[], { from, to }: Span): One[] | undefined {
  const own = days.filter(({ at }) => +at >= from && +at < to)
  const ends = [from, ...own.map(day => +day.to)]
  return own.every(({ at }, i) => +at === ends[i]) && ends.at(-1) === to ? own : undefined
}

const isMadeOf = (week: Pick<WeekDocument, 'to' | 'of'> | null | undefined, days: readonly Day[], { to }: Span) =>
  +(week?.to ?? 0) === to && isOf(week?.of ?? [], days)

/**
 * @param builtAt now, ms: from which on it is waited until it is built again
 * @returns whether it was built: not where it holds, or a day is missing, and not where somebody else was quicker
 */
export async function buildWeek(
  db: Db,
  site: string,
  span: Span,
  builtAt: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const { from, to } = span
  return await db.client.withSession({ causalConsistency: true }, async session => {
    const options = { ...LIMITS, ...MAJORITY, session, ...(signal && { signal }) }
    const before = await weeks(db).findOne({ _id: weekId(site, from) }, options)
    const at = { $gte: new Date(from), $lt: new Date(to) }
    const found = await heads(db)
      .find({ site, dim: ALL, at }, { ...options, sort: { at: 1 } })
      .toArray()
    const days = daysOf(found, span)
    if (!days || isMadeOf(before, days, span)) return false
    return await replaceSketches(
      db,
      { site, grain: 'week', from, to },
      before,
      async (shared, write): Promise<WeekDocument> => {
        const missing: SketchedField[] = []
        for (const field of SKETCHED_FIELDS) {
          const values = await uniteDays(db, { site, field, days }, options)
          if (values) await write(field, byMost(values))
          else missing.push(field)
        }
        return {
          _id: weekId(site, from),
          ...shared,
          dim: WEEK,
          values: [],
          sketches: [],
          to: new Date(to),
          of: days.map(({ version }) => version),
          totals: {
            visits: uniteTotals(days, 'visits'),
            events: uniteTotals(days, 'events'),
            views: uniteTotals(days, 'views'),
          },
          missing,
          builtAt: new Date(builtAt),
        }
      },
      session,
    )
  })
}

function uniteTotals(days: readonly HeadDocument[], total: Total): Binary {
  const sum = emptySketch(14)
  for (const day of days) {
    const packed = totalOf(day, total)
    if (packed) unitePacked(sum, bytesOf(packed))
  }
  return new Binary(packSketch(sum))
}

/** By value; `undefined` where a day has none of it, or they are too many. */
async function uniteDays(
  db: Db,
  { site, field, days }: { site: string; field: SketchedField; days: readonly HeadDocument[] },
  options: Parameters<typeof readValues>[2],
): Promise<Map<string, Sketch> | undefined> {
  if (days.some(({ missing }) => missing.includes(field))) return undefined
  const all = new Map<string, Sketch>()
  let bytes = 0
  const spans = days.map(({ at, version }) => ({ grain: 'day' as const, from: +at, version }))
  for await (const { value, packed } of readValues(db, { site, field, spans }, options)) {
    const sketch = getOrAdd(all, value, () => {
      bytes += VALUE_BYTES
      return emptySketch(12)
    })
    bytes -= memoryOf(sketch)
    unitePacked(sketch, packed)
    bytes += memoryOf(sketch)
    if (bytes > MOST_BYTES) return undefined
  }
  return all
}

/** Those with most visitors first, as these are asked for. */
const byMost = (values: ReadonlyMap<string, Sketch>): [string, Sketch][] =>
  [...values]
    .map(([value, sketch]) => ({ value, sketch, count: estimate(sketch).count }))
    .sort((a, b) => b.count - a.count)
    .map(({ value, sketch }) => [value, sketch])
