import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { addHours } from '../../collector/dashboard/live/today.ts'
import { courseOf, drawn, unitsFor } from '../../collector/dashboard/overview/course.ts'
import { clockText, daysOf, daysOfBucket, nameOf, shifted, today } from '../../collector/dashboard/overview/dates.ts'
import { sumsOf } from '../../collector/dashboard/overview/day.ts'
import { changeOf, metricOf } from '../../collector/dashboard/overview/metrics.ts'
import {
  DIMENSIONS,
  type Filter,
  OPERATORS,
  RANGES,
  readFilters,
  readShown,
  toggled,
  writeFilters,
} from '../../collector/dashboard/overview/params.ts'
import * as question from '../../collector/dashboard/overview/questions.ts'
import { createScreen, isNewer } from '../../collector/dashboard/overview/screen.ts'
import {
  answered,
  contains,
  kept,
  sumsAnswered,
  type Totals,
  ticked,
} from '../../collector/dashboard/overview/ticking.ts'
import { hrefOf, readAddress } from '../../collector/dashboard/shell/address.ts'
import type { Answer } from '../../collector/dashboard/shell/api.ts'
import { runsOf } from '../../collector/dashboard/ui/plot.ts'
import { cell, csv, fileName } from '../../collector/dashboard/ui/save.ts'
import { readQuery } from '../../collector/query/read-query.ts'
import type { QueryAnswer, QueryBody } from '../../collector/query/schema.ts'
import { meta, NOW } from './fixtures.ts'

const SITE = { key: 'shop', domain: '', consent: 'none', timezone: 'Europe/Berlin' } as const
const asking = (params: Record<string, string> = {}, goals = ['Purchase']): question.Asking => ({
  site: 'shop',
  shown: readShown(params),
  goals,
})
const answer = (
  metrics: QueryAnswer['results'][0]['metrics'],
  made: Partial<QueryAnswer['meta']> = {},
): QueryAnswer => ({
  results: [{ metrics, dimensions: [] }],
  meta: meta(made),
  query: { date_range: ['2026-03-04T00:00:00Z', '2026-03-04T23:59:59Z'], dimensions: ['time:hour'] },
})

const filter = fc.record({
  op: fc.constantFrom(...OPERATORS),
  dim: fc.oneof(
    fc.constantFrom(...Object.keys(DIMENSIONS)),
    fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }).map(name => `prop.${name}`),
  ),
  values: fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { minLength: 1, maxLength: 4 }),
})

describe('the address of the overview', () => {
  it('keeps any filters, whatever is in their values, through a whole URL', () => {
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 4 }), filters => {
        const well = filters.filter(one => JSON.stringify(one).isWellFormed())
        const href = hrefOf({ view: 'overview', share: null, site: 'shop', params: { f: writeFilters(well) } }, '/')
        const { pathname, search } = new URL(href, 'https://stats.example')
        expect(readFilters(readAddress(pathname, search, '/').params.f ?? '')).toEqual(well)
      }),
    )
  })

  it('is there to be read', () => {
    const f = 'is:page:/a,/b;is_not:source:google'
    expect(readFilters(f)).toEqual([
      { op: 'is', dim: 'page', values: ['/a', '/b'] },
      { op: 'is_not', dim: 'source', values: ['google'] },
    ])
    expect(hrefOf({ view: 'overview', share: null, site: 'shop', params: { f } }, '/')).toBe(
      `/overview?site=shop&f=${f}`,
    )
  })

  it('leaves out what it does not know, rather than asking for it', () => {
    expect(readFilters('is:nothing:1;bogus:page:/a;is:page;;is:constructor:x')).toEqual([])
    expect(readShown({ range: 'toString', compare: 'x', by: 'second', details: '__proto__' })).toEqual({
      ...readShown({}),
      metric: 'visitors',
    })
  })

  it('takes a value in, another beside it, and out again; and never wants what it excludes', () => {
    let filters: readonly Filter[] = toggled([], 'page', '/a')
    filters = toggled(filters, 'page', '/b')
    expect(writeFilters(filters)).toBe('is:page:/a,/b')
    filters = toggled(filters, 'page', '/a', true)
    expect(writeFilters(filters)).toBe('is:page:/b;is_not:page:/a')
    filters = toggled(toggled(filters, 'page', '/b'), 'page', '/a', true)
    expect(filters).toEqual([])
  })
})

