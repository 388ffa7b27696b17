/** From what a question says of time to a half-open range of ms, in the days of the site's zone. */

import { LRUCache } from 'lru-cache'
import { Temporal } from 'temporal-polyfill'
import { MINUTE_MS } from '../settle/index.ts'
import { dayOf } from '../zone.ts'

/** ms since the epoch; the end is not included */
export interface Range {
  from: number
  to: number
  /** whether it is made of whole days of the zone; else of seconds */
  isDays: boolean
}

const LAST: Record<string, number> = { '30m': 30, '6h': 360, '24h': 1_440 }
const DATE = /^\d{4}-\d\d-\d\d$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i

export interface Clock {
  /** ms since the epoch */
  now: number
  zone: string
}

/**
 * A range, or what is wrong with it. Names mean what they mean to Plausible today: `7d` are the seven days before today,
 * `6mo` the six months before this one, `month` and `year` the whole of the present one. `30m`, `6h` and `24h` end with the
 * present minute and consist of whole ones.
 * @param begin of the site's data, for `all`; ms
 */
export function readRange(asked: string | readonly string[], clock: Clock, begin?: number): Range | string {
  if (typeof asked !== 'string' || asked === 'all' || asked in LAST) return makeRange(asked, clock, begin)
  // The same all day long.
  const key = `${asked} ${clock.zone} ${dayOf(clock.now, clock.zone).start}`
  const range = named.get(key) ?? makeRange(asked, clock)
  if (typeof range !== 'string') named.set(key, range)
  return range
}

/** Those that were asked for last: the calendar takes longer than all else of reading a question. */
const named = new LRUCache<string, Range>({ max: 500 })

function makeRange(asked: string | readonly string[], { now, zone }: Clock, begin?: number): Range | string {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).toPlainDate()
  const days = (first: Temporal.PlainDate, next: Temporal.PlainDate): Range => ({
    from: first.toZonedDateTime(zone).epochMilliseconds,
    to: next.toZonedDateTime(zone).epochMilliseconds,
    isDays: true,
  })
  if (typeof asked !== 'string') return readPair(asked, days)
  const minutes = LAST[asked]
  if (minutes !== undefined) {
    const to = (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS
    return { from: to - minutes * MINUTE_MS, to, isDays: false }
  }
  const month = today.with({ day: 1 })
  if (asked === 'month') return days(month, month.add({ months: 1 }))
  const year = month.with({ month: 1 })
  if (asked === 'year') return days(year, year.add({ years: 1 }))
  const tomorrow = today.add({ days: 1 })
  if (asked === 'all') {
    const first = Temporal.Instant.fromEpochMilliseconds(Math.min(begin ?? now, now)).toZonedDateTimeISO(zone)
    return days(first.toPlainDate(), tomorrow)
  }
  const count = Number.parseInt(asked, 10)
  if (asked.endsWith('mo')) return days(month.subtract({ months: count }), month)
  if (asked.endsWith('d')) return count > 0 ? days(today.subtract({ days: count }), today) : days(today, tomorrow)
  return days(today, tomorrow)
}

/** Both named ends are included: the last day, or the last second. */
function readPair(
  [first = '', last = '']: readonly string[],
  days: (first: Temporal.PlainDate, next: Temporal.PlainDate) => Range,
): Range | string {
  try {
    if (DATE.test(first) && DATE.test(last)) {
      const [from, to] = [Temporal.PlainDate.from(first), Temporal.PlainDate.from(last)]
      if (isFar(from.year) || isFar(to.year)) return 'a year from 1970 to 9999'
      return Temporal.PlainDate.compare(from, to) > 0
        ? 'the first date is after the last'
        : days(from, to.add({ days: 1 }))
    }
    if (TIME.test(first) && TIME.test(last)) {
      const from = Temporal.Instant.from(first).epochMilliseconds
      const to = (Math.floor(Temporal.Instant.from(last).epochMilliseconds / 1_000) + 1) * 1_000
      if (isFar(new Date(from).getUTCFullYear()) || isFar(new Date(to).getUTCFullYear()))
        return 'a year from 1970 to 9999'
      return from >= to ? 'the first time is after the last' : { from, to, isDays: false }
    }
  } catch {
    // No such day.
  }
  return 'two dates (2026-03-01), or two times with an offset (2026-03-01T10:00:00Z)'
}

const isFar = (year: number): boolean => !(year >= 1970 && year <= 9999)

/** As in 2026-03-29T00:00:00+01:00: first and last second, which asked again give the same range. */
export function rangeText({ from, to }: Range, zone: string): [string, string] {
  const key = `${from} ${to} ${zone}`
  const held = texts.get(key)
  if (held) return [...held]
  const text = (at: number) =>
    Temporal.Instant.fromEpochMilliseconds(at)
      .toZonedDateTimeISO(zone)
      .toString({ timeZoneName: 'never', smallestUnit: from % 1_000 ? 'millisecond' : 'second' })
  const made: [string, string] = [text(from), text(to - 1_000)]
  texts.set(key, made)
  return [...made]
}

const texts = new LRUCache<string, [string, string]>({ max: 500 })
