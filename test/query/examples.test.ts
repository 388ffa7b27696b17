/** What Plausible's documentation of its Stats API v2 shows (https://plausible.io/docs/stats-api), asked of livetag. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { QueryAnswer } from '../../collector/query/index.ts'
import { addKey, readGoal } from '../../collector/sites/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

const NOW = Date.parse('2026-03-10T12:34:56Z')
const HOUR = 3_600_000
const DAY = 24 * HOUR

let it: TestCollector
let key = ''
let now = NOW
beforeAll(async () => {
  const goals = [
    { name: 'Signup', event: 'signup' },
    { name: 'Visit /pricing', page: '/pricing' },
    { name: 'PurchaseUSD', event: 'order', where: [{ property: 'in', is: ['USD'] }] },
    { name: 'PurchaseEUR', event: 'order', where: [{ property: 'in', is: ['EUR'] }] },
  ].map(goal => readGoal(goal, new Date(0)))
  it = await startCollector({ clock: () => now, sites: [{ key: 'dummy.site', domain: 'dummy.site', goals }] })
  key = (await addKey(it.db, { name: 'a client', scope: 'read', sites: ['dummy.site'] })).key
  let n = 0
  for (const ago of [0.1, 2 * HOUR, DAY, 3 * DAY, 3 * DAY + HOUR, 40 * DAY, 100 * DAY]) {
    now = NOW - ago
    n++
    await it.deliver(
      envelope([{}, { n: 'signup', t: -1_000, d: { is_customer: n % 2 === 0 } }], {
        s: 'dummy.site',
        t: now,
        i: `v${n % 3}`,
        k: `s${n}`,
        p: { u: `https://dummy.site/${n % 2 ? 'docs/Blog' : 'pricing'}?utm_source=news&utm_medium=email` },
      }),
    )
  }
  const orders = [
    ['USD', 10.1],
    ['USD', '20.20'],
    ['EUR', 5],
  ].map(([currency, amount]) => ({ n: 'order', d: { in: currency, revenue: { amount, currency } } }))
  now = NOW - 150 * DAY
  await it.deliver(envelope(orders, { s: 'dummy.site', t: now, i: 'v1', k: 'orders' }))
  now = NOW
  await it.settled()
})
afterAll(() => it.close())

const post = (query: object) =>
  fetch(`${it.url}/api/v2/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ site_id: 'dummy.site', ...query }),
  })
const ask = async (query: object): Promise<QueryAnswer> => {
  const response = await post(query)
  const body = await response.json()
  if (response.status !== 200) throw new Error(JSON.stringify(body))
  return body as QueryAnswer
}

const week = { metrics: ['visitors'], date_range: '7d' }

describe('an example of the documentation is answered', () => {
  test.each<[string, object]>([
    ['simple aggregate', { metrics: ['visitors', 'events'], date_range: '7d' }],
    ['custom date range', { metrics: ['visitors'], date_range: ['2024-08-01', '2024-08-15'] }],
    [
      'UTM medium and source',
      {
        metrics: ['visitors', 'events', 'pageviews'],
        date_range: '7d',
        dimensions: ['visit:utm_medium', 'visit:utm_source'],
      },
    ],
    ['ignoring case', { ...week, filters: [['contains', 'event:page', ['blog'], { case_sensitive: false }]] }],
    [
      'timeseries',
      {
        metrics: ['visitors', 'events'],
        date_range: '7d',
        filters: [['is', 'visit:os', ['GNU/Linux', 'Mac']]],
        dimensions: ['time:day'],
      },
    ],
    [
      'hourly, with labels',
      { metrics: ['visitors'], date_range: 'day', dimensions: ['time:hour'], include: { time_labels: true } },
    ],
    [
      'custom properties',
      {
        ...week,
        dimensions: ['time:day', 'event:props:is_customer'],
        order_by: [
          ['time:day', 'asc'],
          ['event:props:is_customer', 'desc'],
        ],
      },
    ],
    [
      'pagination',
      {
        metrics: ['visitors', 'events', 'pageviews'],
        date_range: '7d',
        dimensions: ['visit:utm_medium', 'visit:utm_source'],
        include: { total_rows: true },
        pagination: { limit: 3, offset: 1 },
      },
    ],
    [
      'imported data',
      { metrics: ['visitors'], date_range: 'all', dimensions: ['visit:source'], include: { imports: true } },
    ],
    [
      'country and city',
      {
        metrics: ['visitors', 'pageviews', 'bounce_rate'],
        date_range: '7d',
        filters: [['is_not', 'visit:country_name', ['']]],
        dimensions: ['visit:country_name', 'visit:city_name'],
      },
    ],
    [
      'filtering by page and country',
      {
        ...week,
        filters: [
          ['contains', 'event:page', ['/docs', '/pricing']],
          [
            'or',
            [
              ['not', ['is', 'visit:utm_campaign', ['Referral']]],
              ['is', 'visit:country_name', ['Estonia', 'United States of America']],
            ],
          ],
        ],
      },
    ],
    [
      'imported data failed',
      {
        metrics: ['visitors'],
        date_range: 'all',
        dimensions: ['visit:source'],
        filters: [['is', 'visit:country_name', ['Estonia']]],
        include: { imports: true },
      },
    ],
  ])('%s', async (_, query) => {
    const { results, meta, query: understood } = await ask(query)
    const { metrics, dimensions = [] } = query as { metrics: string[]; dimensions?: string[] }
    for (const row of results) {
      expect(row.metrics).toHaveLength(metrics.length)
      expect(row.dimensions).toHaveLength(dimensions.length)
    }
    expect(meta).toMatchObject({ exact: true, timezone: 'UTC', fresh: new Date(NOW).toISOString() })
    expect(['rollups', 'sessions', 'events']).toContain(meta.source)
    expect(understood).toMatchObject({ site_id: 'dummy.site', metrics, dimensions })
  })
})

describe('an example of the documentation is refused', () => {
  test.each<[string, object, string]>([
    [
      'a segment',
      { metrics: ['visitors', 'events'], filters: [['is', 'segment', [2]]], date_range: '7d' },
      'There are no saved segments',
    ],
  ])('%s', async (_, query, why) => {
    const response = await post(query)
    const problem = (await response.json()) as { code: string; detail: string }
    expect([response.status, problem.code]).toEqual([400, 'query-unsupported'])
    expect(problem.detail).toContain(why)
  })

  test('without what is refused it is answered: page and campaign, events by what was done before', async () => {
    const some = [
      ['contains', 'event:page', ['/docs', '/pricing']],
      [
        'or',
        [
          ['not', ['is', 'visit:utm_campaign', ['Referral']]],
          ['is', 'visit:os', ['Linux']],
        ],
      ],
    ]
    expect((await ask({ ...week, filters: some })).results).toEqual([{ metrics: [3], dimensions: [] }])
    const done = [
      ['is', 'event:name', ['signup']],
      ['has_done', ['is', 'event:page', ['/pricing']]],
    ]
    const { results } = await ask({ metrics: ['visitors', 'events'], date_range: 'all', filters: done })
    expect(results).toEqual([{ metrics: [3, 3], dimensions: [] }])
  })
})

describe('an example with goals is answered', () => {
  const usd = { value: 30.3, currency: 'USD', short: '$30.3', long: '$30.30' }

  test('revenue metrics, by goal', async () => {
    const { results } = await ask({ metrics: ['total_revenue'], date_range: 'all', dimensions: ['event:goal'] })
    expect(results).toEqual([
      { metrics: [usd], dimensions: ['PurchaseUSD'] },
      { metrics: [{ value: 5, currency: 'EUR', short: '€5', long: '€5.00' }], dimensions: ['PurchaseEUR'] },
      { metrics: [null], dimensions: ['Signup'] },
      { metrics: [null], dimensions: ['Visit /pricing'] },
    ])
  })

  test('revenue warning: several currencies, no goal, a goal that is worth nothing', async () => {
    const metrics = ['total_revenue']
    const filters = [['is', 'event:goal', ['PurchaseUSD', 'PurchaseEUR']]]
    const several = await ask({ metrics, date_range: 'all', filters })
    expect(several.results).toEqual([{ metrics: [null], dimensions: [] }])
    expect(several.meta.metric_warnings).toMatchObject({ total_revenue: { code: 'no_single_revenue_currency' } })
    for (const more of [{}, { filters: [['is', 'event:goal', ['Signup']]] }]) {
      const { results, meta } = await ask({ metrics, date_range: 'all', ...more })
      expect(results).toEqual([{ metrics: [null], dimensions: [] }])
      expect(meta.metric_warnings).toMatchObject({ total_revenue: { code: 'no_revenue_goals_matching' } })
    }
  })

  test('behavioral filters, with a goal', async () => {
    const filters = [
      ['is', 'event:goal', ['Signup']],
      ['has_done', ['is', 'event:page', ['/pricing']]],
    ]
    const { results } = await ask({ metrics: ['visitors', 'events'], date_range: 'all', filters })
    expect(results).toEqual([{ metrics: [3, 3], dimensions: [] }])
  })

  test('conversion rates: of all visitors, and of those of the same group', async () => {
    const metrics = ['visitors', 'conversion_rate', 'group_conversion_rate']
    const filters = [['is', 'event:goal', ['Visit /pricing']]]
    const by = { metrics, date_range: 'all', filters, dimensions: ['visit:entry_page'] }
    // Three visitors, of whom all have come by /pricing, and three by another page.
    expect((await ask(by)).results).toEqual([{ metrics: [3, 100, 100], dimensions: ['/pricing'] }])
    const ordered = { ...by, order_by: [['group_conversion_rate', 'desc']] }
    expect((await ask(ordered)).results).toEqual((await ask(by)).results)
  })

  test('average revenue is rounded to minor units, and compared as its value is', async () => {
    const one = { metrics: ['average_revenue'], filters: [['is', 'event:goal', ['PurchaseUSD']]] }
    expect((await ask({ ...one, date_range: 'all' })).results[0]?.metrics).toEqual([
      { value: 15.15, currency: 'USD', short: '$15.2', long: '$15.15' },
    ])
    const day = new Date(NOW - 150 * DAY).toISOString().slice(0, 10)
    const include = { comparisons: { mode: 'custom', date_range: [day, day] } }
    const { results } = await ask({ ...one, date_range: [day, day], include })
    expect(results[0]?.comparison?.change).toEqual([0])
  })

  test('a conversion rate without a goal, or with one beside other things in an "or", is refused', async () => {
    const mixed = [
      'or',
      [
        ['is', 'event:goal', ['Signup']],
        ['is', 'visit:source', ['direct']],
      ],
    ]
    for (const filters of [[], [mixed]]) {
      const response = await post({ metrics: ['conversion_rate'], date_range: '7d', filters })
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'query-invalid'])
    }
  })
})

const METRICS = ['visitors', 'visits', 'pageviews', 'views_per_visit', 'bounce_rate', 'visit_duration', 'events']
const LATER = ['scroll_depth', 'time_on_page']
const DIMENSIONS = [
  ...[
    'event:page',
    'event:hostname',
    'event:props:is_customer',
    'event:goal',
    'time',
    'time:hour',
    'time:day',
    'time:week',
    'time:month',
  ],
  ...['entry_page', 'entry_page_hostname', 'exit_page', 'source', 'referrer', 'channel', 'utm_medium'].map(
    of => `visit:${of}`,
  ),
  ...[
    'utm_source',
    'utm_campaign',
    'utm_content',
    'utm_term',
    'device',
    'browser',
    'browser_version',
    'os',
    'country',
    'region',
    'city',
    'country_name',
    'city_name',
  ].map(of => `visit:${of}`),
]
const NO_DIMENSIONS = [...['exit_page_hostname', 'os_version', 'region_name'].map(of => `visit:${of}`)]

test('the description of the API is there for anybody', async () => {
  const response = await fetch(`${it.url}/api/v2/openapi.json`)
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ openapi: '3.1.0', paths: { '/query': { post: {} } } })
})

describe('every documented name is answered, or refused with what to ask instead', () => {
  test.each(METRICS)('metric %s', async metric => {
    expect((await ask({ metrics: [metric], date_range: '7d' })).results[0]?.metrics[0]).toBeTypeOf('number')
  })
  test('metric percentage', async () => {
    const { results } = await ask({ metrics: ['percentage'], date_range: '7d', dimensions: ['visit:entry_page'] })
    expect(results.map(({ metrics: [share] }) => share)).toEqual([66.67, 33.33])
  })
  test.each(DIMENSIONS)('dimension %s', async dimension => {
    const { results } = await ask({ metrics: ['visitors'], date_range: '91d', dimensions: [dimension] })
    expect(results.length).toBeGreaterThan(0)
  })
  test.each([
    ...['day', '24h', '7d', '28d', '30d', '91d', 'month', '6mo', '12mo', 'year', 'all', '30m', '6h'],
    ['2024-01-01T12:00:00+02:00', '2024-01-01T15:59:59+02:00'],
  ])('date_range %s', async date_range => {
    expect((await ask({ metrics: ['visits', 'events'], date_range, dimensions: ['time'] })).meta.exact).toBe(true)
  })
  test.each([
    'is',
    'is_not',
    'contains',
    'contains_not',
    'matches',
    'matches_not',
    'matches_wildcard',
    'matches_wildcard_not',
  ])('operator %s', async operator => {
    const of = async (name: string) =>
      (await ask({ metrics: ['events'], date_range: 'all', filters: [[name, 'event:page', ['/pricing']]] })).results[0]
    expect((await of(operator))?.metrics).toEqual([operator.endsWith('_not') ? 11 : 6])
  })
  test.each([...LATER.map(name => ['metrics', name]), ...NO_DIMENSIONS.map(name => ['dimensions', name])])(
    '%s: not %s',
    async (field, name) => {
      const response = await post({ ...week, [field]: [name] })
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'query-unsupported'])
    },
  )
})
