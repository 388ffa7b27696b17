/** The questions of one screen, as bodies of `POST /api/v2/query`. */
import type { QueryBody } from '../../query/schema.ts'
import { addDays, type Day } from './dates.ts'
import { askedOf, type Metric } from './metrics.ts'
import { attributeOf, type Filter, filterOf, RANGES, type Shown, type Unit } from './params.ts'

export interface Asking {
  site: string
  shown: Shown
  /** names of the site's goals */
  goals: readonly string[]
}

/** What of a question the range and the filters make. */
function base({ site, shown }: Asking) {
  const { range, filters, bots } = shown
  return {
    site_id: site,
    date_range: Object.hasOwn(RANGES, range) ? RANGES[range as keyof typeof RANGES] : range.split('..'),
    filters: filters.map(filterOf),
    include: bots ? { bots } : {},
  }
}

/** Conversions are those of the goals that are filtered by, or else of all. */
function ofGoals(asking: Asking) {
  const { filters, ...rest } = base(asking)
  const asks = asking.shown.filters.some(({ dim }) => dim === 'goal')
  return { ...rest, filters: asks ? filters : [...filters, ['is', 'event:goal', [...asking.goals]]] }
}

const of = (asking: Asking, what: Metric['of']) => (what === 'goals' ? ofGoals(asking) : base(asking))

const MODES = { previous: 'previous_period', year: 'year_over_year' } as const

/** With what the range is compared; all of the site's time has nothing before it. */
function compared({ compare, range }: Shown) {
  return compare === 'none' || range === 'all' ? {} : { comparisons: { mode: MODES[compare] } }
}

const body = (question: object) => question as QueryBody

export function totals(asking: Asking, what: Metric['of'] = 'all'): QueryBody {
  const { include, ...rest } = of(asking, what)
  return body({ ...rest, metrics: askedOf(what), include: { ...include, ...compared(asking.shown) } })
}

/** All metrics at once, so that another one shows without asking. */
export function course(asking: Asking, what: Metric['of'], unit: Unit | null): QueryBody {
  const { include, ...rest } = of(asking, what)
  return body({
    ...rest,
    metrics: askedOf(what),
    dimensions: [unit ? `time:${unit}` : 'time'],
    include: { ...include, time_labels: true, ...compared(asking.shown) },
  })
}

/** What came before today: with what the live stream says of today it is the range. */
export const past = (asking: Asking, first: Day, today: Day): QueryBody =>
  body({ ...base(asking), metrics: askedOf('all'), date_range: [first, addDays(today, -1)] })

export interface Listing {
  dim: string
  metrics: readonly string[]
  limit: number
  offset?: number
  /** only values that contain this */
  search?: string
  order?: readonly [by: string, direction: 'asc' | 'desc']
  total?: boolean
}

export function list(asking: Asking, { dim, metrics, limit, offset = 0, search, order, total }: Listing): QueryBody {
  const { filters, include, ...rest } = base(asking)
  const name = attributeOf(dim) ?? dim
  return body({
    ...rest,
    metrics,
    dimensions: [name],
    filters: search ? [...filters, ['contains', name, [search], { case_sensitive: false }]] : filters,
    order_by: [order ?? [metrics[0], 'desc']],
    include: total ? { ...include, total_rows: true } : include,
    pagination: { limit, offset },
  })
}

/** How many events bots made, by what gave them away. */
export const bots = (asking: Asking): QueryBody =>
  list(asking, { dim: 'bot', metrics: ['events'], limit: 8, total: true })

export const isPlain = (filters: readonly Filter[], bots: boolean) => filters.length === 0 && !bots
