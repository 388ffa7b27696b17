/** Tallies of a block: what is counted of them is what is counted of its events. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type EventRead, type SessionRead, startBlock } from '../../collector/columns/build.ts'
import { type Block, type Column, TALLIES, type TallyField, tallied } from '../../collector/columns/index.ts'
import { startVisitors } from '../../collector/columns/visitors.ts'
import { hasWholeBlocks, tallyFor } from '../../collector/query/block-tallies.ts'
import type { Ask, Measure } from '../../collector/query/engine.ts'
import { scanHere } from '../../collector/query/scanning.ts'
import type { Site } from '../../collector/sites/index.ts'

const FROM = Date.parse('2026-03-10T00:00:00Z')
const DAY = 86_400_000
const SOURCES = ['direct', 'google', 'bing']
const never = new AbortController().signal
const one = <T>(...of: T[]) => fc.constantFrom(...of)

/** Sessions of several visitors, events of no session, of nobody and of bots. */
const happened = fc.array(
  fc.record({
    session: one(0, 1, 2, undefined),
    visitor: one('a', 'b', undefined),
    bot: one(undefined, undefined, undefined, 'Googlebot'),
    name: one('pageview', 'pageview', 'click'),
    // More than are looked at for the same one.
    path: one(...Array.from({ length: 25 }, (_, i) => `/${i}`)),
    host: one('shop.example', 'www.shop.example', undefined),
  }),
  { minLength: 1, maxLength: 120 },
)

let blocks = 0
/** @param isApart whether the sessions are cookieless days of two visits each */
function blockOf(events: typeof happened extends fc.Arbitrary<infer T> ? T : never, isApart = false): Block {
  const builder = startBlock({ site: 'shop', from: FROM, to: FROM + DAY, properties: [], seed: [1, 2] })
  for (const [i, source] of SOURCES.entries()) {
    const of = (from: number, to: number, views: number) =>
      ({ start: new Date(FROM + from), end: new Date(FROM + to), views, events: views + 1 }) as const
    const visits = isApart && { visits: [of(0, 400 + i, 1), of(401 + i, 1_000, 3)] }
    const session = { _id: `shop:s${i}`, site: 'shop', ...of(i, 1_000, 2), visitor: 'a', source, ...visits }
    // One of which nothing is known yet.
    if (i < 2) builder.addSession(session as unknown as SessionRead)
  }
  for (const [i, { session, visitor, bot, name, path, host }] of events.entries())
    builder.addEvent({
      ...{ ts: new Date(FROM + ((i * 37) % 1_000)), meta: { site: 'shop', name }, path },
      ...(session !== undefined && { session: `s${session}` }),
      ...(visitor && { visitor }),
      ...(bot && { bot }),
      ...(host && { host }),
    } as EventRead)
  const block = builder.done()
  const ids = startVisitors().idsOf((block.columns.get('who.hash') as Column).numbers)
  // As one that is kept.
  return { ...block, id: `block ${++blocks}`, columns: new Map([...block.columns, ['who.id', ids]]) }
}

const DIMENSIONS = { path: 'event:page', host: 'event:hostname', name: 'event:name' } as const
const asking = (field: TallyField, more: Partial<Ask> = {}): Ask => ({
  site: { key: 'shop', timezone: 'UTC' } as Site,
  range: { from: FROM, to: FROM + DAY, isDays: true },
  grid: undefined,
  over: 'matches',
  measures: ['visitors', 'events'],
  dimensions: [DIMENSIONS[field]],
  filters: [],
  bots: 'none',
  pagesOnly: false,
  exact: true,
  page: { order: [['visitors', -1]], limit: 5, offset: 0, total: true },
  ...more,
})
const is = (attribute: string, ...values: string[]) =>
  ({ kind: 'is', attribute, values, exactCase: true }) as Ask['filters'][number]
const MEASURES: Measure[] = ['events', 'pageviews', 'visitors', 'visits', 'views', 'bounces', 'duration']

