/** From a {@link Query} to its answer: taken apart into asks, put to the engines, put together. */
import { changeOf } from './comparison.ts'
import { asksGoal, asksRevenue, countable, keptValues, ofEverybody, regardless } from './conversions.ts'
import {
  type Ask,
  askFirst,
  type Engine,
  type Explained,
  type Measure,
  type Page,
  type Reads,
  type Row,
  type Rows,
  rowKey,
} from './engine.ts'
import { donesOf, isEventLeaf, type Leaf, leavesOf } from './filter.ts'
import { gridOf } from './grid.ts'
import { type Dimension, isEventDimension, isTimeDimension, type Metric, REVENUE_METRICS } from './names.ts'
import { isQuotient, MEASURES, metricOf, pageOf, SHARES } from './order.ts'
import { MOST_BUCKETS, type Query, QueryError } from './query.ts'
import { warningsOf } from './revenue.ts'
import { type Meta, MOST, type QueryAnswer, type ResultRow, SOURCES } from './schema.ts'

export interface Answering {
  /** the cheapest first; the last answers everything */
  engines: readonly Engine[]
  /** ms since the epoch, as the query was read */
  now: number
  reads: Reads
}

/** What the same question of anybody is answered, as long as nothing of it is counted. */
export type Answered = Pick<QueryAnswer, 'results'> &
  Pick<Meta, 'source' | 'exact' | 'error' | 'sample' | 'pending' | 'total_rows' | 'metric_warnings' | 'explain'>

export async function answerQuery(query: Query, answering: Answering): Promise<Answered> {
  const used: Rows[] = []
  const explain: Explained[] = []
  const ask = async (one: Ask): Promise<Rows> => {
    const { rows, explained } = await askFirst(answering.engines, one, answering.reads)
    used.push(rows)
    explain.push(explained)
    return rows
  }
  const { rows, total } = await readRows(query, ask)
  const wholes = await readWholes(query, ask)
  const results = rows.map(row => toResult(query, row, wholes))
  await compare(query, rows, results, answering.now, ask)
  const warnings = asksRevenue(query)
    ? warningsOf(
        query.metrics.filter(one => REVENUE_METRICS.includes(one)),
        rows,
      )
    : undefined
  const errors = used.flatMap(({ error }) => error ?? [])
  const sample = used.find(one => one.sample !== undefined)?.sample
  // Of a share, its part and its whole.
  const isShare = query.metrics.some(metric => metric === 'percentage' || (sample !== undefined && isQuotient(metric)))
  const error = (isShare ? 2 : 1) * Math.max(0, ...errors)
  const pending = Math.max(0, ...used.map(({ pending = 0 }) => pending))
  return {
    results,
    // The rawest.
    source: SOURCES[Math.max(...used.map(({ source }) => SOURCES.indexOf(source)))] ?? 'events',
    exact: error === 0 && pending === 0 && sample === undefined,
    ...(error > 0 && { error }),
    ...(sample !== undefined && { sample }),
    ...(pending > 0 && { pending }),
    ...(total !== undefined && { total_rows: total }),
    ...(warnings && { metric_warnings: warnings }),
    ...(query.include.explain && { explain }),
  }
}

/**
 * What a question asks of: events with attributes of their own, in dimensions or filters; or else visits, where it has
 * dimensions, filters or metrics of visits; or else, for `events` and `pageviews`, just the events of the range.
 */
function asksOf(query: Query): Ask[] {
  const { site, range, grid, dimensions, filters, include } = query
  const counted = countable(query.metrics, asksGoal(query))
  // Where nothing can be counted there are rows nevertheless: those of visits.
  const metrics: Metric[] = counted.length > 0 ? counted : ['visits']
  const leaves = filters.flatMap(leavesOf)
  const hasDone = filters.flatMap(donesOf).length > 0
  const kinds = [
    ...dimensions.filter(isEventDimension),
    ...leaves.filter(isEventLeaf).map(({ attribute }) => attribute),
  ]
  const bots = kinds.includes('event:bot') ? 'only' : include.bots ? 'all' : 'none'
  const measuresOf = (some: Metric[]): Measure[] => [...new Set(some.flatMap(metric => MEASURES[metric]))]
  const base = { site, range, grid, dimensions, filters, bots, exact: include.exact, pagesOnly: false } as const
  if (kinds.length > 0) {
    const pagesOnly = kinds.every(isPage) && dimensions.some(isPage)
    return [{ ...base, over: 'matches', measures: measuresOf(metrics), pagesOnly }]
  }
  const isPlain = leaves.length === 0 && !hasDone && dimensions.every(isTimeDimension)
  if (!isPlain) return [{ ...base, over: 'visits', measures: measuresOf(metrics) }]
  const ofEvents: Metric[] = metrics.filter(metric => metric === 'events' || metric === 'pageviews')
  const ofVisits = metrics.filter(metric => !ofEvents.includes(metric))
  return [
    ...(ofEvents.length > 0 ? [{ ...base, over: 'events', measures: measuresOf(ofEvents) } as const] : []),
    ...(ofVisits.length > 0 ? [{ ...base, over: 'visits', measures: measuresOf(ofVisits) } as const] : []),
  ]
}

const isPage = (name: Leaf['attribute'] | Dimension): boolean => name === 'event:page' || name === 'event:hostname'

type Asking = (one: Ask) => Promise<Rows>

