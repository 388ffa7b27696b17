import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { QueryAnswer } from '../../collector/query/index.ts'
import { addKey } from '../../collector/sites/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOON = Date.parse('2026-03-10T12:00:30Z')

let it: TestCollector
let now = NOON
beforeAll(async () => {
  it = await startCollector({ clock: () => now, sites: [{}, { key: 'other' }, { key: 'slow' }] })
})
afterAll(() => it.close())

let sent = 0
async function visit(
  at: number,
  { views = 1, visitor = `v${sent}`, path = '/shoes', site = 'shop' } = {},
): Promise<void> {
  now = at
  const events = Array.from({ length: views }, (_, i) => ({ t: (views - 1 - i) * 1_000 }))
  const head = { s: site, t: at, i: visitor, k: `s${sent++}`, p: { u: `https://shop.example${path}` } }
  await it.deliver(envelope(events, head))
  now = NOON
}
const post = (body: unknown, init: RequestInit = {}) =>
  it.ask('/api/v2/query', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...init })
const ask = async (query: object): Promise<QueryAnswer> => {
  const response = await post({ site_id: 'shop', ...query })
  const body = await response.json()
  if (response.status !== 200) throw new Error(JSON.stringify(body))
  return body as QueryAnswer
}

describe('a comparison', () => {
  beforeAll(async () => {
    // Today until noon two, yesterday three of which one is later than noon; a week and a year ago.
    await visit(NOON - HOUR, { views: 2 })
    await visit(NOON - 3 * HOUR, { path: '/boots' })
    await visit(NOON - DAY - HOUR)
    await visit(NOON - DAY - 2 * HOUR, { views: 4 })
    await visit(NOON - DAY + HOUR)
    for (const ago of [7, 9, 10, 365]) await visit(NOON - ago * DAY)
    await it.settled()
  })
  const compared = { mode: 'previous_period' }

  test('of a day that is not over is with as much of the day before', async () => {
    const { results, meta } = await ask({
      metrics: ['visits', 'pageviews', 'bounce_rate'],
      date_range: 'day',
      include: { comparisons: compared },
    })
    expect(results).toEqual([
      {
        metrics: [2, 3, 50],
        dimensions: [],
        comparison: { metrics: [2, 5, 50], dimensions: [], change: [0, -40, 0] },
      },
    ])
    expect(meta.comparison_date_range).toEqual(['2026-03-09T00:00:00+00:00', '2026-03-09T12:00:29+00:00'])
  })

  test.each<[string | string[], object, [string, string]]>([
    ['month', compared, ['2026-02-19T00:00:00+00:00', '2026-02-28T12:00:29+00:00']],
    ['7d', compared, ['2026-02-24T00:00:00+00:00', '2026-03-02T23:59:59+00:00']],
    ['7d', { ...compared, match_day_of_week: true }, ['2026-02-24T00:00:00+00:00', '2026-03-02T23:59:59+00:00']],
    ['28d', { mode: 'year_over_year' }, ['2025-02-10T00:00:00+00:00', '2025-03-09T23:59:59+00:00']],
    [
      '28d',
      { mode: 'year_over_year', match_day_of_week: true },
      ['2025-02-11T00:00:00+00:00', '2025-03-10T23:59:59+00:00'],
    ],
    [
      ['2026-03-08T10:00:00Z', '2026-03-08T10:59:59Z'],
      compared,
      ['2026-03-08T09:00:00+00:00', '2026-03-08T09:59:59+00:00'],
    ],
    [
      '7d',
      { mode: 'custom', date_range: ['2026-01-01', '2026-01-03'] },
      ['2026-01-01T00:00:00+00:00', '2026-01-03T23:59:59+00:00'],
    ],
  ])('of %s, %j', async (date_range, comparisons, expected) => {
    const { meta } = await ask({ metrics: ['visitors'], date_range, include: { comparisons } })
    expect(meta.comparison_date_range).toEqual(expected)
  })

  test('by time is place by place, and shows where nothing was', async () => {
    const { results } = await ask({
      metrics: ['visits'],
      date_range: ['2026-03-09', '2026-03-10'],
      dimensions: ['time:day'],
      include: { comparisons: { mode: 'custom', date_range: ['2026-02-28', '2026-03-01'] } },
    })
    expect(results).toEqual([
      {
        metrics: [3],
        dimensions: ['2026-03-09'],
        comparison: { metrics: [1], dimensions: ['2026-02-28'], change: [200] },
      },
      {
        metrics: [2],
        dimensions: ['2026-03-10'],
        comparison: { metrics: [1], dimensions: ['2026-03-01'], change: [100] },
      },
    ])
  })

  test('by value is with the same value, also of a page of rows', async () => {
    const { results } = await ask({
      metrics: ['visits'],
      date_range: 'day',
      dimensions: ['visit:entry_page'],
      include: { comparisons: compared, total_rows: true },
      pagination: { limit: 1, offset: 1 },
    })
    expect(results).toEqual([
      { metrics: [1], dimensions: ['/shoes'], comparison: { metrics: [2], dimensions: ['/shoes'], change: [-50] } },
    ])
  })
})

