/**
 * Time buckets in a site's zone, made here and not in mongod, whose zones are older than Node's. Minutes and hours lie on
 * the zone's own clock (half-hour zones), days are the zone's days (23, 24 or 25 hours, and not all begin at midnight),
 * weeks begin on Monday.
 */
import { Temporal } from 'temporal-polyfill'
import type { TimeUnit } from './names.ts'
import type { Range } from './range.ts'

export interface Grid {
  unit: TimeUnit
  /** begin of each bucket, ms since the epoch, ascending: the first is the range's own begin */
  starts: number[]
  /**
   * A label a bucket, none twice: dates for days, weeks and months, else the local time at which the bucket begins. Where the
   * clock shows that time twice, its offset from UTC is behind it. A week that began before the range has the range's first
   * date, as Plausible has it.
   */
  labels: string[]
  /** labels of the buckets that the range cuts, or that go on */
  partial: string[]
}

/** A time of one offset from UTC, ms; it ends where the next begins. */
interface Stretch {
  start: number
  offset: number
}
/** What a bucket is as a whole, ms since the epoch. */
interface Bucket {
  start: number
  label: string
}

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000
/** More than the longest bucket has, ms. */
const LONGEST: Record<TimeUnit, number> = {
  minute: 2 * MINUTE,
  hour: 3 * HOUR,
  day: 2 * DAY,
  week: 9 * DAY,
  month: 33 * DAY,
}

/** @returns `undefined` when there would be more than `most` buckets */
export function gridOf(unit: TimeUnit, range: Range, zone: string, now: number, most: number): Grid | undefined {
  const grid: Grid = { unit, starts: [], labels: [], partial: [] }
  const first = dateText(dayOfStart(range.from, zone))
  let last: Bucket | undefined
  for (const bucket of bucketsFrom(unit, range, zone)) {
    if (last && bucket.start > range.from) {
      const isCut = last.start < range.from || bucket.start > range.to
      const label = unit === 'week' && last.label < first ? first : last.label
      if (isCut || (last.start <= now && now < bucket.start)) grid.partial.push(label)
      grid.starts.push(Math.max(last.start, range.from))
      grid.labels.push(label)
      if (grid.starts.length > most) return undefined
    }
    last = bucket
    if (bucket.start >= range.to) return grid
  }
  return grid
}

/** The place of the last that begins at this time or before. */
export function placeOf(starts: readonly number[], at: number): number {
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? at) <= at) low = middle
    else high = middle
  }
  return low
}

/** Whole buckets, from before the range until one that begins at its end or later. */
function* bucketsFrom(unit: TimeUnit, { from, to }: Range, zone: string): Generator<Bucket> {
  const anchor = from - LONGEST[unit]
  const stretches = stretchesOf(anchor, to + LONGEST[unit], zone)
  const isClock = unit === 'minute' || unit === 'hour'
  let last = Number.NEGATIVE_INFINITY
  for (const [i, { start, offset }] of stretches.entries()) {
    const until = stretches[i + 1]?.start ?? to + LONGEST[unit]
    let at = Math.max(start, anchor)
    while (at < until) {
      const key = keyOf(unit, at + offset)
      // A clock set back over midnight shows a date again that is over: its hours are the new day's.
      if (isClock || key > last) {
        yield { start: at, label: isClock ? clockText(at, stretches, i) : dateText(firstDay(unit, key)) }
        last = key
      }
      at = beginOf(unit, key + 1) - offset
    }
  }
}

/** The stretches of a zone, from before `from` until after `to`. */
function stretchesOf(from: number, to: number, zone: string): Stretch[] {
  const zoned = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(zone)
  const offsetOf = (at: Temporal.ZonedDateTime) => at.offsetNanoseconds / 1e6
  const before = zoned.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
  const stretches: Stretch[] = []
  if (before) {
    const offset = offsetOf(before.subtract({ milliseconds: 1 }))
    stretches.push({ start: Number.NEGATIVE_INFINITY, offset })
    stretches.push({ start: before.epochMilliseconds, offset: offsetOf(before) })
  } else stretches.push({ start: Number.NEGATIVE_INFINITY, offset: offsetOf(zoned) })
  for (let at = zoned.getTimeZoneTransition('next'); at; at = at.getTimeZoneTransition('next')) {
    stretches.push({ start: at.epochMilliseconds, offset: offsetOf(at) })
    if (at.epochMilliseconds > to) break
  }
  // What ends before it matters no more.
  return stretches
}

/** Which minute, hour, day … a local time is in, counted from 1970. */
function keyOf(unit: TimeUnit, local: number): number {
  if (unit === 'minute') return Math.floor(local / MINUTE)
  if (unit === 'hour') return Math.floor(local / HOUR)
  const day = Math.floor(local / DAY)
  if (unit === 'day') return day
  // The first of January 1970 was a Thursday.
  if (unit === 'week') return Math.floor((day + 3) / 7)
  const date = new Date(local)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

const firstDay = (unit: TimeUnit, key: number): number => {
  if (unit === 'month') return Date.UTC(Math.floor(key / 12), key % 12) / DAY
  return unit === 'week' ? key * 7 - 3 : key
}

/** The local time at which it begins, ms. */
const beginOf = (unit: TimeUnit, key: number): number => {
  if (unit === 'minute') return key * MINUTE
  return unit === 'hour' ? key * HOUR : firstDay(unit, key) * DAY
}

const dateText = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)

/** The zone's day that holds a moment, counted from 1970. */
function dayOfStart(at: number, zone: string): number {
  const [stretch] = stretchesOf(at, at, zone).filter(
    ({ start }, i, all) => start <= at && (all[i + 1]?.start ?? at + 1) > at,
  )
  return Math.floor((at + (stretch?.offset ?? 0)) / DAY)
}

/** Local time, with its offset where another moment nearby has the same. */
function clockText(at: number, stretches: Stretch[], i: number): string {
  const { start, offset } = stretches[i] as Stretch
  const local = at + offset
  const text = new Date(local).toISOString().slice(0, 19).replace('T', ' ')
  const before = stretches[i - 1]
  const after = stretches[i + 1]
  const isTwice =
    (before && local - before.offset < start && local - before.offset >= before.start) ||
    (after && local - after.offset >= after.start)
  return isTwice ? text + offsetText(offset) : text
}

/** As in +02:00. */
export function offsetText(offset: number): string {
  const minutes = Math.abs(Math.round(offset / MINUTE))
  const two = (n: number) => String(n).padStart(2, '0')
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
