/** What hours answer and what they leave to the scan; that what they answer is right, `random.test.ts` says. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { HOUR_COUNTERS } from '../../collector/journal/index.ts'
import { createHours } from '../../collector/query/hours.ts'
import { createQueries, type Queries, type QueryAnswer } from '../../collector/query/index.ts'
import { packRows } from '../../collector/rollup/columns.ts'
import { type RollupDocument, readHours, TooManyHours } from '../../collector/rollup/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { makeEvents, record } from './recorded.ts'

const DAY = 86_400_000
const FIRST = Date.parse('2026-10-23T00:00:00Z')
const LAST = FIRST + 5 * DAY
const NOW = LAST + DAY / 2

let database: FreshDatabase
let now = NOW
let quick: Queries
let slow: Queries
beforeAll(async () => {
  database = await freshDatabase()
  const { client, db } = database
  const site = { key: 'shop', timezone: 'Europe/Berlin', from: FIRST, to: LAST }
  await record(db, [makeEvents(site, 5)], () => 'Europe/Berlin')
  quick = createQueries({ client, db, clock: () => now, engines: [createHours(db, () => now)] })
  slow = createQueries({ client, db, clock: () => now, engines: [] })
})
afterAll(() => database.drop())
beforeEach(() => {
  now = NOW
})

const SITE = { key: 'shop', timezone: 'Europe/Berlin', domain: 'shop.example', consent: 'none' as const }
const put = async (queries: Queries, query: object, site = SITE): Promise<QueryAnswer> => {
  const body = { site_id: 'shop', metrics: ['visits'], date_range: ['2026-10-23', '2026-10-27'], ...query }
  const answer = await queries.ask(body, site, AbortSignal.timeout(20_000))
  if ('code' in answer) throw new Error(answer.detail)
  return answer
}
/** Where the answer comes from, and that it is the scan's. */
const sourceOf = async (query: object, site = SITE): Promise<string> => {
  const answer = await put(quick, query, site)
  const { results } = await put(slow, query, site)
  expect(answer.results).toEqual(results)
  return answer.meta.source
}

test.each<[string, object]>([
  ['visits', {}],
  ['rates of visits', { metrics: ['bounce_rate', 'visit_duration', 'views_per_visit', 'pageviews'] }],
  ['an attribute of visits', { dimensions: ['visit:utm_source', 'time:day'] }],
  ['visits where an attribute is so', { filters: [['is_not', 'visit:source', ['direct']]] }],
  ['patterns', { filters: [['matches', 'visit:source', ['(?i)^GOO']]], dimensions: ['visit:source'] }],
  ['pages', { metrics: ['pageviews'], dimensions: ['event:page'], filters: [['contains', 'event:page', ['/sh']]] }],
  ['where bots come from', { metrics: ['events'], dimensions: ['event:bot'] }],
  ['hours', { date_range: ['2026-10-24T22:00:00Z', '2026-10-25T02:59:59Z'], dimensions: ['time:hour'] }],
  ['a range that goes on', { date_range: ['2026-10-25T00:00:00Z', '2026-10-29T10:20:29Z'] }],
  [
    'a comparison',
    {
      metrics: ['events'],
      date_range: ['2026-10-26', '2026-10-27'],
      dimensions: ['event:name'],
      include: { comparisons: { mode: 'previous_period' } },
    },
  ],
])('hours answer %s', async (_, query) => {
  expect(await sourceOf(query)).toBe('rollups')
})