test('what is counted of pages, hosts and names is the same as of events', async () => {
  let rows = 0
  await fc.assert(
    fc.asyncProperty(
      happened,
      fc.boolean(),
      one<TallyField>('path', 'host', 'name'),
      one<(field: TallyField) => Partial<Ask>>(
        () => ({}),
        () => ({ filters: [is('visit:source', 'google', '(none)')] }),
        field => ({ filters: [{ kind: 'not', of: is(DIMENSIONS[field], '/1', 'click', 'shop.example') }] }),
        field => ({
          filters: [
            { kind: 'or', of: [is('visit:source', 'direct'), { kind: 'not', of: is('visit:source', 'bing') }] },
            is(DIMENSIONS[field], '/3', '/4', 'pageview', '(none)'),
          ],
        }),
        field => ({
          filters: [{ kind: 'or', of: [is('visit:source', 'google'), is(DIMENSIONS[field], '/3', 'click')] }],
          dimensions: ['visit:source'],
        }),
        field => ({ dimensions: ['visit:source', DIMENSIONS[field]] }),
        field => ({ filters: [is(DIMENSIONS[field], '/7', 'click', '(none)')], dimensions: [] }),
      ),
      fc.subarray(MEASURES, { minLength: 1 }),
      fc.boolean(),
      async (events, isApart, field, asked, measures, pagesOnly) => {
        const block = blockOf(events, isApart)
        const ask = asking(field, { measures, pagesOnly, ...asked(field) })
        expect(tallyFor(ask)).toBe(field)
        const supply = {
          blocks: async function* () {
            yield block
          },
          fits: async () => new Set<string>(),
        }
        const answers = await Promise.all(
          [ask, { ...ask, tallied: field }].map(ask => scanHere({ of: 'rows', ask }, supply, never)),
        )
        const inOrder = answers.map(({ rows, ...rest }) => ({
          ...rest,
          rows: rows.toSorted((a, b) => (JSON.stringify(a.values) < JSON.stringify(b.values) ? -1 : 1)),
        }))
        expect(inOrder[1]).toEqual(inOrder[0])
        rows += answers[0]?.rows.length ?? 0
      },
    ),
    { numRuns: 1_000 },
  )
  expect(rows).toBeGreaterThan(1_000)
})

test('events of a session that have the same are one', () => {
  const of = (n: number, path: string, name: 'click' | 'pageview') =>
    Array.from({ length: n }, () => ({
      ...{ session: 0, visitor: 'a' as const, bot: undefined },
      ...{ name, path, host: undefined },
    }))
  const block = blockOf([...of(30, '/1', 'pageview'), ...of(20, '/2', 'pageview'), ...of(50, '/1', 'click')])
  expect(block.events).toBe(100)
  const { events, columns } = tallied(block, 'path')
  const numbers = ['event.count', 'event.views'].map(name => [...(columns.get(name as 'event.views')?.numbers ?? [])])
  const texts = columns.get('event.path')?.texts ?? []
  const first = texts.indexOf('/1')
  expect([events, texts.toSorted()]).toEqual([2, ['/1', '/2']])
  expect([numbers[0]?.[first], numbers[1]?.[first]]).toEqual([80, 30])
  expect([numbers[0]?.[1 - first], numbers[1]?.[1 - first]]).toEqual([20, 20])
})

test('what they do not tell is asked of events', () => {
  const others: Partial<Ask>[] = [
    { bots: 'all' },
    { measures: ['revenue'] },
    { dimensions: ['event:page', 'event:name'] },
    { dimensions: ['event:goal'] },
    { dimensions: ['visit:source'] },
    { filters: [is('event:name', 'click')] },
    { filters: [is('event:props:plan', 'pro')] },
    { filters: [{ kind: 'done', of: is('event:page', '/1') }] },
    { over: 'visits' },
  ]
  expect(TALLIES.map(field => tallyFor(asking(field)))).toEqual(TALLIES)
  expect(others.map(other => tallyFor(asking('path', other)))).toEqual(others.map(() => undefined))
})

