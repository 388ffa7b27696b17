/** From a {@link Query} to its answer: taken apart into asks, put to the engines, put together. */
import { changeOf, comparedRange } from './comparison.ts'
import { type Ask, askFirst, type Engine, type Measure, type Row, type Rows, rowKey } from './engine.ts'
import { donesOf, isEventLeaf, type Leaf, leavesOf } from './filter.ts'
import { gridOf } from './grid.ts'
import { type Dimension, isEventDimension, isTimeDimension, type Metric } from './names.ts'
import { MEASURES, metricOf, pageOf } from './order.ts'
import { MOST_BUCKETS, type Query, QueryError } from './query.ts'
import { rangeText } from './range.ts'
import { type Meta, type QueryAnswer, type ResultRow, SOURCES } from './schema.ts'

export interface Answering {
  /** the cheapest first; the last answers everything */
  engines: readonly Engine[]
  /** ms since the epoch, as the query was read */
  now: number
  /** aborts when nobody waits for the answer any more */
  signal: AbortSignal
}

type Answered = Pick<QueryAnswer, 'results'> &
  Pick<Meta, 'source' | 'exact' | 'error' | 'pending' | 'total_rows'> & {
    compared?: [string, string]
  }

export async function answerQuery(query: Query, answering: Answering): Promise<Answered> {
  const used: Rows[] = []
  const ask = async (one: Ask): Promise<Rows> => {
    const rows = await askFirst(answering.engines, one, answering.signal)
    used.push(rows)
    return rows
  }
  const { rows, total } = await readRows(query, ask)
  const allVisitors = await readAllVisitors(query, ask)
  const results = rows.map(row => toResult(query, row, allVisitors))
  const compared = await compare(query, rows, results, answering.now, ask)
  const errors = used.flatMap(({ error }) => error ?? [])
  // Of a share, its part and its whole.
  const error = (query.metrics.includes('percentage') ? 2 : 1) * Math.max(0, ...errors)
  const pending = Math.max(0, ...used.map(({ pending = 0 }) => pending))
  return {
    results,
    // The rawest.
    source: SOURCES[Math.max(...used.map(({ source }) => SOURCES.indexOf(source)))] ?? 'events',
    exact: error === 0 && pending === 0,
    ...(error > 0 && { error }),
    ...(pending > 0 && { pending }),
    ...(total !== undefined && { total_rows: total }),
    ...(compared && { compared }),
  }
}

/**
 * What a question asks of: events with attributes of their own, in dimensions or filters; or else visits, where it has
 * dimensions, filters or metrics of visits; or else, for `events` and `pageviews`, just the events of the range.
 */
function asksOf({ site, range, grid, dimensions, filters, metrics, include }: Query): Ask[] {
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

async function readRows(query: Query, ask: (one: Ask) => Promise<Rows>): Promise<Pick<Rows, 'rows' | 'total'>> {
  const { dimensions, order, limit, offset, include, grid } = query
  const page = { order, limit, offset, total: include.totalRows }
  const asks = asksOf(query)
  const [only] = asks
  if (only && !dimensions.every(isTimeDimension)) return await ask({ ...only, page })
  const merged = new Map<number, Row>()
  // Without dimensions there is always a row; a comparison shows also where nothing was.
  const filled = grid ? (include.comparisons ? [...grid.starts.keys()] : []) : [0]
  for (const bucket of filled) merged.set(bucket, { values: [], bucket, counts: {} })
  for (const one of asks) {
    for (const { bucket, counts } of (await ask(one)).rows) {
      merged.set(bucket, { values: [], bucket, counts: { ...merged.get(bucket)?.counts, ...counts } })
    }
  }
  return pageOf([...merged.values()], dimensions, page)
}

/** Of a percentage the whole: visitors of the same question without dimensions. */
async function readAllVisitors(query: Query, ask: (one: Ask) => Promise<Rows>): Promise<number> {
  const [only] = query.metrics.includes('percentage') ? asksOf({ ...query, metrics: ['visitors'] }) : []
  if (!only) return 0
  const { rows } = await ask({ ...only, dimensions: [], grid: undefined })
  return rows[0]?.counts.visitors ?? 0
}

function toResult({ metrics, dimensions, grid }: Query, row: Row, allVisitors: number): ResultRow {
  const values = [...row.values]
  return {
    metrics: metrics.map(metric => metricOf(metric, row, allVisitors)),
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
): Promise<[string, string] | undefined> {
  const { site, metrics, include, grid } = query
  if (!include.comparisons) return undefined
  const range = comparedRange(query.range, include.comparisons, { now, zone: site.timezone })
  if (typeof range === 'string')
    throw new QueryError({ code: 'query-invalid', detail: `include.comparisons.date_range: ${range}` })
  const earlierGrid = grid && gridOf(grid.unit, range, site.timezone, now, MOST_BUCKETS)
  const earlier: Query = { ...query, range, grid: earlierGrid }
  const counts = new Map<string, Row['counts']>()
  const wanted = new Set(rows.map(rowKey))
  for (const one of asksOf(earlier)) {
    for (const row of (await ask({ ...one, wanted })).rows)
      counts.set(rowKey(row), { ...counts.get(rowKey(row)), ...row.counts })
  }
  const allVisitors = await readAllVisitors(earlier, ask)
  for (const [i, row] of rows.entries()) {
    const result = results[i]
    if (!result) continue
    const hadTime = !grid || row.bucket < (earlierGrid?.starts.length ?? 0)
    const before = toResult(earlier, { ...row, counts: counts.get(rowKey(row)) ?? {} }, allVisitors)
    const values = hadTime ? before.metrics : metrics.map(() => null)
    const change = metrics.map((metric, m) => changeOf(metric, values[m] ?? null, result.metrics[m] ?? null))
    result.comparison = { dimensions: before.dimensions, metrics: values, change }
  }
  return rangeText(range, site.timezone)
}