describe('the questions of a screen', () => {
  const isRead = async (body: QueryBody) =>
    readQuery(JSON.parse(JSON.stringify(body)), { site: SITE, now: NOW, begin: async () => NOW - 1e9 } as never)

  it('are ones that the query API takes, for each range, comparison and filter', async () => {
    for (const range of [...Object.keys(RANGES), '2026-02-01..2026-02-28']) {
      for (const compare of ['previous', 'year', 'none']) {
        const of = asking({ range, compare, f: 'is:goal:Purchase;contains_not:prop.plan:a,b;is:page:/' })
        const bodies = [
          question.totals(of),
          question.totals(of, 'goals'),
          question.course(of, 'all', null),
          question.course(of, 'goals', 'day'),
          question.list(of, {
            dim: 'country',
            metrics: ['visitors', 'percentage'],
            limit: 8,
            search: 'Ä',
            total: true,
          }),
          question.bots(of),
        ]
        for (const body of bodies) expect(await isRead(body)).not.toHaveProperty('code')
      }
    }
  })

  it('ask for conversions of the goals that are filtered by, or of all', () => {
    expect(question.totals(asking({}), 'goals').filters).toEqual([['is', 'event:goal', ['Purchase']]])
    expect(question.totals(asking({ f: 'is:goal:Other' }), 'goals').filters).toEqual([['is', 'event:goal', ['Other']]])
  })
})

describe('days', () => {
  it('are the site’s own', () => {
    expect(today(Date.UTC(2026, 2, 4, 23, 30), 'Europe/Berlin')).toBe('2026-03-05')
    expect(clockText(Date.UTC(2026, 2, 4, 23, 30), 'America/New_York')).toBe('2026-03-04 18:30:00')
  })

  it.each([
    ['today', '2026-03-04', '2026-03-04'],
    ['yesterday', '2026-03-03', '2026-03-03'],
    ['7d', '2026-02-25', '2026-03-03'],
    ['month', '2026-03-01', '2026-03-31'],
    ['last-month', '2026-02-01', '2026-02-28'],
    ['6mo', '2025-09-01', '2026-02-28'],
    ['year', '2026-01-01', '2026-12-31'],
  ])('of %s are those that the collector counts', async (range, first, last) => {
    expect(daysOf(range, '2026-03-04')).toEqual({ first, last })
    const query = (await readQuery(question.totals(asking({ range, compare: 'none' })), {
      site: SITE,
      now: NOW,
      begin: async () => NOW,
    } as never)) as { range: { from: number; to: number } }
    expect(clockText(query.range.from, SITE.timezone)).toBe(`${first} 00:00:00`)
    expect(clockText(query.range.to - 1, SITE.timezone)).toBe(`${last} 23:59:59`)
  })

  it('go back and forth by as much, months by months, and by name where there is one', () => {
    expect(shifted('today', '2026-03-04', -1)).toBe('yesterday')
    expect(shifted('yesterday', '2026-03-04', 1)).toBe('today')
    expect(shifted('today', '2026-03-04', 1)).toBeUndefined()
    expect(shifted('month', '2026-03-04', -1)).toBe('last-month')
    expect(shifted('last-month', '2026-03-04', -1)).toBe('2026-01-01..2026-01-31')
    expect(shifted('7d', '2026-03-04', -1)).toBe('2026-02-18..2026-02-24')
    expect(shifted('24h', '2026-03-04', -1)).toBeUndefined()
    expect(nameOf({ first: '2026-03-04', last: '2026-03-04' }, '2026-03-04')).toBe('today')
  })

  it('of a bucket are the bucket’s', () => {
    expect(daysOfBucket('2026-02-01', 'month')).toEqual({ first: '2026-02-01', last: '2026-02-28' })
    expect(daysOfBucket('2026-03-02', 'week')).toEqual({ first: '2026-03-02', last: '2026-03-08' })
    expect(daysOfBucket('2026-03-04', 'week')).toEqual({ first: '2026-03-04', last: '2026-03-08' })
    expect(daysOfBucket('2026-03-04 10:00:00', 'hour')).toBeUndefined()
  })
})

