import Schema from 'typebox/schema'
import { describe, expect, test } from 'vitest'
import { openApi } from '../../collector/openapi.ts'
import { PROBLEMS } from '../../collector/problem.ts'

const description = openApi() as { components: { schemas: Record<string, object> }; paths: object }
/** Checked as 2020-12, by a validator that knows nothing of where the schemas come from. */
const checkerOf = (name: string) => {
  const $ref = `#/components/schemas/${name}`
  const compiled = Schema.Compile({ $ref, components: description.components } as never)
  return (value: unknown): boolean => compiled.Check(value)
}

const good = {
  site_id: 'shop',
  metrics: ['visitors', 'bounce_rate'],
  date_range: ['2026-03-01', '2026-03-31'],
  dimensions: ['time:day', 'visit:source'],
  filters: [
    [
      'or',
      [
        ['not', ['is', 'visit:os', ['Linux']]],
        ['contains', 'event:props:plan', ['pro', 5], { case_sensitive: false }],
      ],
    ],
    ['has_done', ['matches', 'event:page', ['^/shoes']]],
  ],
  order_by: [['visitors', 'desc']],
  include: { total_rows: true, comparisons: { mode: 'previous_period' } },
  pagination: { limit: 10 },
}

describe('the description', () => {
  test('has no reference to what is not there, and nothing of an older draft', () => {
    const text = JSON.stringify(description)
    for (const [, name = ''] of text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(description.components.schemas)).toContain(name)
    expect(text).not.toMatch(/"\$ref":"[^#]|additionalItems|"items":\[|\$defs/)
    expect(JSON.parse(text)).toEqual(description)
  })

  test.each<[string, object, boolean]>([
    ['a query', good, true],
    ['the least of one', { site_id: 'shop', metrics: ['events'], date_range: '7d' }, true],
    ['no site', { metrics: ['events'], date_range: '7d' }, false],
    ['an unknown metric', { ...good, metrics: ['visitor'] }, false],
    ['a range of three', { ...good, date_range: ['2026-03-01', '2026-03-02', '2026-03-03'] }, false],
    ['a filter without values', { ...good, filters: [['is', 'visit:os']] }, false],
    ['a nested one that is wrong', { ...good, filters: [['not', ['not', ['like', 'visit:os', ['x']]]]] }, false],
    ['a field too many', { ...good, filter: [] }, false],
  ])('of %s says what the collector says', (_, query, expected) => {
    expect(checkerOf('Query')(query)).toBe(expected)
  })

  test('knows goals and properties, as they are sent and as they are answered', () => {
    const since = '2026-03-10T12:00:00.000Z'
    const order = { name: 'Order', event: 'order', where: [{ property: 'plan', is: ['pro'] }] }
    const worth = { ...order, value: { amount: '49.90', currency: 'EUR' } }
    expect(checkerOf('GoalInput')(worth)).toBe(true)
    expect(checkerOf('GoalInput')({ ...worth, since })).toBe(false)
    expect(checkerOf('Goal')({ ...order, value: { amount: 4_990, currency: 'EUR' }, since })).toBe(true)
    expect(checkerOf('Goal')({ ...worth, since })).toBe(false)
    expect(checkerOf('PropertyInput')({ name: 'plan' })).toBe(true)
    for (const name of ['', '$plan', 'a.b', 'a\nb', 'x'.repeat(101)])
      expect(checkerOf('PropertyInput')({ name }), name).toBe(false)
    expect(checkerOf('Property')({ name: 'plan', since })).toBe(true)
    expect(Object.keys(description.paths)).toEqual([
      ...[
        '/query',
        '/funnel',
        '/attribution',
        '/retention',
        '/ctr',
        '/journeys',
        '/events',
        '/sessions',
        '/stream',
        '/goals',
        '/properties',
      ],
      ...['/mailings', '/mailings/withdraw', '/mailings/restore', '/mailings/last-opens', '/mailings/{id}'],
      ...['/mailings/{id}/mint', '/mailings/{id}/report'],
      ...['/sites', '/keys', '/people', '/shares', '/me', '/share-tickets'],
      ...['/account', '/account/password', '/account/sign-out-everywhere'],
    ])
  })

  test('knows mailings, as they are sent and as they are answered', () => {
    const mailing = { name: 'March', policy: 'measure', links: ['https://shop.example/'], utm: { source: 'news' } }
    expect(checkerOf('MailingInput')(mailing)).toBe(true)
    for (const wrong of [{ ...mailing, policy: 'all' }, { ...mailing, id: 'x' }, { policy: 'none' }])
      expect(checkerOf('MailingInput')(wrong)).toBe(false)
    expect(checkerOf('MailingTold')({ delivered: 98 })).toBe(true)
    expect(checkerOf('MailingTold')({ delivered: -1 })).toBe(false)
    expect(checkerOf('Minted')({ recipient: 'a', pixel: null, links: [] })).toBe(true)
    expect(checkerOf('Recipient')({ recipient: '' })).toBe(false)
  })

  test('knows an answer and a problem', () => {
    const results = [{ metrics: [3, null], dimensions: ['2026-03-01', 'direct'] }]
    const meta = {
      source: 'sessions',
      exact: true,
      fresh: '2026-03-10T12:00:00.000Z',
      ms: 12,
      cached: false,
      timezone: 'UTC',
    }
    expect(checkerOf('Answer')({ results, meta, query: good })).toBe(true)
    expect(checkerOf('Answer')({ results: [{ metrics: ['3'], dimensions: [] }], meta, query: good })).toBe(false)
    const problem = { type: 'about:blank', title: '', status: 400, code: 'query-invalid', detail: '' }
    expect(checkerOf('Problem')(problem)).toBe(true)
    expect(checkerOf('Problem')({ ...problem, code: 'oh' })).toBe(false)
    expect(Object.keys(PROBLEMS)).toContain('query-invalid')
  })
})
