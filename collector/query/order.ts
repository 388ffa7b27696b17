/** Metrics out of what was added up, and the order of rows: by what was asked, then by the dimensions' values. */
import type { Measure, Page, Row, Rows } from './engine.ts'
import { type Dimension, isTimeDimension, type Metric, REVENUE_METRICS } from './names.ts'
import { minorOf, toRevenue } from './revenue.ts'
import type { MetricValue } from './schema.ts'

/** What has to be added up for a metric. */
export const MEASURES: Record<Metric, readonly Measure[]> = {
  visitors: ['visitors'],
  visits: ['visits'],
  pageviews: ['pageviews'],
  events: ['events'],
  views_per_visit: ['visits', 'views'],
  bounce_rate: ['visits', 'bounces'],
  visit_duration: ['visits', 'duration'],
  percentage: ['visitors'],
  conversion_rate: ['visitors'],
  group_conversion_rate: ['visitors'],
  total_revenue: ['revenue', 'paid'],
  average_revenue: ['revenue', 'paid'],
}

/** Metrics that are a share of visitors, percent. Of one answer it is of the same ones, so rows are ordered by visitors. */
export const SHARES: readonly Metric[] = ['percentage', 'conversion_rate']

/** Metrics that are one measure divided by the visits. */
export const RATIOS: Partial<Record<Metric, Measure>> = {
  views_per_visit: 'views',
  bounce_rate: 'bounces',
  visit_duration: 'duration',
}

/** Whether it is one of what was added up divided by another. */
export const isQuotient = (metric: Metric): boolean =>
  RATIOS[metric] !== undefined ||
  SHARES.includes(metric) ||
  metric === 'group_conversion_rate' ||
  metric === 'average_revenue'

/** What rows are ordered by: the metric before it is rounded; `undefined` is less than everything. */
export function weightOf(metric: Metric, row: Row): number | undefined {
  const { counts } = row
  if (REVENUE_METRICS.includes(metric)) return minorOf(metric, row)
  if (metric === 'group_conversion_rate') return row.everybody ? (counts.visitors ?? 0) / row.everybody : 0
  const ratio = RATIOS[metric]
  if (!ratio) return counts[SHARES.includes(metric) ? 'visitors' : (metric as Measure)] ?? 0
  const { visits = 0 } = counts
  if (visits === 0) return metric === 'visit_duration' ? undefined : 0
  return (counts[ratio] ?? 0) / visits
}

/**
 * A metric as it is answered: rates in percent and views a visit with two decimals, durations in whole seconds.
 * @param wholes visitors of which {@link SHARES} are shares
 */
export function metricOf(metric: Metric, row: Row, wholes: Partial<Record<Metric, number>>): MetricValue {
  const weight = weightOf(metric, row)
  if (weight === undefined) return null
  if (metric === 'visit_duration') return Math.round(weight / 1_000)
  if (metric === 'bounce_rate') return toTwo(weight * 100)
  if (metric === 'views_per_visit') return toTwo(weight)
  if (REVENUE_METRICS.includes(metric)) return toRevenue(weight, row.currency ?? '')
  if (metric === 'group_conversion_rate') return toTwo(weight * 100)
  if (SHARES.includes(metric)) return wholes[metric] ? toTwo((weight / wholes[metric]) * 100) : 0
  return weight
}

const toTwo = (n: number): number => Math.round(n * 100) / 100

/** The rows of a page, for engines that hold all of them. */
export function pageOf(
  rows: Row[],
  dimensions: readonly Dimension[],
  { order, limit, offset, total }: Page,
): Pick<Rows, 'rows' | 'total'> {
  const values: Dimension[] = dimensions.filter(name => !isTimeDimension(name))
  const by = [...order, ...dimensions.map(name => [name, 1] as const)].map(([name, direction]) => {
    const place = values.indexOf(name as Dimension)
    const compare = (a: Row, b: Row): number => {
      if (place >= 0) return compareTexts(a.values[place] ?? '', b.values[place] ?? '')
      if (isTimeDimension(name)) return a.bucket - b.bucket
      return compareWeights(weightOf(name as Metric, a), weightOf(name as Metric, b))
    }
    return (a: Row, b: Row) => direction * compare(a, b)
  })
  const sorted = rows.toSorted((a, b) => {
    for (const compare of by) {
      const difference = compare(a, b)
      if (difference !== 0) return difference
    }
    return 0
  })
  return { rows: sorted.slice(offset, offset + limit), ...(total && { total: rows.length }) }
}

function compareWeights(a = Number.NEGATIVE_INFINITY, b = Number.NEGATIVE_INFINITY): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** By code points, as mongod orders: UTF-16 puts an emoji before U+FFFD. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