test('what is answered says how it was made, and up to when it is complete', async () => {
  await visit(NOON - 2 * MINUTE, { site: 'other' })
  await it.settled()
  const plain = await ask({
    site_id: 'other',
    metrics: ['events', 'pageviews'],
    date_range: '30m',
    dimensions: ['time'],
  })
  expect(plain.meta).toMatchObject({
    source: 'rollups',
    exact: true,
    fresh: new Date(NOON).toISOString(),
    cached: false,
  })
  expect(plain.results).toEqual([{ metrics: [1, 1], dimensions: ['2026-03-10 11:58:00'] }])
  expect(plain.meta.partial).toEqual(['2026-03-10 12:00:00'])
  const visits = await ask({ site_id: 'other', metrics: ['visitors'], date_range: 'day' })
  expect(visits.meta.source).toBe('sessions')
  const names = await ask({ site_id: 'other', metrics: ['events'], date_range: 'day', dimensions: ['event:name'] })
  expect(names.meta.source).toBe('rollups')
  expect(names.query).toEqual({
    site_id: 'other',
    metrics: ['events'],
    date_range: ['2026-03-10T00:00:00+00:00', '2026-03-10T23:59:59+00:00'],
    filters: [],
    dimensions: ['event:name'],
    order_by: [['events', 'desc']],
    include: {},
    pagination: { limit: 10_000, offset: 0 },
  })
  // An open page of the journal is not contained yet.
  const at = new Date(NOON - 5_000)
  const open = await it.db
    .collection('journal')
    .insertOne({ lane: 0, state: 'open', at, epoch: -1, n: 0, envelopes: [] })
  const held = await ask({ site_id: 'other', metrics: ['events'], date_range: 'day' })
  await it.db.collection('journal').deleteOne({ _id: open.insertedId })
  expect([at.toISOString(), new Date(NOON).toISOString()]).toContain(held.meta.fresh)
})

