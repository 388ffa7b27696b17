/**
 * The scan: answers every ask exactly, by adding up sessions and events inside MongoDB. Its memory is bounded: stages that
 * hold much use the disk, rows are sorted and paged there, and nothing is cut.
 */
import type { AggregateOptions, Db, Document } from 'mongodb'
import type { Ask, Engine, Measure, Page, Row, Rows } from './engine.ts'
import { rowKey } from './engine.ts'
import { donesOf, type Filter } from './filter.ts'
import type { Join } from './join-sessions.ts'
import { isTimeDimension, type Metric } from './names.ts'
import { RATIOS, SHARES } from './order.ts'
import { QueryError } from './query.ts'
import { reading } from './reading.ts'
import { doneEvents, matchesPipeline, sumsOfEvents } from './scan-events.ts'
import { visitsPipeline } from './scan-visits.ts'

/** Sessions that a `has_done` may hold. */
const MOST_DONE = 100_000
/** A document that is larger than 16 MB, or a list in memory larger than 100. */
const TOO_LARGE: unknown[] = [10_334, 146]

export function createScan(db: Db): Engine {
  return {
    name: 'scan',
    async answer(ask, { signal }) {
      const options = { allowDiskUse: true, readConcern: { level: 'majority' }, ...reading(signal) } as const
      const done = await findDone(db, ask, options)
      try {
        return await run(db, ask, await pipelineOf(db, ask, done, 'union', options), options)
      } catch (error) {
        // Of one session there is more than a document takes.
        if (!TOO_LARGE.includes((error as { code?: unknown }).code)) throw error
        return await run(db, ask, await pipelineOf(db, ask, done, 'lookup', options), options)
      }
    },
  }
}

async function run(db: Db, ask: Ask, { collection, stages }: Pipeline, options: AggregateOptions): Promise<Rows> {
  const endedBy = (last: Document[]) => db.collection(collection).aggregate([...stages, ...last], options)
  const rows: Row[] = []
  for await (const document of endedBy(ask.page ? pageStages(ask, ask.page) : [])) {
    const row = toRow(document, ask)
    if (!ask.wanted || ask.wanted.has(rowKey(row))) rows.push(row)
  }
  return { rows, source: ask.over === 'visits' ? 'sessions' : 'events', ...(await countAll(ask, rows, endedBy)) }
}

/** What was asked whether it is done, and the ids of the sessions in which it was. */
export type Done = ReadonlyMap<Filter, string[]>

async function findDone(db: Db, ask: Ask, options: AggregateOptions): Promise<Done> {
  const found = new Map<Filter, string[]>()
  for (const filter of ask.filters.flatMap(donesOf)) {
    if (filter.kind !== 'done') continue
    const ids: string[] = []
    const stages = [...doneEvents(ask, filter.of), { $limit: MOST_DONE + 1 }]
    for await (const { _id } of db.collection('events').aggregate(stages, options)) ids.push(_id)
    if (ids.length > MOST_DONE) {
      const detail = `filters: has_done holds for more than ${MOST_DONE} sessions: ask a shorter date_range`
      throw new QueryError({ code: 'query-too-large', detail })
    }
    found.set(filter, ids)
  }
  return found
}

interface Pipeline {
  collection: string
  stages: Document[]
}

async function pipelineOf(db: Db, ask: Ask, done: Done, join: Join, options: AggregateOptions): Promise<Pipeline> {
  if (ask.over === 'visits') return { collection: 'sessions', stages: visitsPipeline(ask, done) }
  if (ask.over === 'events') return { collection: 'events', stages: sumsOfEvents(ask) }
  // Sessions of other visitors are one visit each, and need not be looked up to be counted.
  const { from, to } = ask.range
  const day = 26 * 3_600_000
  const cookieless = await db.collection('sessions').findOne(
    {
      site: ask.site.key,
      'visits.start': { $exists: true, $gte: new Date(from - day), $lt: new Date(to) },
    },
    { ...options, projection: { _id: 1 } },
  )
  return { collection: 'events', stages: matchesPipeline(ask, done, cookieless !== null, join) }
}

/** Sorts by the metrics before they are rounded, then by the values of all dimensions. */
function pageStages({ dimensions }: Ask, { order, limit, offset }: Page): Document[] {
  const values = dimensions.filter(name => !isTimeDimension(name))
  const sort: Record<string, 1 | -1> = {}
  const weights: Document = {}
  for (const [name, direction] of [...order, ...dimensions.map(dimension => [dimension, 1] as const)]) {
    const place = values.indexOf(name as (typeof values)[number])
    if (place >= 0) sort[`_id.d${place}`] ??= direction
    else if (isTimeDimension(name)) sort['_id.b'] ??= direction
    else {
      weights[`w_${name}`] = weightExpression(name as Metric)
      sort[`w_${name}`] ??= direction
    }
  }
  return [
    ...(Object.keys(weights).length > 0 ? [{ $set: weights }] : []),
    { $sort: sort },
    ...(offset > 0 ? [{ $skip: offset }] : []),
    { $limit: limit },
  ]
}

function weightExpression(metric: Metric): Document | string {
  if (metric === 'total_revenue' || metric === 'average_revenue') {
    const isOne = { $and: [{ $gt: ['$paid', 0] }, { $eq: ['$lowest', '$highest'] }] }
    const amount = metric === 'total_revenue' ? '$revenue' : { $divide: ['$revenue', '$paid'] }
    return { $cond: [isOne, amount, null] }
  }
  const ratio = RATIOS[metric]
  if (!ratio) return `$${SHARES.includes(metric) ? 'visitors' : metric}`
  const none = metric === 'visit_duration' ? null : 0
  return { $cond: [{ $gt: ['$visits', 0] }, { $divide: [`$${ratio}`, '$visits'] }, none] }
}

function toRow(document: Document, { dimensions, measures }: Ask): Row {
  const { _id } = document as { _id: Record<string, unknown> | null }
  const values = dimensions.filter(name => !isTimeDimension(name)).map((_, i) => String(_id?.[`d${i}`]))
  const counts: Partial<Record<Measure, number>> = {}
  for (const measure of measures) counts[measure] = Number(document[measure] ?? 0)
  const row: Row = { values, bucket: Number(_id?.b ?? 0), counts }
  if (counts.paid) row.currency = document.lowest === document.highest ? String(document.lowest) : null
  return row
}

async function countAll(
  { page }: Ask,
  rows: Row[],
  run: (last: Document[]) => AsyncIterable<Document>,
): Promise<Pick<Rows, 'total'>> {
  if (!page?.total) return {}
  const isLast = rows.length < page.limit && (rows.length > 0 || page.offset === 0)
  if (isLast) return { total: page.offset + rows.length }
  for await (const { n } of run([{ $count: 'n' }])) return { total: Number(n) }
  return { total: 0 }
}
