import { describe, expect, test } from 'vitest'
import type { JournalEvent } from '../../collector/journal/index.ts'
import { historyOf } from '../../collector/seed/history.ts'
import { planOf, SeedError, type SeedOptions } from '../../collector/seed/options.ts'
import { startTally } from '../../collector/seed/totals.ts'
import type { Session } from '../../collector/settle/index.ts'
import type { Site } from '../../collector/sites/index.ts'

const NOW = Date.UTC(2026, 10, 20, 12)
const HOUR = 3_600_000
const site = (change: Partial<Site> = {}): Site => ({
  key: 'shop',
  domain: 'shop.example',
  consent: 'required',
  timezone: 'Europe/Berlin',
  ...change,
})

function tell(options: Partial<SeedOptions> = {}, of = site()) {
  const plan = planOf(of, { events: 40_000, days: 28, ...options }, NOW)
  const tally = startTally()
  const events: JournalEvent[] = []
  const sessions: Session[] = []
  for (const minute of historyOf(plan)) {
    tally.add(minute)
    events.push(...minute.events)
    sessions.push(...minute.sessions)
  }
  return { plan, events, sessions, totals: tally.totals() }
}

const { plan, events, sessions, totals } = tell()
const people = sessions.filter(({ bot }) => bot === undefined)
const shareOf = <T>(all: T[], what: (one: T) => boolean) => all.filter(what).length / all.length

describe('a history', () => {
  test('is the same for the same seed, to the last field, and another one for another', () => {
    const again = tell()
    expect(again.events).toEqual(events)
    expect(again.totals).toEqual(totals)
    const other = tell({ seed: 2 })
    expect(other.totals).not.toEqual(totals)
    const ids = new Set(events.map(({ id }) => id))
    expect(other.events.filter(({ id }) => ids.has(id))).toEqual([])
  })

  test('has as many events as were asked for, each in its days, with an id of its own, in the order of time', () => {
    expect(events).toHaveLength(40_000)
    expect(new Set(events.map(({ id }) => id)).size).toBe(40_000)
    const times = events.map(({ ts }) => +ts)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect([Math.min(...times) >= plan.from, Math.max(...times) < plan.to]).toEqual([true, true])
    expect(sessions.reduce((sum, session) => sum + session.events, 0)).toBe(40_000)
  })

  test('also where there are few, many at once, or one', () => {
    for (const [count, days] of [
      [1, 1],
      [7, 300],
      [5_000, 1],
    ] as const)
      expect(tell({ events: count, days }).events).toHaveLength(count)
  })

  test('has pages by Zipf, and visits of which nearly half are bounces', () => {
    const [home, second] = totals.pages
    expect(home?.[0]).toBe('/')
    expect((home?.[1] ?? 0) / totals.people.pageviews).toBeGreaterThan(0.12)
    expect((home?.[1] ?? 0) / totals.people.pageviews).toBeLessThan(0.3)
    expect(home?.[1]).toBeGreaterThan(2 * (second?.[1] ?? 0))
    expect(new Set(events.map(({ path }) => path)).size).toBeGreaterThan(1_500)
    expect(totals.people.bounces / totals.people.visits).toBeCloseTo(0.45, 1)
    expect(totals.people.pageviews / totals.people.visits).toBeGreaterThan(2)
    expect(totals.people.visitors).toBeLessThan(0.85 * totals.people.visits)
    expect(totals.people.purchases / totals.people.visits).toBeGreaterThan(0.01)
  })

  test('has days and weeks in the zone of the site, and grows', () => {
    const hours = Array.from({ length: 24 }, () => 0)
    const weekdays: Record<string, number> = {}
    const format = new Intl.DateTimeFormat('en', {
      timeZone: 'Europe/Berlin',
      hour: 'numeric',
      hourCycle: 'h23',
      weekday: 'short',
    })
    for (const { start } of sessions) {
      const parts = Object.fromEntries(format.formatToParts(start).map(({ type, value }) => [type, value]))
      const hour = Number(parts.hour)
      hours[hour] = (hours[hour] ?? 0) + 1
      weekdays[parts.weekday ?? ''] = (weekdays[parts.weekday ?? ''] ?? 0) + 1
    }
    expect(hours[20]).toBeGreaterThan(5 * (hours[4] ?? 0))
    expect(hours[11]).toBeGreaterThan(5 * (hours[3] ?? 0))
    expect(weekdays.Tue).toBeGreaterThan(1.2 * (weekdays.Sat ?? 0))
    const middle = (plan.from + plan.to) / 2
    expect(shareOf(sessions, ({ start }) => +start > middle)).toBeGreaterThan(0.52)
  })

  test('has devices, sources and campaigns that go together, as intake reads them', () => {
    expect(shareOf(people, ({ device }) => device === 'mobile')).toBeCloseTo(0.53, 1)
    const views = events.filter(({ name, bot }) => name === 'pageview' && bot === undefined)
    for (const { device, browser, os, width = 0 } of views) {
      if (device === 'mobile') expect(width).toBeLessThan(500)
      if (device === 'desktop') expect(width).toBeGreaterThan(1_000)
      if (browser === 'Safari') expect(['iOS', 'macOS']).toContain(os)
      if (os === 'Windows') expect(device).toBe('desktop')
    }
    for (const { source, channel, medium, campaign, content } of views) {
      if (medium === 'cpc') expect([channel, typeof campaign]).toEqual(['paid search', 'string'])
      if (source === 'newsletter') expect([channel, typeof content]).toEqual(['email', 'string'])
      if (source === 'google.com') expect(channel).toBe('organic search')
    }
    expect(new Set(views.map(({ channel }) => channel)).size).toBeGreaterThanOrEqual(9)
    expect(new Set(views.map(({ language }) => language)).size).toBeGreaterThan(8)
    expect(views.every(({ source, host }) => source !== '' && host === 'shop.example')).toBe(true)
    // Who comes again has the same device.
    const agents = new Map<string, Set<string>>()
    for (const { visitor = '', browser, os } of people)
      agents.set(visitor, (agents.get(visitor) ?? new Set()).add(`${browser} ${os}`))
    expect([...agents.values()].filter(({ size }) => size > 1)).toEqual([])
  })

  test('has bots, and purchases with the order as an id and money; goals say the same', () => {
    expect(shareOf(sessions, ({ bot }) => bot !== undefined)).toBeCloseTo(0.03, 2)
    const purchases = events.filter(({ name }) => name === 'purchase')
    expect(purchases.length).toBe(totals.people.purchases)
    for (const { id, own, props, revenue, currency } of purchases) {
      expect([own, props?.order, currency]).toEqual([true, id, 'EUR'])
      expect(revenue).toBe(Math.round(Number((props?.revenue as { amount?: number } | undefined)?.amount) * 100))
    }
    expect(totals.people.revenue).toBe(purchases.reduce((sum, { revenue = 0 }) => sum + revenue, 0))
    const count = (fits: (event: JournalEvent) => boolean) =>
      events.filter(event => event.bot === undefined && fits(event)).length
    expect(totals.goals).toEqual([
      ['Purchase', purchases.length, totals.people.revenue],
      ['Signup', count(({ name }) => name === 'signup'), 0],
      ['Paid signup', count(({ name, props }) => name === 'signup' && props?.plan !== 'free'), 0],
      ['Visit /pricing', count(({ name, path }) => name === 'pageview' && path === '/pricing'), 0],
      ['Visit /blog/*', count(({ name, path }) => name === 'pageview' && path.startsWith('/blog/')), 0],
    ])
    expect(totals.goals.every(([, conversions]) => conversions > 0)).toBe(true)
  })

  test('has cookieless visitors, of whom a document is one day and never the next', () => {
    const { sessions } = tell({ cookieless: 0.15 }, site({ consent: 'cookieless' }))
    const days = sessions.filter(({ visits }) => visits)
    expect(days.length / sessions.length).toBeCloseTo(0.15, 1)
    expect(days.some(({ visits }) => (visits?.length ?? 0) > 1)).toBe(true)
    const date = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', dateStyle: 'short' })
    for (const { start, end, visitor, _id } of days) {
      expect(date.format(end)).toBe(date.format(start))
      expect([visitor?.[0], _id]).toEqual(['~', `shop:${visitor}`])
    }
  })

  test('has nothing, if not told to, that the consent of its site does not cover', () => {
    const flags = (consent: Site['consent']) =>
      [...new Set(tell({ events: 2_000 }, site({ consent })).events.map(({ consent }) => consent))].toSorted()
    expect(flags('required')).toEqual(['g'])
    expect(flags('cookieless')).toEqual(['g', 'l'])
    expect(flags('none')).toEqual(['x'])
  })

  test('places its visitors, as much as its site is to know', () => {
    const views = events.filter(({ name }) => name === 'pageview')
    expect(new Set(views.map(({ country }) => country)).size).toBeGreaterThan(8)
    expect(views.filter(({ region, city }) => region !== undefined || city !== undefined)).toEqual([])
    const all = tell({ events: 2_000 }, site({ place: 'city' })).events
    for (const { country = '', region, city } of all)
      expect([region?.slice(0, 3), city]).toEqual([`${country}-`, expect.any(String)])
  })

  test('ended early it is shorter, and whole', () => {
    let minutes = 0
    let told = 0
    let expected = 0
    for (const { events, sessions } of historyOf(plan, () => minutes++ > 5_000)) {
      told += events.length
      expected += sessions.reduce((sum, session) => sum + session.events, 0)
    }
    expect([told > 100, told < 40_000, told === expected]).toEqual([true, true, true])
  })
})

