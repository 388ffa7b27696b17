import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COUNTERS, type Counter } from '../../collector/journal/index.ts'
import type { Interval, Period, Stats } from '../../collector/query/index.ts'
import type { RawEvent, Session } from '../../collector/settle/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const ZONES = {
  shop: 'UTC',
  kathmandu: 'Asia/Kathmandu',
  berlin: 'Europe/Berlin',
  york: 'America/New_York',
  santiago: 'America/Santiago',
}

let it: TestCollector
let now = 0
beforeAll(async () => {
  const sites = Object.entries(ZONES).map(([key, timezone]) => ({ key, timezone }))
  it = await startCollector({ clock: () => now, sites })
})
afterAll(() => it.close())

const ask = async (site: string, period: Period, interval?: Interval): Promise<Stats> => {
  const response = await it.ask(`/api/v2/stats?site=${site}&period=${period}${interval ? `&interval=${interval}` : ''}`)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('application/json')
  expect(response.headers.get('cache-control')).toBe('no-store')
  return (await response.json()) as Stats
}

/** A view, and with `click` a click after it, sent when the clock shows that time. */
let sent = 0
async function visit(site: string, at: number, { click = false, ago = 0, visitor = `v${sent}` } = {}): Promise<void> {
  now = at
  const events = click ? [{ t: ago }, { n: 'click', t: ago - 30_000 }] : [{ t: ago }]
  const { accepted } = await it.deliver(envelope(events, { s: site, t: at, i: visitor, k: `s${sent++}` }))
  expect(accepted).toBe(events.length)
}

/** The counters in a span of time, counted from the raw events and the sessions in the plainest way. */
async function recount(site: string, from: number, to: number): Promise<Record<Counter | 'visitors', number>> {
  const span = { $gte: new Date(from), $lt: new Date(to) }
  const events = await it.db.collection<RawEvent>('events').find({ 'meta.site': site, ts: span }).toArray()
  const sessions = await it.db.collection<Session>('sessions').find({ site, start: span }).toArray()
  return {
    events: events.length,
    views: events.filter(({ meta }) => meta.name === 'pageview').length,
    bots: events.filter(({ bot }) => bot !== undefined).length,
    sessions: sessions.length,
    bounces: sessions.filter(({ views }) => views <= 1).length,
    duration: sessions.reduce((sum, { start, end }) => sum + (+end - +start), 0),
    visitors: new Set(sessions.map(({ visitor, _id }) => visitor ?? _id)).size,
  }
}

/** Holds totals and every entry of the series against a recount of the raw events. */
async function holdAgainstRecount(stats: Stats): Promise<void> {
  const [from, to] = [Date.parse(stats.from), Date.parse(stats.to)]
  expect(stats.totals).toEqual(await recount(stats.site, from, to))
  for (const counter of COUNTERS)
    expect(stats.series.reduce((sum, entry) => sum + entry[counter], 0)).toBe(stats.totals[counter])
  const starts = stats.series.map(({ at }) => Date.parse(at))
  for (const [i, { at, ...counters }] of stats.series.entries()) {
    if (COUNTERS.every(counter => counters[counter] === 0)) continue
    const { visitors: _, ...expected } = await recount(stats.site, Date.parse(at), starts[i + 1] ?? to)
    expect({ at, ...counters }).toEqual({ at, ...expected })
  }
}

const hourOf = (stats: Stats) => stats.series.filter(({ events }) => events > 0).map(({ at }) => at)

