/** Events joined with their sessions: where one session has more of them than a document takes. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createQueries } from '../../collector/query/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'

const AT = Date.parse('2026-03-10T12:00:00Z')
/** 110 MB of paths. */
const EVENTS = 55_000
const SITE = { key: 'shop', domain: 'shop.example', consent: 'none' as const, timezone: 'UTC' }

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  const { db } = database
  await ensureCollections(db)
  const long = 'x'.repeat(2_000)
  const event = (i: number, session: string) => ({
    ts: new Date(AT + i),
    meta: { site: 'shop', name: 'pageview' },
    session,
    visitor: session,
    path: `/${i % 2}${long}`,
    host: '',
    consent: 'x',
    id: `${session}.${i}`,
  })
  const events = Array.from({ length: EVENTS }, (_, i) => event(i, 'endless'))
  await db.collection('events').insertMany([...events, event(0, 'short')])
  const session = (name: string, events: number, source: string) => ({
    _id: `shop:${name}` as never,
    site: 'shop',
    visitor: name,
    start: new Date(AT),
    end: new Date(AT + events - 1),
    entry: '/',
    exit: '/',
    source,
    views: events,
    events,
    expires: new Date(Date.now() + 1e9),
  })
  await db.collection('sessions').insertMany([session('endless', EVENTS, 'a'), session('short', 1, 'b')])
})
afterAll(() => database.drop())

test('a session with more events than a document takes is counted all the same', async () => {
  const { client, db } = database
  const queries = createQueries({ client, db, clock: () => AT, engines: [] })
  const body = {
    site_id: 'shop',
    metrics: ['visits', 'events', 'views_per_visit'],
    date_range: 'day',
    dimensions: ['visit:source'],
  }
  const filters = [['contains', 'event:page', ['/']]]
  const by = async (dimensions: string[], metrics = body.metrics) => {
    const answer = await queries.ask({ ...body, filters, dimensions, metrics }, SITE, new AbortController().signal)
    if ('code' in answer) throw new Error(answer.detail)
    return answer.results.map(row => [row.dimensions.map(text => text.slice(0, 2)), row.metrics])
  }
  expect(await by(['visit:source'])).toEqual([
    [['a'], [1, EVENTS, EVENTS]],
    [['b'], [1, 1, 1]],
  ])
  expect(await by(['visit:source', 'event:page'], ['visits', 'events'])).toEqual([
    [
      ['a', '/0'],
      [1, EVENTS / 2],
    ],
    [
      ['a', '/1'],
      [1, EVENTS / 2],
    ],
    [
      ['b', '/0'],
      [1, 1],
    ],
  ])
})