describe('a screen', () => {
  function surroundings() {
    const asked: { body: QueryBody; signal: AbortSignal; resolve(answer: Answer<QueryAnswer>): void }[] = []
    const waits: (() => void)[] = []
    const screen = createScreen({
      ask: (body, signal) => new Promise(resolve => asked.push({ body, signal, resolve })),
      later: call => {
        waits.push(call)
        return () => {}
      },
      now: () => 0,
      changed: () => {},
    })
    return { screen, asked, waits }
  }
  const [one, two] = [question.totals(asking({})), question.totals(asking({ range: '7d' }))]

  it('never shows an answer of another address, and aborts what is no longer asked', async () => {
    const { screen, asked } = surroundings()
    screen.show({ totals: one })
    screen.show({ totals: two })
    expect(asked[0]?.signal.aborted).toBe(true)
    asked[0]?.resolve({ ok: true, body: answer([1]) })
    await Promise.resolve()
    expect(screen.of('totals', two).answer).toBeNull()
    asked[1]?.resolve({ ok: true, body: answer([2]) })
    await vi.waitFor(() => expect(screen.of('totals', two).answer?.results[0]?.metrics).toEqual([2]))
    expect(screen.of('totals', one).answer).toBeNull()
  })

  it('asks only what is new, and keeps what is shown while it asks again', async () => {
    const { screen, asked } = surroundings()
    screen.show({ totals: one })
    asked[0]?.resolve({ ok: true, body: answer([1]) })
    await vi.waitFor(() => expect(screen.of('totals', one).since).toBeNull())
    screen.show({ totals: one, list: two })
    expect(asked).toHaveLength(2)
    screen.again()
    expect(asked).toHaveLength(3)
    asked[2]?.resolve({ ok: false, problem: { code: 'unreachable', status: 0, title: 'away' } })
    await vi.waitFor(() => expect(screen.of('totals', one).problem?.title).toBe('away'))
    expect(screen.of('totals', one).answer?.results[0]?.metrics).toEqual([1])
  })

  it('asks once more where it was told to before there was an answer, which may not have what there is by now', async () => {
    const { screen, asked } = surroundings()
    screen.show({ totals: one })
    screen.again()
    screen.again()
    expect(asked).toHaveLength(1)
    asked[0]?.resolve({ ok: true, body: answer([1]) })
    await vi.waitFor(() => expect(asked).toHaveLength(2))
    expect(screen.of('totals', one).answer?.results[0]?.metrics).toEqual([1])
    asked[1]?.resolve({ ok: true, body: answer([2]) })
    await vi.waitFor(() => expect(screen.of('totals', one).answer?.results[0]?.metrics).toEqual([2]))
    expect(screen.of('totals', one).since).toBeNull()
    expect(asked).toHaveLength(2)
  })

  it('does not go back to an answer that was made before', () => {
    const late = answer([1], { fresh: new Date(NOW - 1).toISOString() })
    expect(isNewer(late, answer([2]))).toBe(false)
    expect(isNewer(answer([2]), late)).toBe(true)
  })

  it('stops what has no answer, says so, and asks again when told to', async () => {
    const { screen, asked } = surroundings()
    screen.show({ totals: one })
    screen.stop()
    expect(asked[0]?.signal.aborted).toBe(true)
    expect(screen.of('totals', one)).toMatchObject({ isStopped: true, since: null })
    screen.again('failed')
    expect(asked).toHaveLength(2)
    expect(screen.of('totals', one).isStopped).toBe(false)
  })

  it('waits its turn where others are asking too', async () => {
    const { screen, asked, waits } = surroundings()
    screen.show({ totals: one })
    asked[0]?.resolve({ ok: false, problem: { code: 'too-many-queries', status: 429, title: '' } })
    await vi.waitFor(() => expect(waits).toHaveLength(1))
    expect(screen.of('totals', one).problem).toBeNull()
    waits[0]?.()
    expect(asked).toHaveLength(2)
  })
})