describe('totals and series are what a recount of the raw events gives', () => {
  const noon = Date.parse('2026-03-10T12:34:56Z')
  beforeAll(async () => {
    for (const days of [31, 29, 12, 3, 1]) await visit('shop', noon - days * DAY, { click: days % 2 === 1 })
    for (const hours of [13, 12.6, 12, 7, 5.9, 4, 1, 0.5])
      await visit('shop', noon - hours * HOUR, { click: hours < 5, visitor: hours > 6 ? 'early' : 'late' })
    await visit('shop', noon, { ago: 3 * HOUR, click: true })
    await visit('shop', noon, { ago: 2 * DAY })
    await visit('shop', noon)
    await it.folded()
  })

  test.each<[Period, Interval, number]>([
    ['6h', 'minute', 360],
    ['6h', 'hour', 6],
    ['today', 'minute', 12 * 60 + 35],
    ['today', 'hour', 13],
    ['today', 'day', 1],
    ['30d', 'hour', 29 * 24 + 13],
    ['30d', 'day', 30],
  ])('for %s by %s, in %i entries, the empty ones too', async (period, interval, entries) => {
    now = noon
    const stats = await ask('shop', period, interval)
    expect(stats).toMatchObject({ site: 'shop', period, interval, timezone: 'UTC', source: 'rollups', exact: true })
    expect(stats.to).toBe('2026-03-10T12:35:00.000Z')
    expect(stats.series).toHaveLength(entries)
    expect(stats.series[0]?.at).toBe(stats.from)
    expect(stats.totals.events).toBeGreaterThan(0)
    await holdAgainstRecount(stats)
  })

  test('without an interval in minutes, and in hours for 30 days; without a period for today', async () => {
    now = noon
    const intervals = await Promise.all((['6h', 'today', '30d'] as const).map(period => ask('shop', period)))
    expect(intervals.map(({ interval }) => interval)).toEqual(['minute', 'minute', 'hour'])
    const plain = (await (await it.ask('/api/v2/stats?site=shop')).json()) as Stats
    expect(plain.period).toBe('today')
  })

  test('a site without events has zeros', async () => {
    now = noon
    const { totals, series } = await ask('berlin', 'today', 'hour')
    expect(Object.values(totals).every(n => n === 0)).toBe(true)
    expect(series).toHaveLength(14)
  })

  test('what is settled is counted before it is folded', async () => {
    const late = noon + MINUTE
    await visit('shop', late, { click: true })
    await it.settled()
    const stats = await ask('shop', '6h')
    await holdAgainstRecount(stats)
    expect(stats.series.at(-1)).toMatchObject({ events: 2, views: 1, sessions: 1 })
  })
})