test('parts of a day, and hours, are asked of events', () => {
  const days = [{ from: FROM, to: FROM + DAY }]
  const gaps = [{ from: FROM + DAY, to: FROM + 2 * DAY }]
  const range = { from: FROM, to: FROM + 2 * DAY, isDays: true }
  const whole = (more: Partial<Ask>): boolean => hasWholeBlocks(asking('path', { range, ...more }), { days, gaps })
  const gridOf = (...starts: number[]): Ask['grid'] => ({ unit: 'day', starts, labels: [], partial: [] })
  expect([whole({}), whole({ grid: gridOf(FROM, FROM + DAY) }), whole({ grid: gridOf(FROM) })]).toEqual(
    Array(3).fill(true),
  )
  expect([
    whole({ range: { ...range, from: FROM + 1 } }),
    whole({ range: { ...range, to: range.to - 1 } }),
    whole({ grid: gridOf(FROM, FROM + DAY / 24) }),
    whole({ grid: gridOf(FROM, FROM + DAY - 1) }),
  ]).toEqual(Array(4).fill(false))
})

test('a list of many pages has those with most visitors, whenever these came', async () => {
  // The later a page comes, the more it is looked at: none of the first has most.
  const perDay = 120
  const pathsOf = (day: number) => Array.from({ length: 100 }, (_, i) => `/${day}/${i}`)
  const seen = new Map<string, Set<string>>()
  const days = [0, 1, 2, 3, 4].map(day => {
    const from = FROM + day * DAY
    const builder = startBlock({ site: 'shop', from, to: from + DAY, properties: [], seed: [1, 2] })
    for (let v = 0; v < perDay * (day + 1); v++) {
      const [visitor, start] = [`v${v}`, new Date(from + v)]
      const session = { start, end: start, views: 3, events: 3, visitor, source: 'direct' }
      builder.addSession({ _id: `shop:${day}-${v}`, site: 'shop', ...session } as unknown as SessionRead)
      for (const n of [0, 1, 2]) {
        const path = pathsOf(day)[(v * 7 + n * n * v) % (20 + ((v * 31) % 80))] as string
        if (!seen.has(path)) seen.set(path, new Set())
        seen.get(path)?.add(visitor)
        const event = { ts: new Date(+start + n), meta: { site: 'shop', name: 'pageview' }, path, visitor }
        builder.addEvent({ ...event, session: `${day}-${v}` } as EventRead)
      }
    }
    return builder.done()
  })
  const visitors = startVisitors()
  const kept = days.map((block, day): Block => {
    const id = `many ${day}`
    const ids = visitors.idsOf((block.columns.get('who.hash') as Column).numbers, id)
    return { ...block, id, columns: new Map([...block.columns, ['who.id', ids]]) }
  })
  const supply = {
    blocks: async function* () {
      yield* kept
    },
    fits: async () => new Set<string>(),
  }
  const range = { from: FROM, to: FROM + days.length * DAY, isDays: true }
  const page: Ask['page'] = {
    order: [
      ['visitors', -1],
      ['event:page', 1],
    ],
    limit: 12,
    offset: 3,
    total: true,
  }
  const asked = asking('path', { range, page, pagesOnly: true, measures: ['visitors', 'pageviews'] })
  const most = [...seen]
    .map(([path, who]) => [path, who.size] as const)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const byPath = { ...asked, tallied: 'path' as const }
  for (const ask of [asked, byPath, { ...byPath, blocks: 'many' }]) {
    const { rows, total } = await scanHere({ of: 'rows', ask }, supply, never)
    expect(total).toBe(seen.size)
    expect(rows.map(({ values, counts }) => [values[0], counts.visitors])).toEqual(most.slice(3, 15))
  }
})