describe('a problem', () => {
  const good = { site_id: 'shop', metrics: ['visitors'], date_range: '7d' }
  const filters = (...list: unknown[]) => ({ ...good, filters: list })
  const deep = (levels: number): unknown => (levels === 0 ? ['is', 'visit:os', ['x']] : ['not', deep(levels - 1)])

  test.each<[string, unknown, string, RegExp]>([
    ['no JSON', '{', 'body-invalid', /JSON/],
    ['a list of none', [], 'body-invalid', /^a list is of 1 to 32 .*lines/],
    ['a list for one answer', [good], 'body-invalid', /^a list is of 1 to 32 .*lines/],
    ['no site', { metrics: ['visitors'], date_range: '7d' }, 'parameter-invalid', /^site_id:/],
    ['a site that is not there', { ...good, site_id: 'nobody' }, 'site-unknown', /^/],
    ['the doctor’s site', { ...good, site_id: '_doctor' }, 'site-unknown', /^/],
    ['no range', { site_id: 'shop', metrics: ['visitors'] }, 'query-invalid', /^date_range: missing/],
    ['a field that there is not', { ...good, filter: [] }, 'query-invalid', /^filter: there is no such field/],
    ['no metrics', { ...good, metrics: [] }, 'query-invalid', /^metrics: .*visitors/],
    ['an unknown metric', { ...good, metrics: ['visitor'] }, 'query-invalid', /^metrics.0: .*visitors/],
    ['a metric twice', { ...good, metrics: ['visits', 'visits'] }, 'query-invalid', /^metrics: each once/],
    ['an unknown dimension', { ...good, dimensions: ['visit:shoe'] }, 'query-invalid', /^dimensions.0: .*visit:source/],
    [
      'too many dimensions',
      { ...good, dimensions: 'abcdef'.split('').map(x => `event:props:${x}`) },
      'query-invalid',
      /5/,
    ],
    ['two of time', { ...good, dimensions: ['time', 'time:week'] }, 'query-invalid', /^dimensions: one of time/],
    ['an unknown range', { ...good, date_range: 'today' }, 'query-invalid', /^date_range: .*7d/],
    ['no such date', { ...good, date_range: ['2026-02-30', '2026-03-01'] }, 'query-invalid', /^date_range: two dates/],
    ['a range backwards', { ...good, date_range: ['2026-03-02', '2026-03-01'] }, 'query-invalid', /after the last/],
    [
      'too many times',
      { ...good, date_range: ['2020-01-01', '2026-01-01'], dimensions: ['time:minute'] },
      'query-too-large',
      /longer unit/,
    ],
    ['an operator that there is not', filters(['like', 'visit:os', ['x']]), 'query-invalid', /^filters.0: .*contains/],
    ['no values', filters(['is', 'visit:os', []]), 'query-invalid', /^filters.0/],
    ['a filter of time', filters(['is', 'time:day', ['2026-03-01']]), 'query-invalid', /^filters.0/],
    ['an operator of the database', filters({ $where: '1' }), 'query-invalid', /^filters.0/],
    ['a value of the database', filters(['is', 'visit:os', [{ $ne: 1 }]]), 'query-invalid', /^filters.0/],
    [
      'case of a pattern',
      filters(['matches', 'visit:os', ['x'], { case_sensitive: false }]),
      'query-invalid',
      /^filters/,
    ],
    [
      'what is no pattern',
      filters(['matches', 'visit:os', ['(']]),
      'query-invalid',
      /^filters: not a regular expression/,
    ],
    ['nested too deep', filters(deep(40)), 'query-invalid', /^filters: at most 10 levels/],
    [
      'nested beyond all',
      `{"site_id":"shop","filters":${'['.repeat(90_000)}${']'.repeat(90_000)}}`,
      'query-invalid',
      /levels/,
    ],
    [
      'what was done, nested',
      filters(['has_done', ['has_done', ['is', 'event:page', ['/']]]]),
      'query-invalid',
      /do not nest/,
    ],
    ['what a visit has done', filters(['has_done', ['is', 'visit:os', ['x']]]), 'query-invalid', /event dimensions/],
    [
      'a metric of visits by event',
      { ...good, metrics: ['bounce_rate'], dimensions: ['event:page'] },
      'query-invalid',
      /^metrics: bounce_rate/,
    ],
    ['a share of nothing', { ...good, metrics: ['percentage'] }, 'query-invalid', /^metrics: percentage/],
    ['an order of what is not asked', { ...good, order_by: [['visits', 'asc']] }, 'query-invalid', /^order_by: visits/],
    ['an order without direction', { ...good, order_by: ['visitors'] }, 'query-invalid', /^order_by.0: .*asc/],
    ['too many rows', { ...good, pagination: { limit: 10_001 } }, 'query-invalid', /^pagination.limit: .*10000/],
    ['labels without time', { ...good, include: { time_labels: true } }, 'query-invalid', /^include.time_labels/],
    ['something to include', { ...good, include: { all: true } }, 'query-invalid', /^include.all: there is no such/],
    [
      'a comparison with nothing',
      { ...good, include: { comparisons: { mode: 'custom' } } },
      'query-invalid',
      /^include.comparisons: date_range/,
    ],
  ])('%s', async (_, body, code, detail) => {
    const response = await post(body)
    const problem = (await response.json()) as { code: string; status: number; detail?: string }
    expect([problem.code, response.headers.get('content-type')]).toEqual([
      code,
      expect.stringContaining('application/problem+json'),
    ])
    expect(response.status).toBe(problem.status)
    expect(problem.detail ?? '').toMatch(detail)
  })

  test('a property may have any name: it is data', async () => {
    for (const name of ['$where', 'a.b', '__proto__', 'x'.repeat(100)])
      expect((await ask({ ...good, dimensions: [`event:props:${name}`] })).results).toBeDefined()
  })

  test('without a key, with one that may not read, and with one of another site', async () => {
    const of = async (authorization: string) => {
      const response = await post(good, { headers: { authorization } })
      return [response.status, ((await response.json()) as { code: string }).code]
    }
    expect(await of('Bearer nothing')).toEqual([401, 'not-signed-in'])
    const { key: writes } = await addKey(it.db, { name: 'writes', scope: 'write', sites: ['shop'] })
    expect(await of(`Bearer ${writes}`)).toEqual([403, 'not-allowed'])
    const { key: others } = await addKey(it.db, { name: 'others', scope: 'read', sites: ['other'] })
    expect(await of(`Bearer ${others}`)).toEqual([404, 'site-unknown'])
  })
})

test('a pattern that would never end is given up', async () => {
  const text = `${'a'.repeat(40)}b`
  const event = { ts: new Date('2026-03-01T12:00:00Z'), meta: { site: 'slow', name: 'long' }, props: { text } }
  await it.db.collection('events').insertOne(event)
  const filters = [['matches', 'event:props:text', ['(a+)+$']]]
  const response = await post({
    site_id: 'slow',
    metrics: ['events'],
    date_range: ['2026-03-01', '2026-03-02'],
    filters,
  })
  expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ code: 'query-too-large' })])
})
