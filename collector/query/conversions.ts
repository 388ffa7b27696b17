/** What conversions are a share of: the visitors of the same question regardless of goals, as Plausible counts them. */
import { type Filter, leavesOf, partsOf } from './filter.ts'
import { CONVERSION_METRICS, type Dimension, type Metric, PROPERTY, REVENUE_METRICS } from './names.ts'
import type { Query } from './query.ts'

/** What tells conversions apart: goals, and properties of their events. */
export const isOfConversion = (name: string): boolean => name === 'event:goal' || PROPERTY.test(name)

export const asksGoal = ({ dimensions, filters }: Pick<Query, 'dimensions' | 'filters'>): boolean =>
  (dimensions as string[]).includes('event:goal') ||
  filters.flatMap(leavesOf).some(({ attribute }) => attribute === 'event:goal')

/** Conditions on conversions stand by themselves, so that they can be left out: else what is wrong. */
export function checkConversions(metrics: Metric[], dimensions: Dimension[], filters: Filter[]): string | undefined {
  const asked = metrics.find(metric => CONVERSION_METRICS.includes(metric))
  if (!asked) return undefined
  if (!asksGoal({ dimensions, filters })) return `metrics: ${asked} takes a filter or a dimension event:goal`
  const mixed = filters.flatMap(partsOf).some(part => {
    const kinds = leavesOf(part).map(({ attribute }) => isOfConversion(attribute))
    return kinds.includes(true) && kinds.includes(false)
  })
  if (mixed) return `filters: with ${asked} no "or" and no "not" has event:goal or event:props beside other dimensions`
  return undefined
}

/** The question regardless of goals and properties. What was done in the session still has to be. */
export function regardless(query: Query): Query {
  const isKept = (part: Filter): boolean => !leavesOf(part).some(({ attribute }) => isOfConversion(attribute))
  return {
    ...query,
    metrics: ['visitors'],
    dimensions: query.dimensions.filter(name => !isOfConversion(name)),
    filters: query.filters.flatMap(partsOf).filter(isKept),
  }
}

/** The same across all dimensions; where bots are told apart it is of bots. */
export function ofEverybody(query: Query): Query {
  return { ...regardless(query), dimensions: query.dimensions.filter(name => name === 'event:bot') }
}

/** Values of a row without those of goals and properties. */
export function keptValues({ dimensions }: Query, values: readonly string[]): string[] {
  const names = dimensions.filter(name => !name.startsWith('time:'))
  return values.filter((_, i) => !isOfConversion(names[i] ?? ''))
}

export const asksRevenue = ({ metrics }: Pick<Query, 'metrics'>): boolean =>
  metrics.some(metric => REVENUE_METRICS.includes(metric))

/** Without a goal nothing is worth anything, see {@link asksGoal}. */
export const countable = (metrics: Metric[], ofGoals: boolean): Metric[] =>
  metrics.filter(metric => ofGoals || !REVENUE_METRICS.includes(metric))