test.each<[string, object]>([
  ['visitors', { metrics: ['visits', 'visitors'] }],
  ['two attributes', { dimensions: ['visit:source', 'visit:device'] }],
  ['the host of a visit', { dimensions: ['visit:entry_page_hostname'] }],
  ['a property', { metrics: ['events'], dimensions: ['event:props:plan'] }],
  ['visits with a page', { filters: [['is', 'event:page', ['/']]] }],
  ['visits that have done something', { filters: [['has_done', ['is', 'event:name', ['signup']]]] }],
  ['bots and all others', { include: { bots: true } }],
  ['names of bots', { metrics: ['events'], dimensions: ['event:name'], filters: [['is', 'event:bot', ['Googlebot']]] }],
  ['minutes', { date_range: ['2026-10-25', '2026-10-25'], dimensions: ['time:minute'] }],
  ['a begin within an hour', { date_range: ['2026-10-24T22:30:00Z', '2026-10-25T02:59:59Z'] }],
  ['an end within a past hour', { date_range: ['2026-10-24T22:00:00Z', '2026-10-25T02:29:59Z'] }],
])('hours leave %s to the scan', async (_, query) => {
  expect(await sourceOf(query)).not.toBe('rollups')
})

test('hours that are kept no longer are not missed', async () => {
  now = FIRST + 13 * 31 * DAY
  expect(await sourceOf({})).toBe('sessions')
})

test('hours of another zone are not taken for those of this one', async () => {
  const kolkata = { ...SITE, timezone: 'Asia/Kolkata' }
  expect(await sourceOf({}, kolkata)).toBe('sessions')
  // Zones that are whole hours apart have the same.
  expect(await sourceOf({}, { ...SITE, timezone: 'America/New_York' })).toBe('rollups')
})

test('hours that had more values than they hold are left to the scan', async () => {
  const rollups = database.db.collection<RollupDocument>('rollups')
  const [held] = await rollups.find({ site: 'shop', grain: 'hour', dim: 'source' }).toArray()
  if (!held) throw new Error('nothing is folded')
  expect(await sourceOf({ dimensions: ['visit:source'] })).toBe('rollups')
  const row = HOUR_COUNTERS.map(() => 1)
  const change = { values: ['(other)'], counters: packRows([row], HOUR_COUNTERS.length) }
  await rollups.updateOne({ _id: held._id }, { $set: change })
  expect(await sourceOf({ dimensions: ['visit:source'] })).toBe('sessions')
  expect(await sourceOf({ filters: [['is', 'visit:source', ['direct']]] })).toBe('sessions')
  expect(await sourceOf({})).toBe('rollups')
  await rollups.updateOne({ _id: held._id }, { $set: { values: held.values, counters: held.counters } })
})

test('a range from before hours were counted is left to the scan', async () => {
  const sessions = database.db.collection('sessions')
  const [first] = await sessions.find({ site: 'shop' }).sort({ start: 1 }).limit(1).toArray()
  if (!first) throw new Error('there are none')
  await sessions.updateOne({ _id: first._id }, { $unset: { host: 1 } })
  expect(await sourceOf({})).toBe('sessions')
  expect(await sourceOf({ date_range: ['2026-10-26', '2026-10-27'] })).toBe('rollups')
  await sessions.updateOne({ _id: first._id }, { $set: { host: first.host } })
})

test('a pattern that is none is refused, also where there is nothing', async () => {
  const filters = [['matches', 'visit:source', ['(']]]
  await expect(put(quick, { filters })).rejects.toThrow(/regular expression/)
  await expect(put(quick, { filters, date_range: ['2026-09-01', '2026-09-01'] })).rejects.toThrow(/regular expression/)
})

test('reading gives up where there is more than was allowed', async () => {
  const { client, db } = database
  const span = { site: 'shop', dims: ['page'] as const, from: FIRST, to: LAST }
  const read = (most: { read: number; held: number }, bucketOf = (at: number) => at) =>
    client.withSession({ snapshot: true }, session => readHours(db, { ...span, bucketOf, most }, session))
  await expect(read({ read: 20, held: 1_000_000 })).rejects.toThrow(TooManyHours)
  await expect(read({ read: 1_000_000, held: 20 })).rejects.toThrow(TooManyHours)
  // Held are the rows of a bucket, however many hours it has: eight paths, and the whole.
  const all = await read({ read: 1_000_000, held: 9 }, () => 0)
  expect(all.get('page')?.get(0)?.size).toBe(8)
})
