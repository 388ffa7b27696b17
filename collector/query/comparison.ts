/** Comparing a range with an earlier one of the same length. */
import { Temporal } from 'temporal-polyfill'
import { CONVERSION_METRICS, type Metric } from './names.ts'
import { type Clock, type Range, readRange } from './range.ts'
import type { Comparisons, MetricValue } from './schema.ts'

/**
 * What to compare a range with, or what is wrong. Of a range that is not over only what has passed is compared, with as much:
 * today until 15:00 with yesterday until 15:00, the first ten days of a month with the ten days before it. Shifted are dates
 * and local times, so that a day of 25 hours is compared with a whole day.
 */
export function comparedRange({ from, to, isDays }: Range, asked: Comparisons, clock: Clock): Range | string {
  const { mode, match_day_of_week: matchesWeekday = false, date_range: pair } = asked
  const { now, zone } = clock
  const last = Math.min(to, Math.max(now, from))
  const [start, end] = [from, last].map(at => Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)) as [
    Temporal.ZonedDateTime,
    Temporal.ZonedDateTime,
  ]
  const shift = (by: Temporal.DurationLike): Range => ({
    from: start.subtract(by).epochMilliseconds,
    to: end.subtract(by).epochMilliseconds,
    isDays: isDays && last === to,
  })
  if (mode === 'custom') return readRange(pair ?? [], clock)
  if (!isDays && mode === 'previous_period') return { from: from - (last - from), to: from, isDays: false }
  if (mode === 'year_over_year') return matchesWeekday ? shift({ days: 364 }) : shift({ years: 1 })
  const lastDay = Temporal.Instant.fromEpochMilliseconds(Math.max(last - 1, from))
    .toZonedDateTimeISO(zone)
    .toPlainDate()
  const days = start.toPlainDate().until(lastDay, { largestUnit: 'days' }).days + 1
  return shift({ days: matchesWeekday ? Math.ceil(days / 7) * 7 : days })
}

/** Percent by which a metric has changed, rounded; of a rate in percent the difference; null where there was nothing. */
export function changeOf(metric: Metric, before: MetricValue, now: MetricValue): number | null {
  if (before === null || now === null) return null
  if (typeof before === 'object' || typeof now === 'object') {
    if (typeof before !== 'object' || typeof now !== 'object' || before.currency !== now.currency) return null
    return changeOf(metric, before.value, now.value)
  }
  if (metric === 'bounce_rate' || metric === 'percentage' || CONVERSION_METRICS.includes(metric))
    return Math.round((now - before) * 100) / 100
  if (before === 0) return now > 0 ? 100 : 0
  return Math.round(((now - before) / before) * 100)
}
