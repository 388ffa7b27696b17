/** Days of the site's own calendar, as `2026-03-01`: the collector knows the hours, this only counts days. */
import { DATES, RANGES, ROLLING } from './params.ts'

const DAY = 86_400_000
export type Day = string
const toMs = (day: Day) => Date.parse(`${day}T00:00:00Z`)
const toDay = (ms: number): Day => new Date(ms).toISOString().slice(0, 10)
export const addDays = (day: Day, days: number): Day => toDay(toMs(day) + days * DAY)
const firstOfMonth = (day: Day, months = 0): Day => {
  const date = new Date(toMs(day))
  return toDay(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months))
}
const isMonths = (first: Day, last: Day) => first.endsWith('-01') && addDays(last, 1).endsWith('-01')
const monthsFrom = (first: Day, next: Day) =>
  (Number(next.slice(0, 4)) - Number(first.slice(0, 4))) * 12 + Number(next.slice(5, 7)) - Number(first.slice(5, 7))

const local = new Map<string, Intl.DateTimeFormat>()
/** A moment on a zone's clock, as the API labels times: `2026-03-01 14:05:09`. */
export function clockText(ms: number, timeZone: string): string {
  let format = local.get(timeZone)
  if (!format) {
    const parts = { dateStyle: 'short', timeStyle: 'medium' } as const
    try {
      format = new Intl.DateTimeFormat('sv-SE', { ...parts, timeZone })
    } catch {
      format = new Intl.DateTimeFormat('sv-SE', parts)
    }
    local.set(timeZone, format)
  }
  return format.format(ms)
}
export const today = (now: number, timeZone: string): Day => clockText(now, timeZone).slice(0, 10)

export interface Days {
  first: Day
  last: Day
}

/** First and last day of a range; `undefined` where it does not consist of days, or begins with the site's data. */
export function daysOf(range: string, now: Day): Days | undefined {
  const [, first, last] = DATES.exec(range) ?? []
  if (first && last) return { first, last }
  const month = firstOfMonth(now)
  const year = `${now.slice(0, 4)}-01-01`
  const count = Number.parseInt(range, 10)
  if (range === 'today') return { first: now, last: now }
  if (range === 'yesterday') return { first: addDays(now, -1), last: addDays(now, -1) }
  if (range === 'month') return { first: month, last: addDays(firstOfMonth(now, 1), -1) }
  if (range === 'last-month') return { first: firstOfMonth(now, -1), last: addDays(month, -1) }
  if (range === 'year') return { first: year, last: `${now.slice(0, 4)}-12-31` }
  if (range.endsWith('mo')) return { first: firstOfMonth(now, -count), last: addDays(month, -1) }
  if (range.endsWith('d')) return { first: addDays(now, -count), last: addDays(now, -1) }
  return undefined
}

/** The range as long as this one just before or after it; `undefined` where there is none, or all of it is to come. */
export function shifted(range: string, now: Day, by: 1 | -1): string | undefined {
  const days = daysOf(range, now)
  if (!days) return undefined
  const { first, last } = days
  const next = addDays(last, 1)
  const length = isMonths(first, last) ? monthsFrom(first, next) : 0
  const count = Math.round((toMs(next) - toMs(first)) / DAY)
  const moved = length
    ? { first: firstOfMonth(first, by * length), last: addDays(firstOfMonth(next, by * length), -1) }
    : { first: addDays(first, by * count), last: addDays(last, by * count) }
  if (moved.first > now || moved.first < '1971') return undefined
  return nameOf(moved, now)
}

/** A name where there is one: it goes on meaning the same tomorrow. */
export function nameOf({ first, last }: Days, now: Day): string {
  const named = Object.keys(RANGES).find(name => {
    const days = daysOf(name, now)
    return days?.first === first && days.last === last
  })
  return named ?? `${first}..${last}`
}

/** How long a range is, ms; `undefined` where that is not known yet. */
export function lengthOf(range: string, now: Day): number | undefined {
  const days = daysOf(range, now)
  return days ? toMs(days.last) - toMs(days.first) + DAY : ROLLING[range]
}

/** The days of one bucket of a chart, as a range of their own. */
export function daysOfBucket(label: string, unit: string): Days | undefined {
  const first = label.slice(0, 10)
  if (unit === 'day') return { first, last: first }
  if (unit === 'month') return { first: firstOfMonth(first), last: addDays(firstOfMonth(first, 1), -1) }
  // A week that began before the range has the range's first date: it ends with its Sunday.
  if (unit === 'week') return { first, last: addDays(first, 6 - ((new Date(toMs(first)).getUTCDay() + 6) % 7)) }
  return undefined
}
