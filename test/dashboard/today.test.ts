import { describe, expect, it } from 'vitest'
import { fits } from '../../collector/dashboard/live/filter.ts'
import { applySnapshot, applyTick, minuteOf, SECOND } from '../../collector/dashboard/live/state.ts'
import { addHours, sumToday } from '../../collector/dashboard/live/today.ts'
import { adsRate, campaigns, top, totals } from '../../collector/dashboard/live/totals.ts'
import type { LiveDelta, LiveHour } from '../../collector/live/messages.ts'
import { event, NOW, snapshot, tick } from './fixtures.ts'

const HOUR = 3_600_000
const [START, END] = [NOW - 5 * HOUR, NOW + 19 * HOUR]

describe('the day', () => {
  const hours: LiveHour[] = [
    [START, 'total', '', 10, 4],
    [NOW, 'total', '', 2, 1],
    [START, 'visits', '', 10, 4, 3, 1, 500],
    [START, 'goal', 'A long name', 2],
    [NOW, 'goal', 'A long name', 1],
  ]
  const whole = addHours(null, { start: START, end: END, hours, visitors: null })

  it('is the sum of its hours', () => {
    expect(sumToday(whole, NOW)).toEqual({
      views: 5,
      events: 12,
      visits: 3,
      conversions: 3,
      goals: new Map([['A long name', 3]]),
      visitors: null,
      isEstimated: false,
    })
  })

  it('takes what changed, and keeps visitors until they are told anew', () => {
    const counted = addHours(whole, { start: START, end: END, hours: [], visitors: { count: 2, at: NOW } })
    const more = addHours(counted, { start: START, end: END, hours: [[NOW, 'visits', '', 1, 1, 1]] })
    expect(sumToday(more, NOW)).toMatchObject({ visits: 4, visitors: 2, isEstimated: false })
    const guessed = addHours(more, { start: START, end: END, hours: [], visitors: { count: 3, at: NOW, error: 0.01 } })
    expect(sumToday(guessed, NOW)).toMatchObject({ visitors: 3, isEstimated: true })
    // The message before is as it was.
    expect(sumToday(whole, NOW)).toMatchObject({ visits: 3, visitors: null })
  })

  it('never has more visitors than visits, as these are told sooner', () => {
    const counted = addHours(whole, { start: START, end: END, hours: [], visitors: { count: 9, at: NOW } })
    expect(sumToday(counted, NOW).visitors).toBe(3)
  })

  it('begins anew at its end, by the clock and by the message', () => {
    expect(sumToday(whole, END)).toMatchObject({ views: 0, events: 0, visits: 0, conversions: 0, visitors: null })
    const next = addHours(whole, { start: END, end: END + 24 * HOUR, hours: [], visitors: null })
    expect(next.hours.size).toBe(0)
  })

  it('keeps its visitors when a snapshot does not know them yet, and not those of another day', () => {
    const visitors = { count: 3, at: NOW }
    const day = { start: START, end: END, hours, visitors }
    const before = applySnapshot(snapshot({ today: day }), NOW)
    const again = (change: object) => applySnapshot(snapshot({ today: { ...day, ...change } }), NOW, before).today
    expect(again({ visitors: null })).toEqual(before.today)
    expect(again({ visitors: { count: 4, at: NOW } }).visitors?.count).toBe(4)
    expect(again({ visitors: null, start: END, end: END + 24 * HOUR, hours: [] })).toMatchObject({ visitors: null })
  })

  it('comes with the snapshot and ticks on', () => {
    const first = applySnapshot(snapshot({ today: { start: START, end: END, hours, visitors: null } }), NOW)
    const state = applyTick(first, tick({ today: { start: START, end: END, hours: [[NOW, 'total', '', 1, 1]] } }), NOW)
    expect([sumToday(first.today, NOW).views, sumToday(state.today, NOW).views]).toEqual([5, 6])
    expect(applyTick(state, tick({}), NOW).today).toBe(state.today)
  })
})

describe('bots', () => {
  const at = minuteOf(NOW)
  const deltas: LiveDelta[] = [
    [at, 'total', '', 7, 3, 4],
    [at, 'name', 'pageview', 3, 3, 2],
    [at, 'name', 'click', 4, 0, 2],
    [at, 'page', '/a', 3, 3, 2],
    [at, 'bot', 'Google', 4, 2, 4],
  ]
  it('are by their rule, and in nothing else', () => {
    const { minutes } = applySnapshot(snapshot({ deltas }), NOW)
    expect(totals(minutes, NOW)).toEqual({ events: 3, views: 1 })
    expect(top(minutes, 'name', 'events', NOW, 9).rows.map(({ value, events }) => [value, events])).toEqual([
      ['click', 2],
      ['pageview', 1],
    ])
    expect(top(minutes, 'page', 'views', NOW, 9).sum).toEqual({ events: 1, views: 1 })
    expect(top(minutes, 'bot', 'events', NOW, 9).rows).toEqual([{ value: 'Google', events: 4, views: 2 }])
  })
})

describe('campaigns', () => {
  const at = minuteOf(NOW)
  const state = applySnapshot(
    snapshot({
      deltas: [
        [at, 'impression', 'spring', 200, 0],
        [at - 60_000, 'impression', 'spring', 100, 0],
        [at, 'click', 'spring', 3, 0],
        [at, 'impression', '(other)', 900, 0],
        [at, 'click', 'no-impressions', 5, 0],
        [at, 'impression', 'autumn', 301, 0],
      ],
      seconds: [
        [NOW - 3 * SECOND, 9, 6, 2],
        [NOW - 2 * SECOND, 5],
      ],
    }),
    NOW,
  )
  it('are by their impressions, with clicks beside', () => {
    expect(campaigns(state.minutes, NOW)).toEqual([
      { value: 'autumn', impressions: 301, clicks: 0 },
      { value: 'spring', impressions: 300, clicks: 3 },
      { value: 'no-impressions', impressions: 0, clicks: 5 },
      { value: '(other)', impressions: 900, clicks: 0 },
    ])
    expect(campaigns(state.minutes, NOW + 30 * 60_000)).toEqual([])
  })
  it('are told by the second: the mean of ten', () => {
    expect(adsRate(state.ads, NOW + SECOND)).toEqual([0.6, 0.2])
    expect(adsRate(applyTick(state, tick({ seconds: [[NOW - 2 * SECOND, 4, 1, 1]] }), NOW).ads, NOW + SECOND)).toEqual([
      0.7, 0.3,
    ])
    expect(adsRate(state.ads, NOW + 60 * SECOND)).toEqual([0, 0])
  })
})

describe('a filter of events', () => {
  const some = event('1', {
    name: 'purchase',
    path: '/cart',
    source: 'News.example',
    goals: ['Order'],
    properties: { plan: 'Größe XL' },
  })
  it.each([
    ['', '', true],
    ['cart', '', true],
    ['CART news', '', true],
    ['cart nothing', '', false],
    ['größe', '', true],
    ['order', '', true],
    ['', 'own', true],
    ['', 'click', false],
    ['', 'conversion', true],
    ['', 'bot', false],
    ['cart', 'click', false],
  ] as const)('of “%s” and kind “%s” fits: %s', (text, kind, is) => {
    expect(fits({ text, kind }, some)).toBe(is)
  })
  it('finds bots', () => {
    expect(fits({ text: '', kind: 'bot' }, event('2', { bot: 'Google' }))).toBe(true)
    expect(fits({ text: 'google', kind: 'view' }, event('2', { bot: 'Google' }))).toBe(true)
  })
})
