/**
 * Totals that tick: what the API answered of the days before today, and what the stream says of today. A count that is shown
 * never goes back, unless an answer that is newer than everything that was shown says so.
 */
import type { MetricValue, QueryAnswer } from '../../query/schema.ts'
import type { Today } from '../live/today.ts'
import type { Day } from './dates.ts'
import { add, type DaySums, NO_SUMS, sumsOf } from './day.ts'
import { METRICS, type Metric, metricsOf, numberOf } from './metrics.ts'

/** A number, and up to when what the collector received is contained in it, ms. */
export interface Known {
  value: MetricValue
  at: number
  /** estimated: the bound of the relative error, 0.016 is ±1.6 % */
  error?: number
  /** an estimate that comes before the answer */
  isEarly?: true
}

export type Totals = Readonly<Record<string, Known>>

/** What an answer without dimensions says. */
export function answered(answer: QueryAnswer, of: Metric['of']): Totals {
  const { fresh, exact, error, sample } = answer.meta
  const isEarly = sample !== undefined
  const at = Date.parse(fresh)
  return Object.fromEntries(
    metricsOf(of).map(({ key, ask }, i) => {
      const value = answer.results[0]?.metrics[i] ?? null
      const isEstimate = isEarly ? value !== null : !exact && (ask === 'visitors' || ask === 'conversion_rate')
      return [key, { value, at, ...(isEstimate && { error: error ?? 0 }), ...(isEarly && { isEarly }) }]
    }),
  )
}

/** Sums that the answer's rates were made of, as far as they were rounded. */
export function sumsAnswered(answer: QueryAnswer): DaySums {
  const value = (ask: string) =>
    numberOf(answer.results[0]?.metrics[METRICS.findIndex(metric => metric.ask === ask)]) ?? 0
  const visits = value('visits')
  return {
    events: value('events'),
    pageviews: value('pageviews'),
    visits,
    views: Math.round(value('views_per_visit') * visits),
    bounces: Math.round((value('bounce_rate') / 100) * visits),
    duration: value('visit_duration') * 1_000 * visits,
  }
}

/** Whether a range of days, as the answer has it, contains the whole of this day. */
export function contains(answer: QueryAnswer, { start, end }: Pick<Today, 'start' | 'end'>): boolean {
  const [first = '', last = ''] = rangeOf(answer)
  return first.length > 10 && Date.parse(first) <= start && Date.parse(last) + 1_000 >= end
}
export const rangeOf = ({ query }: QueryAnswer) => (query as { date_range: string[] }).date_range
export const firstDay = (answer: QueryAnswer): Day => rangeOf(answer)[0]?.slice(0, 10) ?? ''

/**
 * What the stream knows of a range.
 * @param before of the days before today; null where there are none
 * @param now the collector's clock at the stream's last message, ms
 */
export function ticked(today: Today, before: DaySums | null, now: number): Totals {
  const day = sumsOf(today)
  const { events, pageviews, visits, views, bounces, duration } = add(day, before ?? NO_SUMS)
  const per = (sum: number) => (visits > 0 ? sum / visits : 0)
  const values = {
    events,
    pageviews,
    visits,
    views_per_visit: round(per(views)),
    bounce_rate: round(per(bounces) * 100),
    visit_duration: visits > 0 ? Math.round(per(duration) / 1_000) : null,
  }
  const totals = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value, at: now }]))
  const { visitors } = today
  // They may still be those of the day before.
  if (!visitors || before || visitors.at < today.start) return totals
  const { count, error, at } = visitors
  return { ...totals, visitors: { value: count, at, ...(error !== undefined && { error }) } }
}

const round = (n: number) => Math.round(n * 100) / 100

/**
 * What to show after more is known, of the same range. What is older than what is shown says nothing of rates, and of counts
 * only that there are at least so many. An estimate that comes before the answer says nothing beside what was counted.
 * @param grows false where the range moves along with the clock, and counts shrink
 */
export function kept(shown: Totals, next: Totals, from: 'answer' | 'stream', grows = true): Totals {
  const all: Record<string, Known> = { ...shown }
  for (const [key, known] of Object.entries(next)) {
    const before = shown[key]
    const kind = METRICS.find(metric => metric.key === key)?.kind
    if (!before || before.isEarly) all[key] = known
    else if (known.isEarly) continue
    else if (before.value === null) all[key] = known
    else if (!grows || kind !== 'count') all[key] = known.at >= before.at ? known : before
    else {
      const isLess = (numberOf(known.value) ?? 0) < (numberOf(before.value) ?? 0)
      const corrects = from === 'answer' && known.at > before.at && known.error === undefined
      all[key] = isLess && !corrects ? before : { ...known, at: Math.max(known.at, before.at) }
    }
  }
  return all
}
