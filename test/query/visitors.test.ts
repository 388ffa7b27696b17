/** Visitors from sketches: what they answer, what they leave to the scan, and that they are right; of large numbers nearly. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { toStored } from '../../collector/journal/index.ts'
import { createQueries, type Queries, type QueryAnswer } from '../../collector/query/index.ts'
import { settleBatch } from '../../collector/settle/batch.ts'
import { leaseLane, raiseFence } from '../../collector/settle/index.ts'
import { dayOf } from '../../collector/sites/index.ts'
import { buildDay } from '../../collector/sketch/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'
import { makeEvents, record } from './recorded.ts'

const DAY = 86_400_000
const ZONE = 'Europe/Berlin'
const FIRST = Date.parse('2026-10-23T00:00:00Z')
const LAST = FIRST + 5 * DAY
const NOW = LAST + DAY / 2
const SITE = { key: 'shop', timezone: ZONE, domain: 'shop.example', consent: 'none' as const }

let database: FreshDatabase
let quick: Queries
let slow: Queries
beforeAll(async () => {
  database = await freshDatabase()
  const { client, db } = database
  const site = { key: 'shop', timezone: ZONE, from: FIRST, to: LAST }
  const events = makeEvents(site, 5)
  // Late on the 27th of UTC, which is the 28th in Berlin.
  const last = { id: 'last', session: 'last', visitor: 'last', name: 'pageview', ts: LAST - DAY / 48 }
  const [first] = events.filter(({ bot, consent }) => bot === undefined && consent !== 'l')
  await record(db, [first ? [...events, { ...first, ...last }] : events], () => ZONE)
  quick = createQueries({ client, db, clock: () => NOW })
  slow = createQueries({ client, db, clock: () => NOW, engines: [] })
})
afterAll(() => database.drop())

const dayAt = (at: number) => {
  const { start, end } = dayOf(at, ZONE)
  return { from: start, to: end }
}
const buildAll = async () => {
  for (let at = FIRST; at < LAST; at += DAY) await buildDay(database.db, 'shop', dayAt(at), NOW)
}
beforeEach(buildAll)

const put = async (queries: Queries, query: object): Promise<QueryAnswer> => {
  const body = { site_id: 'shop', metrics: ['visitors'], date_range: ['2026-10-23', '2026-10-27'], ...query }
  const answer = await queries.ask(body, SITE, AbortSignal.timeout(20_000))
  if ('code' in answer) throw new Error(answer.detail)
  return answer
}
/** Where the answer comes from, and that it is the scan's. */
const sourceOf = async (query: object): Promise<string> => {
  const { results, meta } = await put(quick, query)
  const scanned = await put(slow, query)
  expect(results).toEqual(scanned.results)
  expect([meta.exact, meta.total_rows]).toEqual([true, scanned.meta.total_rows])
  return meta.source
}

const ALL = ['visitors', 'visits', 'pageviews', 'events', 'views_per_visit', 'bounce_rate', 'visit_duration']
test.each<[string, object]>([
  ['all visitors', {}],
  ['visitors beside all else', { metrics: ALL, include: { total_rows: true } }],
  ['each day', { dimensions: ['time:day'], metrics: ALL }],
  ['weeks', { dimensions: ['time:week'] }],
  ['an attribute', { dimensions: ['visit:source'], metrics: [...ALL, 'percentage'], include: { total_rows: true } }],
  ['the host of visits', { dimensions: ['visit:entry_page_hostname'] }],
  ['an attribute each day', { dimensions: ['visit:exit_page', 'time:day'], pagination: { limit: 7, offset: 3 } }],
  ['where an attribute is so', { filters: [['is_not', 'visit:source', ['direct']]], metrics: ALL }],
  ['patterns', { filters: [['matches', 'visit:source', ['(?i)^GOO']]], dimensions: ['visit:source'] }],
  ['what has no value', { filters: [['is', 'visit:utm_source', ['(none)']]] }],
  [
    'a comparison',
    {
      date_range: ['2026-10-26', '2026-10-27'],
      dimensions: ['visit:device'],
      include: { comparisons: { mode: 'previous_period' } },
    },
  ],
  ['pages', { dimensions: ['event:page'], metrics: ['visitors', 'pageviews'], include: { total_rows: true } }],
  [
    'pages by another order',
    { dimensions: ['event:page'], metrics: ['visitors', 'events'], order_by: [['events', 'asc']] },
  ],
  ['hosts of pages', { dimensions: ['event:hostname'] }],
  ['events by name', { dimensions: ['event:name'], metrics: ['visitors', 'events', 'percentage'] }],
  ['events by name each week', { dimensions: ['event:name', 'time:week'] }],
  ['events of a name', { filters: [['is', 'event:name', ['click']]], metrics: ['visitors', 'events'] }],
  [
    'some pages',
    { dimensions: ['event:page'], filters: [['contains', 'event:page', ['a']]], pagination: { limit: 2 } },
  ],
])('sketches answer %s', async (_, query) => {
  expect(await sourceOf(query)).toBe('rollups')
})

