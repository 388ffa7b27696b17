/** The calendar of a time zone, by Node's own zones. */
import { Temporal } from 'temporal-polyfill'
import { getOrAdd } from './get-or-add.ts'

/** Whether Node knows the time zone (an IANA name or an offset such as `+02:00`). */
export function isTimeZone(name: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(name)
    return true
  } catch {
    return false
  }
}

/**
 * When the zone's day that holds `now` began, or one so many days before it; ms since the epoch. Some days don't begin at
 * midnight, and some have 23 or 25 hours.
 */
export const startOfDay = (now: number, zone: string, daysBefore = 0): number =>
  Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).subtract({ days: daysBefore }).startOfDay()
    .epochMilliseconds

/** A day of a time zone. */
export interface ZoneDay {
  /** as in 2026-03-29 */
  date: string
  /** first and, not included, last ms */
  start: number
  end: number
}

/** Days held of a zone: those within which events arrive. */
const HELD = 10
const days = new Map<string, ZoneDay[]>()

/** The zone's day that holds a moment, ms since the epoch. The newest ones asked for are held: finding one takes 80 µs. */
export function dayOf(at: number, zone: string): ZoneDay {
  const held = getOrAdd<string, ZoneDay[]>(days, zone, () => [])
  for (const day of held) if (at >= day.start && at < day.end) return day
  const start = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).startOfDay()
  const day: ZoneDay = {
    date: start.toPlainDate().toString(),
    start: start.epochMilliseconds,
    end: start.add({ days: 1 }).startOfDay().epochMilliseconds,
  }
  if (held.unshift(day) > HELD) held.pop()
  return day
}

/** First and, not included, last ms. */
export type ZoneSpan = Pick<ZoneDay, 'start' | 'end'>

/** The zone's month that holds a moment. */
export const monthOf = (at: number, zone: string): ZoneSpan =>
  spanFrom(dateOf(at, zone).with({ day: 1 }), { months: 1 }, zone)

/** The zone's week that holds a moment, from Monday to Sunday. */
export function weekOf(at: number, zone: string): ZoneSpan {
  const date = dateOf(at, zone)
  return spanFrom(date.subtract({ days: date.dayOfWeek - 1 }), { weeks: 1 }, zone)
}

const dateOf = (at: number, zone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate()

function spanFrom(first: Temporal.PlainDate, length: Temporal.DurationLike, zone: string): ZoneSpan {
  const begin = (date: Temporal.PlainDate) => date.toZonedDateTime(zone).epochMilliseconds
  return { start: begin(first), end: begin(first.add(length)) }
}

/**
 * What a text says of time, ms since the epoch: an instant of ISO 8601 (`2026-03-29T10:00:00Z`), or a date (`2026-03-29`),
 * which stands for the begin of that day in the zone. `undefined` where it is neither.
 */
export function readTime(text: string, zone: string): number | undefined {
  try {
    if (/^\d{4}-\d\d-\d\d$/.test(text)) return Temporal.PlainDate.from(text).toZonedDateTime(zone).epochMilliseconds
    return Temporal.Instant.from(text).epochMilliseconds
  } catch {
    return undefined
  }
}
