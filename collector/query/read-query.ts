/** From a body to a {@link Query}: everything that can be wrong is found here, and said with what to do. */
import { Compile } from 'typebox/compile'
import type { Site } from '../sites/index.ts'
import { comparedRange } from './comparison.ts'
import { checkConversions } from './conversions.ts'
import { donesOf, type Filter, isEventLeaf, leavesOf, readFilter } from './filter.ts'
import { type Grid, gridOf } from './grid.ts'
import {
  type Dimension,
  EVENT_FIELDS,
  isEventDimension,
  isTimeDimension,
  METRICS,
  type Metric,
  type TimeUnit,
  UNSUPPORTED,
  VISIT_FIELDS,
  VISIT_METRICS,
} from './names.ts'
import { type Fault, MOST_BUCKETS, type Query } from './query.ts'
import { type Range, readRange } from './range.ts'
import { MOST, QueryBody } from './schema.ts'

const isBody = Compile(QueryBody)

export interface Circumstances {
  site: Site
  /** ms since the epoch */
  now: number
  /** when the site's data begins, ms; asked for only where the range is `all` */
  begin(): Promise<number | undefined>
}

const invalid = (detail: string): Fault => ({ code: 'query-invalid', detail })
const unsupported = (detail: string): Fault => ({ code: 'query-unsupported', detail })

export const isFault = (value: Query | Fault): value is Fault => 'code' in value

export async function readQuery(body: unknown, { site, now, begin }: Circumstances): Promise<Query | Fault> {
  const fault = checkShape(body)
  if (fault) return fault
  const asked = body as QueryBody
  const clock = { now, zone: site.timezone }
  const range = readRange(asked.date_range, clock, asked.date_range === 'all' ? await begin() : undefined)
  if (typeof range === 'string') return invalid(`date_range: ${range}`)
  const filters = (asked.filters ?? []).map(readFilter)
  const dimensions = (asked.dimensions ?? []).map(
    name => (name === 'time' ? `time:${unitFor(range)}` : name) as Dimension,
  )
  const wrong = checkParts(asked.metrics as Metric[], dimensions, filters, asked)
  if (wrong) return wrong
  const time = dimensions.find(isTimeDimension)
  const unit = time?.slice(5) as TimeUnit | undefined
  const grid = unit && gridOf(unit, range, site.timezone, now, MOST_BUCKETS)
  if (unit && !grid) {
    const detail = `dimensions: ${time} makes more than ${MOST_BUCKETS} times of this date_range: ask a longer unit`
    return { code: 'query-too-large', detail }
  }
  const order = readOrder(asked, dimensions)
  if (typeof order === 'string') return invalid(order)
  const { include = {}, pagination = {} } = asked
  if (include.time_labels && !time) return invalid('include.time_labels: takes a time dimension')
  const compared = include.comparisons && comparedRange(range, include.comparisons, clock)
  if (typeof compared === 'string') return invalid(`include.comparisons.date_range: ${compared}`)
  return {
    site,
    metrics: asked.metrics as Metric[],
    range,
    grid: grid as Grid | undefined,
    dimensions,
    filters,
    order,
    limit: pagination.limit ?? MOST.rows,
    offset: pagination.offset ?? 0,
    compared,
    include: {
      imports: include.imports === true,
      timeLabels: include.time_labels === true,
      totalRows: include.total_rows === true,
      bots: include.bots === true,
      exact: include.exact === true,
      explain: include.explain === true,
    },
    raw: asked,
  }
}

/** Nesting is looked at first, as the check goes as deep as the body. */
function checkShape(body: unknown): Fault | undefined {
  if (depthOf(body) > MOST.depth * 2 + 5) return invalid(`filters: at most ${MOST.depth} levels of and, or and not`)
  if (isBody.Check(body)) return undefined
  const known = findUnsupported(body)
  if (known) return unsupported(`${known}: ${UNSUPPORTED[known]}`)
  const [error] = isBody.Errors(body)
  const path = error?.instancePath.split('/').slice(1) ?? []
  const [field = '', second = ''] = path
  if (error?.keyword === 'required' && field === '')
    return invalid(`${(error.params as { requiredProperties: string[] }).requiredProperties.join(', ')}: missing`)
  if (error?.keyword === 'boolean') return invalid(`${path.join('.')}: there is no such field`)
  const hint = HINTS[`${field}.${second}`] ?? HINTS[field] ?? error?.message ?? ''
  return invalid(field === '' ? `a JSON object: ${hint}` : `${path.slice(0, 2).join('.')}: ${hint}`)
}

