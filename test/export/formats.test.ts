import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import Schema from 'typebox/schema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EVENT_COLUMNS, SESSION_COLUMNS } from '../../collector/export/index.ts'
import type { JournalEvent } from '../../collector/journal/index.ts'
import { openApi } from '../../collector/openapi.ts'
import { type RawEvent, type Session, toRaw } from '../../collector/settle/index.ts'
import { addKey } from '../../collector/sites/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { journalEvent } from '../fixtures/events.ts'
import { outcome } from '../fixtures/people.ts'
import { cellsOf, fromCsv, fromNdjson, fromParquet, linesOf, type Texts } from './reading.ts'

const NOW = Date.parse('2026-03-29T12:00:00Z')
const DAY = '2026-03-10'
const BEGIN = Date.parse(`${DAY}T00:00:00Z`)

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({
    clock: () => NOW,
    sites: [{}, { key: 'random' }, { key: 'crowd' }, { key: 'now' }, { key: 'empty' }],
  })
})
afterAll(() => it.close())

const path = (kind: string, query: Record<string, string>) =>
  `/api/v2/${kind}?${new URLSearchParams({ date_range: `${DAY},${DAY}`, ...query })}`
const get = async (kind: string, query: Record<string, string>, headers: HeadersInit = {}): Promise<Response> => {
  const response = await it.ask(path(kind, query), { headers })
  expect(response.status).toBe(200)
  return response
}
const inFormats = async (kind: string, query: Record<string, string>): Promise<Texts[][]> => [
  fromNdjson(await (await get(kind, { ...query, format: 'ndjson' })).text()),
  fromCsv(await (await get(kind, { ...query, format: 'csv' })).text()),
  (await fromParquet(await (await get(kind, { ...query, format: 'parquet' })).arrayBuffer())).rows,
]
const store = (events: Partial<JournalEvent>[], site = 'shop') =>
  it.db.collection<RawEvent>('events').insertMany(
    events.map((event, i) => toRaw(journalEvent({ site, ts: new Date(BEGIN), id: `e${i}`, ...event }), new ObjectId())),
    { writeConcern: { w: 'majority' } },
  )

/** What files, spreadsheets and shells trip over. */
const HOSTILE = [
  ...[
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '＝1',
    '"',
    '""',
    'a,b',
    'a;b',
    'a\r\nb',
    '\n',
    '\r',
    ' ',
    'null',
  ],
  ...[
    '\u0000',
    '\u2028',
    '\ud83d\ude00',
    'a\ufeffbom',
    '\\',
    '{"a":1}',
    '<script>',

    'NaN',
    '1e5',
    "=cmd|' /C calc'!A0",
  ],
]

const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 30 }), fc.constant(undefined))
const randomEvent = fc.record({
  ts: fc.integer({ min: 0, max: 86_399_999 }).map(ms => new Date(BEGIN + ms - (ms % 1_000))),
  name: fc.oneof(fc.constantFrom('pageview', 'click', '=x'), fc.string({ minLength: 1, maxLength: 20 })),
  visitor: text,
  session: text,
  url: text.map(value => value ?? ''),
  path: text.map(value => value ?? ''),
  title: text,
  source: text.map(value => value ?? ''),
  utm: text,
  city: text,
  width: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
  goals: fc.option(
    fc.array(
      text.map(value => value ?? ''),
      { minLength: 1, maxLength: 3 },
    ),
    { nil: undefined },
  ),
  revenue: fc.option(fc.integer({ min: -1_000_000, max: 1_000_000 }), { nil: undefined }),
  props: fc.option(
    fc.dictionary(
      fc.string({ minLength: 1, maxLength: 10 }).filter(key => !/[$.\0]|^__proto__$/.test(key)),
      fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.array(text)),
    ),
    { nil: undefined },
  ),
})

