/** From the body of an analysis to what is computed: everything that can be wrong is found here, and said with what to do. */
import { Compile } from 'typebox/compile'
import type { Site } from '../../sites/index.ts'
import { donesOf, type Filter, isEventLeaf, leavesOf, readFilter } from '../filter.ts'
import { type Grid, gridOf } from '../grid.ts'
import type { EventDimension, VisitDimension } from '../names.ts'
import { type Fault, QueryError } from '../query.ts'
import { readRange } from '../range.ts'
import { checkDones, depthOf } from '../read-query.ts'
import { MOST } from '../schema.ts'
import { attribution } from './attribution.ts'
import { ctr } from './ctr.ts'
import { funnel } from './funnel.ts'
import { journeys } from './journeys.ts'
import type { Asked, Reading } from './reading.ts'
import { retention } from './retention.ts'
import {
  ANALYSES,
  type Analysis,
  type AttributionBody,
  type CtrBody,
  type FunnelBody,
  type JourneysBody,
  type Results,
  type RetentionBody,
} from './schema.ts'

const DAY = 86_400_000
/** Periods of one retention. */
const MOST_PERIODS = 120
const ROWS = 100

const CHECKS = Object.fromEntries(
  Object.entries(ANALYSES).map(([name, { body }]) => [name, Compile(body)]),
) as unknown as Record<Analysis, ReturnType<typeof Compile>>

export interface Read<A extends Analysis> {
  asked: Asked
  /** when the site's data begins, ms, where that was asked for */
  begin: number | undefined
  run(reading: Reading): Promise<Results<A>>
}

export interface Circumstances {
  site: Site
  /** ms since the epoch */
  now: number
  /** when the site's data begins, ms; asked for only where the range is `all` */
  begin(): Promise<number | undefined>
}

const invalid = (detail: string): never => {
  throw new QueryError({ code: 'query-invalid', detail })
}

/** @throws QueryError */
export async function readBody<A extends Analysis>(
  analysis: A,
  body: unknown,
  { site, now, begin }: Circumstances,
): Promise<Read<A>> {
  const fault = checkShape(analysis, body)
  if (fault) throw new QueryError(fault)
  const { date_range, filters = [], include } = body as FunnelBody
  const clock = { now, zone: site.timezone }
  const begun = date_range === 'all' ? await begin() : undefined
  const range = readRange(date_range, clock, begun)
  if (typeof range === 'string') return invalid(`date_range: ${range}`)
  const asked: Asked = { site, range, bots: include?.bots ? 'all' : 'none', filters: filtersOf(filters, 'filters') }
  const grid = analysis === 'retention' ? periodsOf(body as RetentionBody, asked, now) : undefined
  const run = runOf(analysis, body, asked, grid) as (reading: Reading) => Promise<Results<A>>
  return { asked, begin: begun, run }
}

function runOf(analysis: Analysis, body: unknown, asked: Asked, grid: Grid | undefined) {
  switch (analysis) {
    case 'funnel': {
      const { steps, by = 'session', window_seconds } = body as FunnelBody
      const window = window_seconds === undefined ? Number.POSITIVE_INFINITY : window_seconds * 1_000
      const read = steps.map(({ name, filters }, i) => ({
        name: name ?? `Step ${i + 1}`,
        filters: filtersOf(filters, `steps.${i}.filters`),
      }))
      for (const { filters } of read)
        if (filters.flatMap(donesOf).length > 0) return invalid('steps: has_done and has_not_done go into filters')
      return (reading: Reading) => funnel({ steps: read, by: by === 'visitor' ? by : 'session', window }, reading)
    }
    case 'attribution': {
      const asks = body as AttributionBody
      const { goal, dimension = 'visit:source', lookback_days = 30, half_life_days = 7, limit = ROWS } = asks
      if (asked.site.goals && !asked.site.goals.some(({ name }) => name === goal))
        return invalid(`goal: the site has no goal of the name ${JSON.stringify(goal)}`)
      const model = asks.model as Parameters<typeof attribution>[0]['model']
      const times = { lookback: lookback_days * DAY, halfLife: half_life_days * DAY }
      const told = dimension as VisitDimension
      return (reading: Reading) => attribution({ goal, model, dimension: told, limit, ...times }, reading)
    }
    case 'retention': {
      if (asked.filters.flatMap(leavesOf).some(isEventLeaf))
        return invalid('filters: of visits, and has_done of events: it is visits that are looked at')
      if (!grid) throw new Error('retention takes periods')
      return (reading: Reading) => retention(grid, reading)
    }
    case 'ctr': {
      const { dimension, impression = 'impression', click = 'click', limit = ROWS } = body as CtrBody
      return (reading: Reading) => ctr({ dimension: dimension as EventDimension, impression, click, limit }, reading)
    }
    case 'journeys': {
      const { page, direction = 'next', limit = ROWS } = body as JourneysBody
      const way = direction === 'previous' ? direction : 'next'
      return (reading: Reading) => journeys({ page, direction: way, limit }, reading)
    }
  }
}

function periodsOf({ period = 'week' }: RetentionBody, { range, site }: Asked, now: number): Grid {
  const grid = gridOf(period as 'week', range, site.timezone, now, MOST_PERIODS)
  if (grid) return grid
  const detail = `period: more than ${MOST_PERIODS} of this date_range: ask longer ones`
  throw new QueryError({ code: 'query-too-large', detail })
}

function filtersOf(raw: readonly unknown[], field: string): Filter[] {
  const filters = raw.map(readFilter)
  const wrong = checkDones(filters)
  if (wrong) return invalid(`${field}: ${wrong}`)
  return filters
}

function checkShape(analysis: Analysis, body: unknown): Fault | undefined {
  const code = 'query-invalid'
  if (depthOf(body) > MOST.depth * 2 + 7)
    return { code, detail: `filters: at most ${MOST.depth} levels of and, or and not` }
  const check = CHECKS[analysis]
  if (check.Check(body)) return undefined
  const [error] = check.Errors(body)
  const path = error?.instancePath.split('/').slice(1).join('.') ?? ''
  if (error?.keyword === 'required') {
    const { requiredProperties = [] } = error.params as { requiredProperties?: string[] }
    return { code, detail: `${[path, requiredProperties.join(', ')].filter(Boolean).join('.')}: missing` }
  }
  if (error?.keyword === 'boolean') return { code, detail: `${path}: there is no such field` }
  return { code, detail: `${path || 'a JSON object'}: ${error?.message ?? 'not as described'}` }
}