async function readRows(query: Query, ask: Asking): Promise<Pick<Rows, 'rows' | 'total'>> {
  const { dimensions, order, limit, offset, include, grid, compared } = query
  const page = { order, limit, offset, total: include.totalRows }
  const asks = asksOf(query)
  const [only] = asks
  if (only && !dimensions.every(isTimeDimension)) {
    if (order.some(([by]) => by === 'group_conversion_rate')) return await readAndOrder(query, only, page, ask)
    const { rows, total } = await ask({ ...only, page })
    await addEverybody(query, rows, ask)
    return { rows, ...(total !== undefined && { total }) }
  }
  const merged = new Map<number, Row>()
  // Without dimensions there is always a row; a comparison shows also where nothing was.
  const filled = grid ? (compared ? [...grid.starts.keys()] : []) : [0]
  for (const bucket of filled) merged.set(bucket, { values: [], bucket, counts: {} })
  for (const one of asks) {
    for (const row of (await ask(one)).rows) {
      merged.set(row.bucket, { ...row, counts: { ...merged.get(row.bucket)?.counts, ...row.counts } })
    }
  }
  const rows = [...merged.values()]
  await addEverybody(query, rows, ask)
  return pageOf(rows, dimensions, page)
}

/** Where the order is known only once all rows are: they have to be few enough to hold. */
async function readAndOrder(query: Query, only: Ask, page: Page, ask: Asking): Promise<Pick<Rows, 'rows' | 'total'>> {
  const { rows } = await ask({ ...only, page: { order: [], limit: MOST.rows + 1, offset: 0, total: false } })
  if (rows.length > MOST.rows) {
    const detail = `order_by: group_conversion_rate orders at most ${MOST.rows} rows: ask fewer, or order by another metric`
    throw new QueryError({ code: 'query-too-large', detail })
  }
  await addEverybody(query, rows, ask)
  return pageOf(rows, query.dimensions, page)
}

/** Tells rows how many visitors there were in the same group regardless of goals. */
async function addEverybody(query: Query, rows: Row[], ask: Asking): Promise<void> {
  if (!query.metrics.includes('group_conversion_rate')) return
  const keyOf = ({ values, bucket }: Row): string => rowKey({ values: keptValues(query, values), bucket })
  const wanted = new Set(rows.map(keyOf))
  const visitors = new Map<string, number>()
  for (const one of asksOf(regardless(query))) {
    for (const row of (await ask({ ...one, wanted })).rows) visitors.set(rowKey(row), row.counts.visitors ?? 0)
  }
  for (const row of rows) row.everybody = visitors.get(keyOf(row)) ?? 0
}

/** Visitors of which metrics are a share: those of the same question without dimensions, or regardless of goals, too. */
async function readWholes(query: Query, ask: Asking): Promise<Partial<Record<Metric, number>>> {
  const wholes: Partial<Record<Metric, number>> = {}
  for (const metric of SHARES) {
    if (!query.metrics.includes(metric)) continue
    const asked = metric === 'percentage' ? query : ofEverybody(query)
    const [only] = asksOf({ ...asked, metrics: ['visitors'] })
    if (!only) continue
    const { rows } = await ask({ ...only, dimensions: [], grid: undefined })
    wholes[metric] = rows[0]?.counts.visitors ?? 0
  }
  return wholes
}

function toResult({ metrics, dimensions, grid }: Query, row: Row, wholes: Partial<Record<Metric, number>>): ResultRow {
  const values = [...row.values]
  return {
    metrics: metrics.map(metric => metricOf(metric, row, wholes)),
    dimensions: dimensions.map(name => (isTimeDimension(name) ? grid?.labels[row.bucket] : values.shift()) ?? ''),
  }
}

/** Adds to each row what it was in the earlier range: the same values, and of times the one of the same place. */
async function compare(
  query: Query,
  rows: Row[],
  results: ResultRow[],
  now: number,
  ask: (one: Ask) => Promise<Rows>,
): Promise<void> {
  const { site, metrics, grid, compared: range } = query
  if (!range) return
  const earlierGrid = grid && gridOf(grid.unit, range, site.timezone, now, MOST_BUCKETS)
  const earlier: Query = { ...query, range, grid: earlierGrid }
  const held = new Map<string, Row>()
  const wanted = new Set(rows.map(rowKey))
  for (const one of asksOf(earlier)) {
    for (const row of (await ask({ ...one, wanted })).rows)
      held.set(rowKey(row), { ...row, counts: { ...held.get(rowKey(row))?.counts, ...row.counts } })
  }
  for (const { values, bucket } of rows) {
    const key = rowKey({ values, bucket })
    if (!held.has(key)) held.set(key, { values, bucket, counts: {} })
  }
  await addEverybody(earlier, [...held.values()], ask)
  const wholes = await readWholes(earlier, ask)
  for (const [i, row] of rows.entries()) {
    const result = results[i]
    if (!result) continue
    const hadTime = !grid || row.bucket < (earlierGrid?.starts.length ?? 0)
    const before = toResult(earlier, held.get(rowKey(row)) ?? row, wholes)
    const values = hadTime ? before.metrics : metrics.map(() => null)
    const change = metrics.map((metric, m) => changeOf(metric, values[m] ?? null, result.metrics[m] ?? null))
    result.comparison = { dimensions: before.dimensions, metrics: values, change }
  }
}