test('three formats say the same of random events, in one order, each event once', async () => {
  const events = fc.sample(randomEvent, { numRuns: 3_000, seed: 11 }).map(event => ({
    ...event,
    ...(event.revenue !== undefined && { currency: 'EUR' }),
  }))
  await store(events, 'random')
  const [ndjson = [], csv, parquet] = await inFormats('events', { site_id: 'random' })
  expect(ndjson).toHaveLength(events.length)
  expect(csv).toEqual(ndjson)
  expect(parquet).toEqual(ndjson)
  expect(Object.keys(ndjson[0] ?? {})).toEqual(Object.keys(EVENT_COLUMNS))
  const places = ndjson.map(({ time = '', id = '' }) => `${time} ${id}`)
  expect(places).toEqual(places.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
  expect(new Set(ndjson.map(({ id }) => id)).size).toBe(events.length)
  // What was stored is what is told.
  const told = new Map(ndjson.map(row => [row.id, row]))
  for (const [i, { title, revenue, props }] of events.entries()) {
    const row = told.get(`e${i}`)
    expect(row?.title).toBe(Buffer.from(title ?? '').toString())
    expect(row?.revenue).toBe(revenue === undefined ? '' : String(revenue / 100))
    expect(Object.keys(JSON.parse(row?.properties || '{}')).sort()).toEqual(
      Object.keys(JSON.parse(JSON.stringify(props ?? {}))).sort(),
    )
  }
})

test('no cell of CSV begins with what a spreadsheet takes for a formula, but numbers below zero', async () => {
  await store([
    ...HOSTILE.map((title, i) => ({ id: `h${i}`, title })),
    { id: 'refund', revenue: -1_250, currency: 'EUR' },
  ])
  const [head = [], ...records] = cellsOf(await (await get('events', { site_id: 'shop', format: 'csv' })).text())
  expect(head).toEqual(Object.keys(EVENT_COLUMNS))
  expect(records).toHaveLength(HOSTILE.length + 1)
  const formulas = records.flat().filter(cell => /^[=+\-@\t\r]/.test(cell))
  expect(formulas).toEqual(['-12.5'])
  const titles = records.map(cells => cells[head.indexOf('title')])
  for (const title of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1']) expect(titles).toContain(`'${title}`)
  expect(titles).toContain('a\r\nb')
})

test('a crowd in one millisecond is in order, also when it is larger than what is sorted here', async () => {
  const ids = Array.from({ length: 6_000 }, (_, i) => `c${(i * 7_919) % 6_000}`)
  await store(
    [...ids.map(id => ({ id, ts: new Date(BEGIN + 5) })), { id: 'before' }, { id: 'after', ts: new Date(BEGIN + 6) }],
    'crowd',
  )
  // The same id is another event under another name.
  await store([{ id: 'c5', name: 'click', ts: new Date(BEGIN + 5) }], 'crowd')
  const rows = linesOf(await (await get('events', { site_id: 'crowd' })).text())
  const sorted = [...ids, 'c5'].sort()
  expect(rows.map(({ id }) => id)).toEqual(['before', ...sorted, 'after'])
  const place = rows.findIndex(({ id }) => id === 'c5')
  expect(rows.slice(place, place + 2).map(({ name }) => name)).toEqual(['click', 'pageview'])
  for (const at of [0, 1, place, place + 1, 6_000]) {
    const { time, id, name } = rows[at] ?? {}
    const rest = await get('events', { site_id: 'crowd', cursor: JSON.stringify([time, id, name]) })
    expect(linesOf(await rest.text())).toEqual(rows.slice(at + 1))
  }
})

test('sessions are as they are counted, and cookieless days say into how many visits they are divided', async () => {
  const base = { site: 'shop', entry: '/', exit: '/x', source: 'direct', host: 'shop.example', expires: new Date(NOW) }
  const at = (minutes: number) => new Date(BEGIN + minutes * 60_000)
  await it.db.collection<Session>('sessions').insertMany(
    [
      {
        ...base,
        _id: 'shop:s2',
        visitor: 'v',
        start: at(0),
        end: at(2),
        views: 1,
        events: 3,
        engaged: 500,
        goals: 1,
        steps: [],
      },
      {
        ...base,
        _id: 'shop:s1',
        start: at(0),
        end: at(9),
        views: 2,
        events: 2,
        engaged: 0,
        goals: 0,
        steps: [],
        bot: 'agent',
      },
      {
        ...{
          ...base,
          _id: 'shop:day',
          start: at(60),
          end: at(200),
          views: 3,
          events: 3,
          engaged: 0,
          goals: 0,
          steps: [],
        },
        visits: [
          { start: at(60), end: at(61), views: 1, events: 1 },
          { start: at(190), end: at(200), views: 2, events: 2 },
        ],
      },
      {
        ...base,
        _id: 'other:s9',
        site: 'other',
        start: at(0),
        end: at(2),
        views: 1,
        events: 1,
        engaged: 0,
        goals: 0,
        steps: [],
      },
    ],
    { writeConcern: { w: 'majority' } },
  )
  const [ndjson = [], csv, parquet] = await inFormats('sessions', { site_id: 'shop' })
  expect(csv).toEqual(ndjson)
  expect(parquet).toEqual(ndjson)
  expect(Object.keys(ndjson[0] ?? {})).toEqual(Object.keys(SESSION_COLUMNS))
  expect(ndjson.map(({ id, visits, bounces, duration_ms }) => [id, visits, bounces, duration_ms])).toEqual([
    ['s1', '1', '0', '540000'],
    ['s2', '1', '1', '120000'],
    ['day', '2', '1', '660000'],
  ])
  const rest = await get('sessions', { site_id: 'shop', cursor: JSON.stringify([ndjson[0]?.start, 's1']) })
  expect(linesOf(await rest.text()).map(({ id }) => id)).toEqual(['s2', 'day'])
  const bots = await get('sessions', {
    site_id: 'shop',
    filters: JSON.stringify([['is', 'visit:entry_page', ['/none']]]),
  })
  expect(await bots.text()).toBe('')
})

describe('what is asked', () => {
  test('comes as the client takes it: by format, by Accept, packed if it likes', async () => {
    await store([{ title: 'a' }, { id: 'b', title: 'b' }], 'now')
    const types = async (query: Record<string, string>, headers: HeadersInit) => {
      const response = await get('events', { site_id: 'now', ...query }, headers)
      await response.arrayBuffer()
      return [response.headers.get('content-type')?.split(';')[0], response.headers.get('content-encoding')]
    }
    expect(await types({}, { accept: '*/*' })).toEqual(['application/x-ndjson', 'gzip'])
    expect(await types({}, { accept: 'text/csv', 'accept-encoding': 'identity' })).toEqual(['text/csv', null])
    expect(await types({ format: 'csv' }, { accept: '*/*' })).toEqual(['text/csv', 'gzip'])
    expect(await types({}, { accept: 'application/vnd.apache.parquet' })).toEqual([
      'application/vnd.apache.parquet',
      null,
    ])
    const packed = await get('events', { site_id: 'now' })
    expect(linesOf(await packed.text()).map(({ title }) => title)).toEqual(['b', 'a'])
    const head = await it.ask(path('events', { site_id: 'now' }), { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  test('nothing there is an empty file with its columns', async () => {
    const [ndjson, csv, parquet] = await inFormats('events', { site_id: 'empty' })
    expect([ndjson, csv, parquet]).toEqual([[], [], []])
    const file = await (await get('events', { site_id: 'empty', format: 'parquet' })).arrayBuffer()
    expect((await fromParquet(file)).schema).toEqual(Object.keys(EVENT_COLUMNS))
    const all = await it.ask('/api/v2/events?site_id=empty&date_range=all&format=csv')
    expect(await all.text()).toBe(`${Object.keys(EVENT_COLUMNS).join(',')}\r\n`)
  })

  test('is filtered by what events have', async () => {
    const ids = async (filters: unknown) => {
      const response = await get('events', { site_id: 'now', filters: JSON.stringify(filters) })
      return linesOf(await response.text()).map(({ id }) => id)
    }
    await store([{ id: 'p', name: 'purchase', props: { plan: 'pro' }, goals: ['Order'], bot: 'agent' }], 'now')
    expect(await ids([['is', 'event:name', ['purchase']]])).toEqual(['p'])
    expect(await ids([['not', ['is', 'event:props:plan', ['pro']]]])).toEqual(['b', 'e0'])
    expect(await ids([['is', 'event:goal', ['Order']]])).toEqual(['p'])
    expect(await ids([['is', 'event:bot', ['(none)']]])).toEqual(['b', 'e0'])
  })

  test.each<[string, Record<string, string>, [number, string]]>([
    ['an unknown format', { format: 'xml' }, [400, 'parameter-invalid']],
    ['a misspelt parameter', { filter: '[]' }, [400, 'parameter-invalid']],
    ['a limit of none', { limit: '0' }, [400, 'parameter-invalid']],
    ['a limit that is no number', { limit: '1e3' }, [400, 'parameter-invalid']],
    ['a cursor that is none', { cursor: 'abc' }, [400, 'parameter-invalid']],
    ['a cursor of no time', { cursor: '["yesterday","e1","click"]' }, [400, 'parameter-invalid']],
    ['a cursor of too much', { cursor: '["2026-03-10T00:00:00Z","a","b","c"]' }, [400, 'parameter-invalid']],
    ['no range', { date_range: '' }, [400, 'query-invalid']],
    ['a range that is none', { date_range: 'yesterday' }, [400, 'query-invalid']],
    ['filters that are no JSON', { filters: '[' }, [400, 'parameter-invalid']],
    ['filters that are none', { filters: '{}' }, [400, 'query-invalid']],
    ['a filter of visits', { filters: '[["is","visit:os",["Linux"]]]' }, [400, 'query-unsupported']],
    ['a question of sessions', { filters: '[["has_done",["is","event:name",["x"]]]]' }, [400, 'query-unsupported']],
    ['a pattern that is none', { filters: '[["matches","event:page",["("]]]' }, [400, 'query-invalid']],
    ['an unknown site', { site_id: 'nowhere' }, [404, 'site-unknown']],
  ])('%s is answered with a problem', async (_, query, expected) => {
    expect(await outcome(await it.ask(path('events', { site_id: 'shop', ...query })))).toEqual(expected)
  })

  test('is refused to who may not read records of the site', async () => {
    const as = async (key: string | undefined, kind: string) =>
      outcome(
        await fetch(
          it.url + path(kind, { site_id: 'shop' }),
          key ? { headers: { authorization: `Bearer ${key}` } } : {},
        ),
      )
    const { key: writes } = await addKey(it.db, { name: 'w', scope: 'write', sites: ['shop'] })
    const { key: elsewhere } = await addKey(it.db, { name: 'o', scope: 'read', sites: ['now'] })
    const shared = await it.ask('/api/v2/shares?site=shop', { method: 'POST', body: JSON.stringify({ name: 'all' }) })
    const { url } = (await shared.json()) as { url: string }
    const token = url.split('/share/')[1]
    for (const kind of ['events', 'sessions', 'stream']) {
      expect(await as(undefined, kind)).toEqual([401, 'not-signed-in'])
      expect(await as(writes, kind)).toEqual([403, 'not-allowed'])
      expect(await as(elsewhere, kind)).toEqual([404, 'site-unknown'])
      expect(await outcome(await fetch(`${it.url + path(kind, { site_id: 'shop' })}&share=${token}`))).toEqual([
        403,
        'not-allowed',
      ])
    }
  })
})

test('gives nothing out that is in no column', async () => {
  await it.deliver(envelope([{ n: 'signup', d: { plan: 'pro' } }], { s: 'now', t: NOW }))
  await it.settled()
  const response = await it.ask('/api/v2/events?site_id=now&date_range=day')
  const [row, ...rest] = linesOf(await response.text())
  expect(rest).toEqual([])
  expect(Object.keys(row ?? {})).toEqual(Object.keys(EVENT_COLUMNS))
  const components = (openApi() as { components: { schemas: object } }).components
  const schema = { $ref: '#/components/schemas/EventRow', components }
  expect(Schema.Compile(schema as never).Check(row)).toBe(true)
  expect(row).toMatchObject({ name: 'signup', properties: { plan: 'pro' }, visitor: 'visitor-1', session: 'session-1' })
})
