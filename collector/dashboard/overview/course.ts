/** The chart's numbers out of an answer: a value a bucket, what it was before, and which bucket is not over. */
import type { MetricValue, QueryAnswer } from '../../query/schema.ts'
import type { Today } from '../live/today.ts'
import { clockText } from './dates.ts'
import { type DaySums, sumsByHour, sumsOf } from './day.ts'
import { type Metric, metricsOf, numberOf } from './metrics.ts'
import type { Unit } from './params.ts'

export interface Bucket {
  label: string
  /** null where nothing can be said; of times to come, too */
  value: MetricValue
  beforeLabel: string | null
  before: MetricValue
}

export interface Course {
  unit: Unit
  buckets: readonly Bucket[]
  /** place of the bucket that goes on; -1 where none does */
  underway: number
  isCompared: boolean
}

export interface Clock {
  /** ms */
  now: number
  zone: string
  /** whether the range contains it */
  isNow: boolean
}

/** @param today where the stream's numbers may be added to those of the answer */
export function courseOf(
  answer: QueryAnswer,
  metric: Metric,
  { now, zone, isNow }: Clock,
  today: Today | null,
): Course {
  const { dimensions } = answer.query as { dimensions: string[] }
  const unit = (dimensions[0]?.slice(5) ?? 'day') as Unit
  const at = metricsOf(metric.of).findIndex(({ key }) => key === metric.key)
  const rows = new Map(answer.results.map(row => [row.dimensions[0], row]))
  const labels = answer.meta.time_labels ?? []
  const clock = clockText(now, zone)
  const last = labels.findLastIndex(label => label.slice(0, 19) <= clock)
  // Where nothing was, a count is 0; a rate of nothing is none.
  const nothing = metric.kind === 'count' ? 0 : null
  const live = today ? liveOf(today, unit, metric.key, zone) : new Map<string, number>()
  const buckets = labels.map((label, i): Bucket => {
    const row = rows.get(label)
    const answered = row?.metrics[at] ?? nothing
    const ticked = live.get(label)
    const value = ticked === undefined ? answered : Math.max(ticked, numberOf(answered) ?? 0)
    return {
      label,
      value: i > last ? null : value,
      beforeLabel: row?.comparison?.dimensions[0] ?? null,
      before: row?.comparison?.metrics[at] ?? null,
    }
  })
  return { unit, buckets, underway: isNow ? last : -1, isCompared: answer.results.some(row => row.comparison) }
}

/** Counts of today by the label of their bucket. Visitors of an hour are not told by the stream. */
function liveOf(today: Today, unit: Unit, key: string, zone: string): Map<string, number> {
  const numbers = new Map<string, number>()
  if (!['events', 'pageviews', 'visits'].includes(key)) return numbers
  const name = key as keyof DaySums
  if (unit === 'day') numbers.set(clockText(today.start, zone).slice(0, 10), sumsOf(today)[name])
  if (unit === 'hour') for (const [at, sums] of sumsByHour(today)) numbers.set(clockText(at, zone), sums[name])
  return numbers
}

/** What is drawn: finished buckets, the last finished one with the one under way, and what was before. */
export type Drawn = [x: number[], now: (number | null)[], underway: (number | null)[], before: (number | null)[]]

export function drawn({ buckets, underway }: Course): Drawn {
  const values = buckets.map(({ value }) => numberOf(value))
  return [
    buckets.map((_, i) => i),
    values.map((value, i) => (i === underway ? null : value)),
    values.map((value, i) => (underway >= 0 && (i === underway || i === underway - 1) ? value : null)),
    buckets.map(({ before }) => numberOf(before)),
  ]
}

/** Units that make neither too few buckets of this length (ms) nor too many. */
export function unitsFor(length: number): Unit[] {
  const [HOUR, DAY] = [3_600_000, 86_400_000]
  const fits: Record<Unit, boolean> = {
    minute: length <= 26 * HOUR,
    hour: length >= 3 * HOUR && length <= 32 * DAY,
    day: length >= 2 * DAY && length <= 800 * DAY,
    week: length >= 14 * DAY,
    month: length >= 59 * DAY,
  }
  return (Object.keys(fits) as Unit[]).filter(unit => fits[unit])
}
