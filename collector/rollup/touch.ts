/**
 * Touch: how far the hours of a day have been changed, so that what was built of them knows whether it still holds. One
 * document a site, day and lane; fold raises it after its rollups are written and before their pages are marked as folded.
 * Whoever reads a page as folded reads the raised touch, too, in the same snapshot.
 *
 * A day is the site's own as the folder knows its zone. Nothing stands on that: the document says from when to when it is,
 * and readers ask for all that overlap, so a zone that was changed, or is not known, makes more be built anew and never
 * less. Days of UTC would need no zone, but the hours of a site's today would then touch a part of its yesterday all the
 * time; hours would, too, but are 24 times as many.
 */
import type { AnyBulkWriteOperation, ClientSession, Db } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { KEPT, once } from '../store/index.ts'
import { dayOf } from '../zone.ts'
import type { ReadOptions } from './hour-sources.ts'

export interface TouchDocument {
  _id: string
  site: string
  lane: number
  /** first and, not included, last moment of the day */
  from: Date
  to: Date
  /** the last settle number of the lane that was folded into an hour of the day */
  folded: number
  /** how often hours were changed by other means than a page; none if absent */
  mended?: number
  expires: Date
}

/** What something that was built of hours contains. */
export interface Position {
  /** lane → the last settle number; none of a lane that is not named */
  upto: Record<string, number>
  /** the sum over all touches */
  mended: number
}

/** An hour of a site that was changed. */
export interface TouchedHour {
  site: string
  /** its begin, ms since the epoch */
  at: number
  lane: number
  zone: string | undefined
}

/** More than the longest day, ms. */
const LONGEST_MS = 50 * 3_600_000
const DURABLE = { w: 'majority', journal: true } as const

const touches = (db: Db) => db.collection<TouchDocument>('touch')

type Fresh = Omit<TouchDocument, 'folded' | 'mended'>

function touchOf({ site, at, lane, zone = 'UTC' }: TouchedHour): Fresh {
  const { start, end } = daySpan(at, zone)
  const [from, to, expires] = [start, end, end + KEPT.hours].map(ms => new Date(ms)) as [Date, Date, Date]
  return { _id: `${site}/${start}/${lane}`, site, lane, from, to, expires }
}

/** Of a zone that Node does not know it is the day of UTC. */
function daySpan(at: number, zone: string): { start: number; end: number } {
  try {
    return dayOf(at, zone)
  } catch {
    return dayOf(at, 'UTC')
  }
}

/** A `to` may grow: the end of a day that begins at the same time may be another one in another zone. */
const change = ({ _id, to, ...rest }: Fresh, raised: { folded: number; mended?: number }) => ({
  filter: { _id },
  update: {
    $max: { folded: raised.folded, to },
    ...(raised.mended && { $inc: { mended: raised.mended } }),
    $setOnInsert: rest,
  },
  upsert: true,
})

/** Raises the touch of days to settle numbers of their lanes. Repeating is harmless, and so is raising too often. */
export async function raiseTouch(db: Db, hours: Iterable<TouchedHour & { settled: number }>): Promise<void> {
  const days = new Map<string, { day: Fresh; folded: number }>()
  for (const hour of hours) {
    const day = touchOf(hour)
    const held = getOrAdd(days, day._id, () => ({ day, folded: 0 }))
    held.folded = Math.max(held.folded, hour.settled)
  }
  const operations: AnyBulkWriteOperation<TouchDocument>[] = [...days.values()].map(({ day, folded }) => ({
    updateOne: change(day, { folded }),
  }))
  if (operations.length > 0) await touches(db).bulkWrite(operations, { ordered: false, writeConcern: DURABLE })
}

/** Says that hours were changed by other means than a page. In `session`, the transaction that changes them, if there is one. */
export async function noteMended(db: Db, hours: Iterable<TouchedHour>, session?: ClientSession): Promise<void> {
  const days = new Map([...hours].map(hour => [touchOf(hour)._id, touchOf(hour)]))
  const options = session ? { session } : { writeConcern: DURABLE }
  const operations: AnyBulkWriteOperation<TouchDocument>[] = [...days.values()].map(day => ({
    updateOne: change(day, { folded: 0, mended: 1 }),
  }))
  if (operations.length > 0) await touches(db).bulkWrite(operations, { ordered: false, ...options })
}

export type Touch = Pick<TouchDocument, 'lane' | 'folded' | 'mended'> & { from: number; to: number }

/** Of all days that overlap with this time, ms. */
export async function readTouches(
  db: Db,
  { site, from, to }: { site: string; from: number; to: number },
  options: Partial<ReadOptions>,
): Promise<Touch[]> {
  const begin = { $gt: new Date(from - LONGEST_MS), $lt: new Date(to) }
  return await once(options, `touch ${site} ${from} ${to}`, async shared => {
    const held = await touches(db)
      .find(
        { site, from: begin, to: { $gt: new Date(from) } },
        { ...shared, projection: { _id: 0, lane: 1, from: 1, to: 1, folded: 1, mended: 1 } },
      )
      .toArray()
    return held.map(one => ({ ...one, from: +one.from, to: +one.to }))
  })
}

/**
 * Whether hours were changed since. A touch that has expired changes nothing: then the hours expire too, and what was built
 * of them is all that is left.
 */
export function isStale(
  { upto, mended }: Position,
  span: { from: number; to: number },
  touches: readonly Touch[],
): boolean {
  let sum = 0
  for (const touch of touches) {
    if (touch.to <= span.from || touch.from >= span.to) continue
    if (touch.folded > (upto[touch.lane] ?? 0)) return true
    sum += touch.mended ?? 0
  }
  return sum > mended
}
