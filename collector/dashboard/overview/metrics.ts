/** What is shown of a range, and how each number is made out of an answer. */
import type { MetricValue } from '../../query/schema.ts'

/** `count` only grows while a range is looked at */
export type Kind = 'count' | 'percent' | 'ratio' | 'length' | 'money'

export interface Metric {
  key: string
  /** as the API calls it */
  ask: string
  /** of everything, or of conversions */
  of: 'all' | 'goals'
  kind: Kind
  /** a lower number is the better one */
  isLess?: true
}

export const METRICS: readonly Metric[] = [
  { key: 'visitors', ask: 'visitors', of: 'all', kind: 'count' },
  { key: 'visits', ask: 'visits', of: 'all', kind: 'count' },
  { key: 'pageviews', ask: 'pageviews', of: 'all', kind: 'count' },
  { key: 'views_per_visit', ask: 'views_per_visit', of: 'all', kind: 'ratio' },
  { key: 'bounce_rate', ask: 'bounce_rate', of: 'all', kind: 'percent', isLess: true },
  { key: 'visit_duration', ask: 'visit_duration', of: 'all', kind: 'length' },
  { key: 'events', ask: 'events', of: 'all', kind: 'count' },
  { key: 'conversions', ask: 'events', of: 'goals', kind: 'count' },
  { key: 'conversion_rate', ask: 'conversion_rate', of: 'goals', kind: 'percent' },
  { key: 'total_revenue', ask: 'total_revenue', of: 'goals', kind: 'money' },
]
const [VISITORS] = METRICS as [Metric, ...Metric[]]
export const metricOf = (key: string): Metric => METRICS.find(metric => metric.key === key) ?? VISITORS
export const metricsOf = (of: Metric['of']): Metric[] => METRICS.filter(metric => metric.of === of)
export const askedOf = (of: Metric['of']): string[] => metricsOf(of).map(({ ask }) => ask)

/** Kinds of what lists show beside them. */
export const kindOf = (ask: string): Kind =>
  ask === 'percentage' ? 'percent' : (METRICS.find(metric => metric.ask === ask)?.kind ?? 'count')

export const numberOf = (value: MetricValue | undefined): number | null =>
  typeof value === 'object' && value !== null ? value.value : (value ?? null)

/** Percent by which it has changed, of rates the difference in points; null where that says nothing. */
export function changeOf(kind: Kind, before: MetricValue | undefined, now: MetricValue | undefined): number | null {
  const [old, new_] = [numberOf(before), numberOf(now)]
  if (old === null || new_ === null) return null
  if (isMoney(before) && isMoney(now) && before.currency !== now.currency) return null
  if (kind === 'percent') return Math.round((new_ - old) * 10) / 10
  if (old === 0) return null
  return Math.round(((new_ - old) / old) * 100)
}
const isMoney = (value: MetricValue | undefined) => typeof value === 'object' && value !== null