describe('a day is the site’s own', () => {
  test('in Kathmandu it begins at 18:15 UTC', async () => {
    const midnight = Date.parse('2026-04-01T18:15:00Z')
    await visit('kathmandu', midnight - 1)
    await visit('kathmandu', midnight)
    await it.settled()
    now = midnight + 59_999
    const today = await ask('kathmandu', 'today', 'hour')
    expect([today.from, today.totals.events, today.timezone]).toEqual(['2026-04-01T18:15:00.000Z', 1, 'Asia/Kathmandu'])
    await holdAgainstRecount(today)
    now = midnight - 1
    const yesterday = await ask('kathmandu', 'today', 'day')
    expect([yesterday.from, yesterday.totals.events]).toEqual(['2026-03-31T18:15:00.000Z', 1])
    now = midnight
    const month = await ask('kathmandu', '30d', 'day')
    expect(month.series.map(({ at }) => at.slice(11))).toEqual(Array(30).fill('18:15:00.000Z'))
    expect(month.series.slice(-2).map(({ events }) => events)).toEqual([1, 1])
    await holdAgainstRecount(month)
  })

  test('6 hours across midnight by day are two entries, and each event is in its own', async () => {
    const midnight = Date.parse('2026-05-02T00:00:00Z')
    await visit('shop', midnight - MINUTE)
    await visit('shop', midnight + MINUTE)
    await it.settled()
    for (const minutes of [59, 3]) {
      now = midnight + minutes * MINUTE
      const stats = await ask('shop', '6h', 'day')
      expect(stats.series.map(({ at, events }) => [at, events])).toEqual([
        [stats.from, 1],
        ['2026-05-02T00:00:00.000Z', 1],
      ])
      await holdAgainstRecount(stats)
    }
  })

  // Half an hour after midnight and half an hour before it, ten days after the clock was changed.
  test.each([
    ['berlin', '2026-04-07T22:30:00Z', '2026-03-09T23:00:00.000Z'],
    ['berlin', '2026-11-04T22:30:00Z', '2026-10-05T22:00:00.000Z'],
    ['york', '2026-03-18T04:30:00Z', '2026-02-17T05:00:00.000Z'],
    ['york', '2026-11-12T04:30:00Z', '2026-10-13T04:00:00.000Z'],
    ['santiago', '2026-09-16T03:30:00Z', '2026-08-18T04:00:00.000Z'],
  ])('30 days are today and the 29 before it, also where the clock was changed: %s at %s', async (site, at, from) => {
    now = Date.parse(at)
    const stats = await ask(site, '30d', 'day')
    expect(stats.from).toBe(from)
    expect(stats.series).toHaveLength(30)
  })

  test('a day of 23 hours and one of 25 are one entry each', async () => {
    for (const [day, hours] of [
      ['2026-03-29', 23],
      ['2026-10-25', 25],
    ] as const) {
      const begin = Date.parse(`${day}T12:00:00Z`)
      now = begin + 9.9 * HOUR
      const { series, from } = await ask('berlin', 'today', 'hour')
      const end = Date.parse(from) + hours * HOUR
      expect(series).toHaveLength(Math.ceil((Math.floor(now / MINUTE) * MINUTE + 1 - Date.parse(from)) / HOUR))
      now = end - 1
      expect((await ask('berlin', 'today', 'hour')).series).toHaveLength(hours)
      now = end
      expect((await ask('berlin', 'today', 'day')).from).toBe(new Date(end).toISOString())
    }
  })

  test('hours of a series begin where the day does', async () => {
    now = Date.parse('2026-04-01T18:40:00Z')
    expect(hourOf(await ask('kathmandu', 'today', 'hour'))).toEqual(['2026-04-01T18:15:00.000Z'])
  })
})

describe('what is asked wrongly is answered with a problem', () => {
  test.each([
    ['', 400, 'parameter-invalid', /^site/],
    ['?period=6h', 400, 'parameter-invalid', /^site/],
    ['?site=shop&site=shop', 400, 'parameter-invalid', /^site/],
    ['?site[a]=shop', 400, 'parameter-invalid', /^site/],
    ['?site=shop&period=7d', 400, 'parameter-invalid', /^period: one of 6h, today, 30d$/],
    ['?site=shop&period=', 400, 'parameter-invalid', /^period/],
    ['?site=shop&period=6h&period=6h', 400, 'parameter-invalid', /^period/],
    ['?site=shop&interval=week', 400, 'parameter-invalid', /^interval: one of minute, hour, day$/],
    ['?site=shop&interval=', 400, 'parameter-invalid', /^interval/],
    ['?site=nobody', 404, 'site-unknown', undefined],
    ['?site=__proto__', 404, 'site-unknown', undefined],
    // The doctor's site is in no list and in no report.
    ['?site=_doctor', 404, 'site-unknown', undefined],
  ])('/stats%s is %i %s', async (query, status, code, detail) => {
    const response = await it.ask(`/api/v2/stats${query}`)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    const body = (await response.json()) as { detail?: string }
    expect(body).toMatchObject({ type: 'about:blank', status, code, title: expect.any(String) })
    if (detail) expect(body.detail).toMatch(detail)
  })

  test('without a key it is 401', async () => {
    const response = await fetch(`${it.url}/api/v2/stats?site=shop`)
    expect([response.status, (await response.json()).code]).toEqual([401, 'not-signed-in'])
  })

  test('what is at no path of the API is 404, a problem', async () => {
    const response = await it.ask('/api/v2/nothing')
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    expect([response.status, (await response.json()).code]).toEqual([404, 'not-found'])
  })
})