const NAMES = [...Object.keys(VISIT_FIELDS), ...Object.keys(EVENT_FIELDS), 'event:props:<name>'].join(', ')
const HINTS: Record<string, string> = {
  '': 'site_id, metrics, date_range and more',
  site_id: 'the key of a site',
  metrics: `each once, of ${METRICS.join(', ')}`,
  date_range:
    '30m, 6h, 24h, day, 7d (any number), month, 6mo (any number), year, all, or two dates or two times with an offset',
  dimensions: `at most ${MOST.dimensions}, each once, of time, time:minute, time:hour, time:day, time:week, time:month, ${NAMES}`,
  filters:
    '[operator, dimension, [values]] with is, is_not, contains, contains_not (these four may end with {"case_sensitive": false}), ' +
    'matches, matches_not, matches_wildcard or matches_wildcard_not; ["and" or "or", [filters]]; ["not" or "has_done" or ' +
    `"has_not_done", filter]. Dimensions: ${NAMES}`,
  order_by: '[[metric or dimension, "asc" or "desc"]]',
  include: 'imports, time_labels, total_rows, bots, exact, explain: true or false; comparisons',
  'include.comparisons':
    '{"mode": "previous_period" or "year_over_year"} or {"mode": "custom", "date_range": […, …]}; with "match_day_of_week": true',
  pagination: `limit: 1 to ${MOST.rows}, offset: from 0`,
}

export function depthOf(body: unknown): number {
  const open: [value: unknown, depth: number][] = [[body, 1]]
  let deepest = 0
  for (let next = open.pop(); next; next = open.pop()) {
    const [value, depth] = next
    if (typeof value !== 'object' || value === null) continue
    deepest = Math.max(deepest, depth)
    // Deep enough to be refused.
    if (deepest > 100) return deepest
    for (const inner of Object.values(value)) open.push([inner, depth + 1])
  }
  return deepest
}

/** The first name of Plausible's that is not answered here, in metrics, dimensions and filters. */
function findUnsupported(body: unknown): string | undefined {
  const { metrics, dimensions, filters } = (body ?? {}) as Record<string, unknown>
  const open: unknown[] = [metrics, dimensions, filters]
  for (let next = open.shift(); open.length > 0 || next !== undefined; next = open.shift()) {
    if (typeof next === 'string' && Object.hasOwn(UNSUPPORTED, next)) return next
    if (!Array.isArray(next)) continue
    // Of a filter the second: a value may be called like a dimension.
    const isLeaf = typeof next[0] === 'string' && typeof next[1] === 'string' && Array.isArray(next[2])
    open.push(...(isLeaf ? [next[1]] : next))
  }
  return undefined
}

/** What of metrics, dimensions and filters does not go together. */
function checkParts(metrics: Metric[], dimensions: Dimension[], filters: Filter[], body: QueryBody): Fault | undefined {
  if (dimensions.filter(isTimeDimension).length > 1) return invalid('dimensions: one of time')
  if (new Set(dimensions).size < dimensions.length) return invalid('dimensions: each once')
  if (metrics.includes('percentage') && dimensions.length === 0)
    return invalid('metrics: percentage takes a dimension, of whose values it is the share')
  const eventDimension = dimensions.find(isEventDimension)
  const visitMetric = metrics.find(metric => VISIT_METRICS.includes(metric))
  if (eventDimension && visitMetric)
    return invalid(`metrics: ${visitMetric} is of whole visits and does not go with the dimension ${eventDimension}`)
  const conversions = checkConversions(metrics, dimensions, filters)
  if (conversions) return invalid(conversions)
  const dones = checkDones(filters)
  if (dones) return invalid(`filters: ${dones}`)
  const { comparisons } = body.include ?? {}
  if (comparisons && (comparisons.mode === 'custom') !== (comparisons.date_range !== undefined))
    return invalid('include.comparisons: date_range goes with the mode custom')
  return undefined
}

export function checkDones(filters: readonly Filter[]): string | undefined {
  for (const done of filters.flatMap(donesOf)) {
    const of = done.kind === 'done' ? done.of : done
    if (donesOf(of).length > 0) return 'has_done and has_not_done do not nest'
    if (!leavesOf(of).every(isEventLeaf)) return 'has_done and has_not_done take event dimensions'
  }
  return undefined
}

function readOrder(body: QueryBody, dimensions: Dimension[]): Query['order'] | string {
  const time = dimensions.find(isTimeDimension)
  const metrics = body.metrics as Metric[]
  const [first = 'visitors'] = metrics
  if (!body.order_by || body.order_by.length === 0) return [...(time ? [[time, 1] as [Dimension, 1]] : []), [first, -1]]
  const order: Query['order'] = []
  for (const [by, direction] of body.order_by as [Metric | Dimension | 'time', string][]) {
    const name = by === 'time' && time ? time : by
    if (name === 'time' || !([...metrics, ...dimensions] as string[]).includes(name))
      return `order_by: ${by} is not among the metrics and dimensions that are asked for`
    order.push([name, direction === 'asc' ? 1 : -1])
  }
  return order
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** What `time` stands for: some dozen buckets. */
function unitFor({ from, to }: Range): TimeUnit {
  const length = to - from
  if (length <= 2 * HOUR) return 'minute'
  if (length <= 49 * HOUR) return 'hour'
  if (length <= 41 * DAY) return 'day'
  return length <= 120 * DAY ? 'week' : 'month'
}