test.each<[string, object]>([
  ['a range that begins and ends within a day', { date_range: ['2026-10-23T10:17:00Z', '2026-10-26T09:01:09Z'] }],
  ['a day that goes on', { date_range: ['2026-10-24', '2026-10-28'], dimensions: ['visit:source', 'time:day'] }],
])('of %s, the rest is read from sessions', async (_, query) => {
  expect(await sourceOf(query)).toBe('sessions')
})

test.each<[string, object]>([
  [
    'pages of a range that begins and ends within a day',
    { date_range: ['2026-10-23T10:17:00Z', '2026-10-26T09:01:09Z'] },
  ],
  ['pages of a day that goes on', { date_range: ['2026-10-24', '2026-10-28'] }],
])('of %s, the rest is read from events', async (_, query) => {
  expect(await sourceOf({ dimensions: ['event:page'], ...query })).toBe('events')
})

test.each<[string, object]>([
  ['what has to be exact', { include: { exact: true } }],
  ['hours', { dimensions: ['time:hour'] }],
  ['two attributes', { dimensions: ['visit:source', 'visit:device'] }],
  ['pages and sources', { dimensions: ['event:page', 'visit:source'] }],
  ['who did something on a page', { filters: [['is', 'event:page', ['/']]] }],
  ['visits with a page', { filters: [['is', 'event:page', ['/']]] }],
  ['bots and all others', { include: { bots: true } }],
  ['less than a day', { date_range: ['2026-10-23T10:00:00Z', '2026-10-23T17:59:59Z'] }],
])('sketches leave %s to the scan', async (_, query) => {
  expect(await sourceOf(query)).not.toBe('rollups')
})

test('what arrives late is read from sessions until the day is sketched again, and is never missed', async () => {
  const { db } = database
  const lane = await leaseLane(db, 'late')
  const fence = await raiseFence(db, lane)
  let n = 0
  const settle = async (change: object) => {
    const event = journalEvent({ id: `late ${n++}`, ts: new Date(FIRST + 1.5 * DAY), source: 'late', ...change })
    const page = openPage([event], { lane: lane.id, epoch: lane.epoch })
    await db.collection('journal').insertOne(toStored(page) as object)
    await settleBatch({ db, lane, fence, pages: [page], zoneOf: () => ZONE })
  }
  const bySource = { dimensions: ['visit:source'] }
  const changes: object[] = [
    { session: 'late' },
    // Now its visitor is known, which another visit has, too.
    { session: 'late', name: 'click', visitor: 'v1' },
    // It began on another day.
    { session: 'late', ts: new Date(FIRST + 0.5 * DAY), source: 'sooner' },
    { session: '~late', visitor: '~late', consent: 'l' },
    { session: '~late', visitor: '~late', consent: 'l', ts: new Date(FIRST + 1.6 * DAY) },
  ]
  for (const change of changes) {
    await settle(change)
    expect(await sourceOf({})).toBe('sessions')
    expect(await sourceOf(bySource)).toBe('sessions')
    await buildAll()
    expect(await sourceOf({})).toBe('rollups')
    expect(await sourceOf(bySource)).toBe('rollups')
  }
  // What a visit does revises nothing.
  await settle({ session: 'late', name: 'click', visitor: 'v1' })
  expect(await sourceOf({})).toBe('rollups')
  await fence.end()
})

test('days that nobody has sketched are read from sessions, and without any the scan answers', async () => {
  const { db } = database
  const at = { $in: [1, 3].map(n => new Date(dayAt(FIRST + n * DAY).from)) }
  await db.collection('sketches').deleteMany({ at, dim: 'visits' })
  expect(await sourceOf({ dimensions: ['visit:source', 'time:day'] })).toBe('sessions')
  await db.collection('sketches').deleteMany({})
  expect(await sourceOf({})).toBe('sessions')
})

test('in another time zone days of this one are not taken for others, but still add up', async () => {
  const other = { ...SITE, timezone: 'Asia/Kolkata' }
  const ask = async (queries: Queries, dimensions: string[]) => {
    const body = { site_id: 'shop', metrics: ['visitors'], date_range: ['2026-10-23', '2026-10-27'], dimensions }
    const answer = await queries.ask(body, other, AbortSignal.timeout(20_000))
    if ('code' in answer) throw new Error(answer.detail)
    return answer.results
  }
  for (const dimensions of [[], ['time:day'], ['visit:source']])
    expect(await ask(quick, dimensions)).toEqual(await ask(slow, dimensions))
})
