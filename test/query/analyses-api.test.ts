/** Analyses as they are asked over HTTP: a shop's day, counted by hand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addKey, readGoal } from '../../collector/sites/index.ts'
import { CHROME, envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'

const NOW = Date.parse('2026-03-10T12:00:00Z')
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

let it: TestCollector
let now = NOW
beforeAll(async () => {
  const goals = [readGoal({ name: 'Order', event: 'purchase' }, new Date(0))]
  it = await startCollector({
    clock: () => now,
    sites: [{ key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC', goals }],
  })
  const visit = async (
    who: string,
    ago: number,
    source: string,
    events: [path: string, name?: string, d?: Record<string, unknown>][],
  ) => {
    now = NOW - ago
    await it.deliver(
      envelope(
        events.map(([, n = 'pageview', d], i) => ({ n, t: (events.length - i) * 1_000, ...(d && { d }) })),
        {
          ...{ s: 'shop', t: now, i: who, k: `${who}-${ago}` },
          p: { u: `https://shop.example${events[0]?.[0]}${source && `?utm_source=${source}`}` },
        },
      ),
    )
  }
  const bought = { revenue: { amount: '30.00', currency: 'EUR' } }
  // a sees the page from a letter, comes from an ad two days later and buys; b looks twice; c clicks an ad.
  await visit('a', 4 * DAY, 'letter', [['/'], ['/', 'click']])
  await visit('a', 2 * DAY, 'ad', [['/'], ['/', 'click'], ['/', 'purchase', bought]])
  await visit('b', 4 * DAY, 'letter', [['/'], ['/', 'click']])
  await visit('b', 3 * DAY, '', [['/pricing']])
  await visit('c', 2 * DAY, 'ad', [
    ['/', 'impression', { creative_id: 'x' }],
    ['/', 'impression', { creative_id: 'x' }],
    ['/', 'click', { creative_id: 'x' }],
  ])
  now = NOW
  await it.settled()
})
afterAll(() => it.close())

const post = (path: string, body: object, key = OWNER_KEY) =>
  fetch(`${it.url}/api/v2/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'user-agent': CHROME },
    body: JSON.stringify({ site_id: 'shop', date_range: '7d', ...body }),
  })
// biome-ignore lint/suspicious/noExplicitAny: each kind has results of its own
const ask = async (path: string, body: object): Promise<any> => {
  const response = await post(path, body)
  const answer = await response.json()
  if (response.status !== 200) throw new Error(JSON.stringify(answer))
  return answer
}

describe('an analysis', () => {
  test('funnel: by visit and by visitor', async () => {
    const steps = [
      { name: 'Saw', filters: [['is', 'event:name', ['pageview']]] },
      { filters: [['is', 'event:name', ['click']]] },
      { name: 'Bought', filters: [['is', 'event:goal', ['Order']]] },
    ]
    const { results, meta } = await ask('funnel', { steps })
    expect(results).toEqual([
      {
        name: 'Saw',
        reached: 4,
        of_first: 100,
        of_previous: 100,
        dropped: 0,
        seconds: { average: null, median: null },
      },
      { name: 'Step 2', reached: 3, of_first: 75, of_previous: 75, dropped: 1, seconds: { average: 1, median: 1 } },
      { name: 'Bought', reached: 1, of_first: 25, of_previous: 33.33, dropped: 2, seconds: { average: 1, median: 1 } },
    ])
    expect(meta).toMatchObject({ exact: true, timezone: 'UTC' })
    const byVisitor = await ask('funnel', { steps, by: 'visitor' })
    expect(byVisitor.results.map(({ reached }: { reached: number }) => reached)).toEqual([2, 2, 1])
  })

  test('attribution: what it gives to whom, and in all', async () => {
    const of = async (model: string) =>
      Object.fromEntries(
        (await ask('attribution', { goal: 'Order', model })).results.map(
          ({ value, conversions, revenue }: { value: string; conversions: number; revenue: { value: number } }) => [
            value,
            [conversions, revenue.value],
          ],
        ),
      )
    expect(await of('last_click')).toEqual({ ad: [1, 30] })
    expect(await of('first')).toEqual({ letter: [1, 30] })
    expect(await of('linear')).toEqual({ ad: [0.5, 15], letter: [0.5, 15] })
    const { total } = await ask('attribution', { goal: 'Order', model: 'time_decay', half_life_days: 2 })
    expect(total).toMatchObject({ conversions: 1, revenue: { value: 30, currency: 'EUR' } })
    const decayed = await of('time_decay')
    expect(decayed.ad[0]).toBeGreaterThan(decayed.letter[0])
  })

  test('retention: by day', async () => {
    const { results } = await ask('retention', { period: 'day' })
    const [first] = results.filter(({ visitors }: { visitors: number }) => visitors > 0)
    expect(first).toMatchObject({ label: '2026-03-06', visitors: 2, returned: [2, 1, 1, 0], share: [100, 50, 50, 0] })
  })

  test('ctr: by creative', async () => {
    const { results } = await ask('ctr', { dimension: 'event:props:creative_id' })
    expect(results).toEqual([
      { value: 'x', impressions: 2, clicks: 1, ctr: 50, viewers: 1, clickers: 1, viewer_ctr: 100 },
      { value: '(none)', impressions: 0, clicks: 3, ctr: null, viewers: 0, clickers: 0, viewer_ctr: null },
    ])
  })

  test('journeys: where from and where to', async () => {
    const { results, total } = await ask('journeys', { page: '/' })
    expect(results).toEqual([{ page: '(exit)', views: 3, share: 100 }])
    expect(total).toEqual({ views: 3 })
    expect((await ask('journeys', { page: '/pricing', direction: 'previous' })).results).toEqual([
      { page: '(entry)', views: 1, share: 100 },
    ])
    expect((await ask('journeys', { page: '/nowhere' })).results).toEqual([])
  })

  test.each<[string, object, string]>([
    ['funnel', {}, 'steps: missing'],
    ['funnel', { steps: [{ filters: [['is', 'event:name', ['x']]] }] }, 'steps'],
    ['funnel', { steps: 2, color: 'red' }, 'color: there is no such field'],
    [
      'funnel',
      { steps: [{ filters: [['has_done', ['is', 'event:name', ['x']]]] }, { filters: [['is', 'event:name', ['x']]] }] },
      'has_done and has_not_done go into filters',
    ],
    ['attribution', { goal: 'Order' }, 'model: missing'],
    ['attribution', { goal: 'order', model: 'linear' }, 'no goal of the name "order"'],
    ['attribution', { goal: 'Order', model: 'best' }, 'model'],
    ['retention', { filters: [['is', 'event:page', ['/']]] }, 'filters: of visits'],
    ['retention', { period: 'hour' }, 'period'],
    ['ctr', {}, 'dimension: missing'],
    ['ctr', { dimension: 'event:goal' }, 'dimension'],
    ['journeys', {}, 'page: missing'],
    ['journeys', { page: '/', date_range: 'soon' }, 'date_range'],
    ['journeys', { page: '/', filters: [['matches', 'event:page', ['(']]] }, 'not a regular expression'],
  ])('%s with %j is refused with what is wrong', async (path, body, detail) => {
    const response = await post(path, body)
    const problem = await response.json()
    expect([response.status, problem.code]).toEqual([400, 'query-invalid'])
    expect(problem.detail).toContain(detail)
  })

  test('a query says how it was answered, where it is asked to', async () => {
    const query = { metrics: ['visitors', 'events'], dimensions: ['event:page'], date_range: '30d' }
    const filters = [['is', 'visit:source', ['letter']]]
    const { meta } = await ask('query', { ...query, filters, include: { explain: true } })
    const [only, other] = meta.explain
    expect(other).toBeUndefined()
    const over = { over: 'matches', measures: ['visitors', 'events'], dimensions: ['event:page'], filters: 1 }
    expect(only).toMatchObject({ ...over, engines: ['hours', 'minutes', 'sketches', 'blocks', 'scan'], rows: 1 })
    expect((await ask('query', query)).meta.explain).toBeUndefined()
  })

  test('needs a right to read the site', async () => {
    const { key } = await addKey(it.db, { name: 'writer', scope: 'write', sites: ['shop'] })
    expect((await post('journeys', { page: '/' }, key)).status).toBe(403)
    expect((await post('journeys', { page: '/' }, 'nobody')).status).toBe(401)
    expect((await post('journeys', { page: '/', site_id: 'other' })).status).toBe(404)
  })
})