test('what can not be is refused with every mistake', () => {
  const refuse = (options: SeedOptions) => {
    try {
      planOf(site(), options, NOW)
    } catch (error) {
      expect(error).toBeInstanceOf(SeedError)
      return (error as Error).message.split('\n')
    }
    return []
  }
  expect(refuse({ events: 0, days: 2.5, seed: -1, cookieless: 2, until: 'soon' })).toEqual([
    expect.stringContaining('events is a whole number from 1'),
    expect.stringContaining('days is a whole number from 1 to 775'),
    expect.stringContaining('seed is a whole number'),
    expect.stringContaining('cookieless is a share'),
    'until is a date such as 2026-03-29, not "soon"',
  ])
  expect(refuse({ events: Number.NaN, days: 30 })).toHaveLength(1)
  expect(refuse({ events: 10, days: 30, until: '2026-11-21' })).toEqual([
    expect.stringContaining('today at the latest'),
  ])
  expect(refuse({ events: 10, days: 700, until: '2026-01-01' })).toEqual([expect.stringContaining('775 days ago')])
  expect(refuse({ events: 10, days: 30, until: '2026-11-20' })).toEqual([])
})

test('days begin and end with those of the site', () => {
  const { from, to } = planOf(site({ timezone: 'Asia/Kathmandu' }), { events: 1, days: 1 }, NOW)
  expect([new Date(from).toISOString(), (to - from) / HOUR]).toEqual(['2026-11-18T18:15:00.000Z', 24])
  const long = planOf(site(), { events: 1, days: 1, until: '2026-10-26' }, NOW)
  expect((long.to - long.from) / HOUR).toBe(25)
})