describe('totals that tick', () => {
  const day = { start: Date.UTC(2026, 2, 4), end: Date.UTC(2026, 2, 5) }
  const at = Date.UTC(2026, 2, 4, 10)
  const snapshot = addHours(null, {
    ...day,
    hours: [
      [at, 'total', '', 10, 6],
      [at, 'visits', '', 9, 6, 3, 1, 90_000],
      [at, 'goal', 'Purchase', 5],
    ],
    visitors: { count: 2, at: NOW },
  })

  it('are the stream’s day, goals left out', () => {
    expect(sumsOf(snapshot)).toEqual({ events: 10, pageviews: 6, visits: 3, views: 6, bounces: 1, duration: 90_000 })
    const after = addHours(snapshot, { ...day, hours: [[at, 'visits', '', 1, 1, 0, -1]] })
    expect(sumsOf(after)).toMatchObject({ visits: 3, views: 7, bounces: 0 })
    expect(sumsOf(snapshot).views).toBe(6)
    expect(after.visitors?.count).toBe(2)
  })

  it('begin anew with another day', () => {
    const next = addHours(snapshot, { start: day.end, end: day.end + 86_400_000, hours: [] })
    expect(sumsOf(next).events).toBe(0)
  })

  it('add up with the days before, rates too', () => {
    const before = sumsAnswered(answer([50, 7, 14, 2, 42.86, 10, 30]))
    expect(before).toEqual({ events: 30, pageviews: 14, visits: 7, views: 14, bounces: 3, duration: 70_000 })
    const totals = ticked(snapshot, before, NOW)
    expect(Object.fromEntries(Object.entries(totals).map(([key, { value }]) => [key, value]))).toEqual({
      events: 40,
      pageviews: 20,
      visits: 10,
      views_per_visit: 2,
      bounce_rate: 40,
      visit_duration: 16,
    })
    expect(ticked(snapshot, null, NOW).visitors).toEqual({ value: 2, at: NOW })
    // Of the day before, as another day has begun and they are not counted yet.
    const next = { ...snapshot, start: NOW + 1, end: day.end + 86_400_000 }
    expect(ticked(next, null, NOW + 1)).not.toHaveProperty('visitors')
  })

  it('are of a range only where it contains the whole day', () => {
    const of = (first: string, last: string) => contains({ ...answer([]), query: { date_range: [first, last] } }, day)
    expect(of('2026-03-04T00:00:00Z', '2026-03-04T23:59:59Z')).toBe(true)
    expect(of('2026-03-01T00:00:00Z', '2026-03-31T23:59:59Z')).toBe(true)
    expect(of('2026-03-03T12:35:00Z', '2026-03-04T12:34:59Z')).toBe(false)
    expect(of('2026-02-01T00:00:00Z', '2026-02-28T23:59:59Z')).toBe(false)
  })

  const visits = (value: number, at: number, error?: number): Totals => ({
    visits: { value, at, ...(error !== undefined && { error }) },
  })

  it('never go back for an answer that is older than what is shown', () => {
    const shown = kept(visits(10, 100), visits(12, 200), 'stream')
    expect(kept(shown, visits(11, 150), 'answer').visits?.value).toBe(12)
    expect(kept(shown, visits(11, 300), 'stream').visits?.value).toBe(12)
    expect(kept(shown, visits(13, 150), 'answer').visits).toEqual({ value: 13, at: 200 })
  })

  it('follow an exact answer that is newer, and no estimate that is lower', () => {
    expect(kept(visits(12, 200), visits(11, 300), 'answer').visits?.value).toBe(11)
    expect(kept(visits(12, 200), visits(11, 300, 0.016), 'answer').visits?.value).toBe(12)
  })

  it('only grow, whatever comes in whatever order, as long as nothing newer corrects them', () => {
    const known = fc.record({ value: fc.nat(100), at: fc.nat(100), from: fc.constantFrom('answer', 'stream') })
    fc.assert(
      fc.property(fc.array(known), all => {
        let shown: Totals = visits(0, 100)
        for (const { value, at, from } of all) {
          const next = kept(shown, visits(value, at), from as 'answer')
          expect(Number(next.visits?.value)).toBeGreaterThanOrEqual(Number(shown.visits?.value))
          shown = next
        }
      }),
    )
  })

  it('shrink where the range moves along with the clock', () => {
    expect(kept(visits(12, 200), visits(11, 300), 'answer', false).visits?.value).toBe(11)
    expect(kept(visits(12, 200), visits(11, 100), 'answer', false).visits?.value).toBe(12)
  })

  it('say which of them are estimates', () => {
    const totals = answered(answer([5, 4, 3, 2, 1, 1, 9], { exact: false, error: 0.016 }), 'all')
    expect(totals.visitors).toEqual({ value: 5, at: NOW, error: 0.016 })
    expect(totals.visits).toEqual({ value: 4, at: NOW })
  })
})

describe('the chart', () => {
  const labels = ['10', '11', '12', '13'].map(hour => `2026-03-04 ${hour}:00:00`)
  const of: QueryAnswer = {
    ...answer([]),
    results: [
      {
        dimensions: [labels[0] ?? ''],
        metrics: [1, 2, 5, 2.5, 50, 3, 9],
        comparison: { dimensions: ['2026-03-03 10:00:00'], metrics: [1, 1, 4, 4, 100, 1, 4], change: [] },
      },
    ],
    meta: { ...answer([]).meta, time_labels: labels, partial: [labels[2] ?? ''] },
  }
  const clock = { now: NOW, zone: 'UTC', isNow: true }

  it('has nothing to say of times to come, nothing of rates without visits, and 0 of counts', () => {
    const course = courseOf(of, metricOf('pageviews'), clock, null)
    expect(course.buckets.map(({ value }) => value)).toEqual([5, 0, 0, null])
    expect(course.underway).toBe(2)
    expect(drawn(course)).toEqual([
      [0, 1, 2, 3],
      [5, 0, null, null],
      [null, 0, 0, null],
      [4, null, null, null],
    ])
    expect(courseOf(of, metricOf('bounce_rate'), clock, null).buckets.map(({ value }) => value)).toEqual([
      50,
      null,
      null,
      null,
    ])
    expect(courseOf(of, metricOf('pageviews'), { ...clock, now: NOW + 1e9, isNow: false }, null).underway).toBe(-1)
  })

  it('ticks, and only upward', () => {
    const today = addHours(null, {
      start: Date.UTC(2026, 2, 4),
      end: Date.UTC(2026, 2, 5),
      hours: [
        [Date.UTC(2026, 2, 4, 10), 'total', '', 3, 3],
        [Date.UTC(2026, 2, 4, 12), 'total', '', 7, 7],
      ],
      visitors: null,
    })
    expect(courseOf(of, metricOf('pageviews'), clock, today).buckets.map(({ value }) => value)).toEqual([5, 0, 7, null])
    expect(courseOf(of, metricOf('visitors'), clock, today).buckets.map(({ value }) => value)).toEqual([1, 0, 0, null])
  })

  it('offers units of some buckets, and not of thousands', () => {
    const DAY = 86_400_000
    expect(unitsFor(DAY / 48)).toEqual(['minute'])
    expect(unitsFor(DAY)).toEqual(['minute', 'hour'])
    expect(unitsFor(30 * DAY)).toEqual(['hour', 'day', 'week'])
    expect(unitsFor(3_000 * DAY)).toEqual(['week', 'month'])
  })
})

describe('a line', () => {
  it('has a gap where a value is missing', () => {
    expect(runsOf([null, 1, 0, null, undefined, 3])).toEqual([
      [1, 2],
      [5, 5],
    ])
    expect(runsOf([])).toEqual([])
  })
})

describe('a change', () => {
  it('is in percent, of rates in points, and nothing where nothing was', () => {
    expect(changeOf('count', 50, 75)).toBe(50)
    expect(changeOf('percent', 40, 42.26)).toBe(2.3)
    expect(changeOf('count', 0, 75)).toBeNull()
    expect(changeOf('count', null, 75)).toBeNull()
    const euro = { value: 10, currency: 'EUR', short: '', long: '' }
    expect(changeOf('money', euro, { ...euro, value: 15 })).toBe(50)
    expect(changeOf('money', euro, { ...euro, currency: 'USD' })).toBeNull()
  })
})

describe('a file', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\n=1'])('holds no formula: %j', text => {
    expect(cell(text).replace(/^"/, '')).toMatch(/^'/)
  })

  it('quotes as RFC 4180 has it, and keeps numbers numbers', () => {
    expect(csv([['a,b', 'say "hi"', 'two\nlines', -1.5, null, undefined, 'plain']])).toBe(
      '\uFEFF"a,b","say ""hi""","two\nlines",-1.5,,,plain\r\n',
    )
  })

  it('has a name that every system takes', () => {
    expect(fileName(['shop', 'a/b:c*?', 'Nov 1 – 2'], 'csv')).toBe('shop-a-b-c-Nov-1-2.csv')
  })
})
