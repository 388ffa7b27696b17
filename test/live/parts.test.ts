import { describe, expect, test } from 'vitest'
import { type Delta, type HourDelta, type JournalEvent, packHour } from '../../collector/journal/index.ts'
import type { LiveDelta, LiveHour } from '../../collector/live/messages.ts'
import { createRoom } from '../../collector/live/room.ts'
import { journalEvent } from '../fixtures/events.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

const event = (change: Partial<JournalEvent> = {}) => journalEvent({ id: 'e', ts: new Date(NOW), ...change })
const change = (dim: Delta['dim'], at: number, rows: Record<string, number>): Delta => ({
  site: 'shop',
  dim,
  at,
  values: Object.keys(rows),
  counters: Object.values(rows).map(n => [n, 0, 0, 0, 0, 0]),
})
const sum = (deltas: LiveDelta[], wanted: string): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (const [, dim, value, events] of deltas) if (dim === wanted) sums[value] = (sums[value] ?? 0) + events
  return sums
}

describe('active visitors', () => {
  const people = (count: number, of: (i: number) => Partial<JournalEvent>) =>
    Array.from({ length: count }, (_, i) => event({ visitor: `v${i}`, ...of(i) }))

  test('by page, source and country: each in one row of each, the 20 largest and the rest', () => {
    const room = createRoom('UTC')
    const of = (i: number) => ({
      path: `/p${Math.floor(Math.sqrt(i))}`,
      source: i % 2 ? 'news.example' : 'direct',
      ...(i % 3 > 0 && { country: 'DE' }),
    })
    room.inserted(people(900, of), NOW)
    const tick = room.tick(NOW)
    expect(tick?.active).toBe(900)
    expect(tick?.activeBy).toMatchObject({
      source: [
        ['direct', 450],
        ['news.example', 450],
      ],
      country: [
        ['DE', 600],
        ['(none)', 300],
      ],
    })
    const pages = tick?.activeBy?.page ?? []
    expect(pages).toHaveLength(21)
    expect([pages[0], pages[19], pages[20]]).toEqual([
      ['/p29', 59],
      ['/p10', 21],
      ['(other)', 100],
    ])
    expect(room.view(NOW).activeBy).toEqual(tick?.activeBy)
  })

  test('a visitor is where the last event was, and came from where the first one said', () => {
    const room = createRoom('UTC')
    room.inserted([event({ visitor: 'v', path: '/', source: 'news.example', country: 'DE' })], NOW)
    room.inserted([event({ visitor: 'v', path: '/cart', source: 'internal' })], NOW)
    room.inserted([event({ visitor: 'v', name: 'purchase', path: '', source: 'direct' })], NOW)
    expect(room.tick(NOW)?.activeBy).toEqual({
      page: [['/cart', 1]],
      source: [['news.example', 1]],
      country: [['DE', 1]],
    })
  })

  test('who comes to a page inside the site is from nowhere, until it is known', () => {
    const room = createRoom('UTC')
    room.inserted([event({ visitor: 'v', source: 'internal' })], NOW)
    expect(room.tick(NOW)?.activeBy?.source).toEqual([['(none)', 1]])
    room.active('v', NOW + 1, { source: 'news.example' })
    expect(room.tick(NOW + 1_001)?.activeBy?.source).toEqual([['news.example', 1]])
  })

  test('bots are nobody', () => {
    const room = createRoom('UTC')
    room.inserted([event({ visitor: 'v', bot: 'Googlebot' })], NOW)
    expect(room.tick(NOW)).toMatchObject({ active: 0, more: 0 })
    expect(room.view(NOW).activeBy).toEqual({ page: [], source: [], country: [] })
  })

  test('lists are told at most once a second, and only those that changed; what was withheld comes', () => {
    const room = createRoom('UTC')
    room.inserted([event({ visitor: 'a', path: '/a' })], NOW)
    expect(room.tick(NOW)?.activeBy?.page).toEqual([['/a', 1]])
    room.inserted([event({ visitor: 'a', path: '/b' })], NOW)
    expect(room.tick(NOW + 50)).not.toHaveProperty('activeBy')
    // Who joins now has what all others have.
    expect(room.view(NOW + 60).activeBy.page).toEqual([['/a', 1]])
    expect(room.tick(NOW + 999)).toBeUndefined()
    expect(room.tick(NOW + 1_000)).toMatchObject({ activeBy: { page: [['/b', 1]] }, events: [] })
    expect(room.tick(NOW + 2_000)).toBeUndefined()
  })

  test('who is quiet for five minutes is in no list', () => {
    const room = createRoom('UTC')
    room.inserted([event({ visitor: 'a', path: '/a' }), event({ visitor: 'b', path: '/b' })], NOW)
    room.tick(NOW)
    room.inserted([event({ visitor: 'b', path: '/b', ts: new Date(NOW + MINUTE) })], NOW + MINUTE)
    expect(room.tick(NOW + 5 * MINUTE + 1)).toMatchObject({ active: 1, activeBy: { page: [['/b', 1]] } })
    expect(room.tick(NOW + 6 * MINUTE + 1)).toMatchObject({
      active: 0,
      activeBy: { page: [], source: [], country: [] },
    })
  })

  test('pages beyond 10,000 are (other), and none is lost', () => {
    const room = createRoom('UTC')
    room.inserted(
      people(12_000, i => ({ path: `/${i}` })),
      NOW,
    )
    const pages = room.tick(NOW)?.activeBy?.page ?? []
    expect(pages.at(-1)).toEqual(['(other)', 11_980])
    room.inserted(
      people(12_000, () => ({ path: '/here' })),
      NOW,
    )
    const after = room.tick(NOW + 1_000)?.activeBy?.page ?? []
    expect(after.reduce((n, [, visitors]) => n + visitors, 0)).toBe(12_000)
    expect(after[0]).toEqual(['/here', expect.any(Number)])
    expect(after[0]?.[1]).toBeGreaterThan(11_990)
  })
})

describe('campaigns', () => {
  const named = (count: number, n: (i: number) => number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`campaign-${i}`, n(i)]))

  test('of more than 200 those that come later are (other), the same in the snapshot and in ticks', () => {
    const room = createRoom('UTC')
    room.settled(
      [
        change(
          'impression',
          NOW,
          named(250, () => 2),
        ),
      ],
      [],
    )
    room.settled(
      [
        change(
          'click',
          NOW,
          named(250, () => 1),
        ),
      ],
      [],
    )
    const deltas = room.tick(NOW)?.deltas ?? []
    expect(Object.keys(sum(deltas, 'impression'))).toHaveLength(201)
    expect(sum(deltas, 'impression')).toMatchObject({ 'campaign-0': 2, 'campaign-199': 2, '(other)': 100 })
    expect(sum(deltas, 'click')).toMatchObject({ 'campaign-0': 1, 'campaign-199': 1, '(other)': 50 })
    expect(room.view(NOW).deltas).toEqual(deltas)
  })

  test('of those of before, the 200 largest have names; one that is quiet for half an hour makes room', () => {
    const room = createRoom('UTC')
    const rows = new Map(Object.entries(named(300, i => i)).map(([name, n]) => [name, [n, 0, 0, 0, 0, 0]]))
    room.load(new Map([['impression', new Map([[NOW, rows]])]]), new Map())
    const before = sum(room.view(NOW).deltas, 'impression')
    expect([before['campaign-299'], before['campaign-100'], before['campaign-99']]).toEqual([299, 100, undefined])
    expect(before['(other)']).toBe((99 * 100) / 2)
    room.tick(NOW)
    room.settled([change('click', NOW, { 'campaign-5': 1 })], [])
    expect(sum(room.tick(NOW)?.deltas ?? [], 'click')).toEqual({ '(other)': 1 })
    const later = NOW + 31 * MINUTE
    room.tick(later)
    room.settled([change('click', later, { 'campaign-5': 1 })], [])
    expect(sum(room.tick(later)?.deltas ?? [], 'click')).toEqual({ 'campaign-5': 1 })
  })

  test('impressions and clicks are counted by the second, without bots', () => {
    const room = createRoom('UTC')
    const names = ['impression', 'impression', 'click', 'pageview']
    room.inserted(
      names.map((name, i) => event({ id: `${i}`, name })),
      NOW,
    )
    room.inserted([event({ name: 'impression', bot: 'bot' })], NOW + 10)
    expect(room.tick(NOW + 20)?.seconds).toEqual([[NOW, 5, 2, 1]])
    room.inserted([event()], NOW + 1_000)
    expect(room.tick(NOW + 1_000)?.seconds).toEqual([[NOW + 1_000, 1]])
    expect(room.view(NOW + 1_000).seconds).toEqual([
      [NOW, 5, 2, 1],
      [NOW + 1_000, 1],
    ])
  })
})

describe('what is shown', () => {
  const conversion = (id: string) => event({ id, name: 'buy', goals: ['Order'], revenue: 1_290, currency: 'EUR' })

  test('a conversion says its goals and its worth, and is held longer than the newest events', () => {
    const room = createRoom('UTC')
    room.inserted([conversion('sold')], NOW)
    room.inserted(
      Array.from({ length: 60 }, (_, i) => event({ id: `${i}` })),
      NOW,
    )
    const sold = { id: 'sold', goals: ['Order'], revenue: { value: 12.9, currency: 'EUR' } }
    expect(room.view(NOW).recent.map(({ id }) => id)).not.toContain('sold')
    expect(room.view(NOW).conversions).toMatchObject([sold])
    const tick = room.tick(NOW)
    expect(tick?.events[0]).toMatchObject(sold)
    expect([tick?.events.length, tick?.more]).toEqual([50, 11])
  })

  test('those of before are shown once', () => {
    const room = createRoom('UTC')
    room.inserted([conversion('b')], NOW)
    room.converted(['a', 'b'].map(id => ({ event: conversion(id), received: NOW })))
    expect(room.view(NOW).conversions.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(room.tick(NOW)).toMatchObject({ more: 0, events: [{ id: 'b' }] })
  })

  test('under load ticks show 100 events a second, and count all', () => {
    const room = createRoom('UTC')
    const shown: string[] = []
    let counted = 0
    for (let at = NOW; at < NOW + 10_000; at += 50) {
      room.inserted(
        Array.from({ length: 100 }, (_, i) => event({ id: `${at} ${i}` })),
        at,
      )
      const tick = room.tick(at)
      shown.push(...(tick?.events ?? []).map(({ id }) => id))
      counted += (tick?.events.length ?? 0) + (tick?.more ?? 0)
    }
    expect(counted).toBe(20_000)
    expect(new Set(shown).size).toBe(shown.length)
    expect(shown.length).toBeGreaterThan(1_000)
    expect(shown.length).toBeLessThanOrEqual(1_050)
  })

  test('changes of the same row are one in a tick', () => {
    const room = createRoom('UTC')
    for (let i = 0; i < 20; i++) room.settled([change('page', NOW, { '/a': 1 })], [])
    expect(room.tick(NOW)?.deltas).toEqual([[NOW, 'page', '/a', 20, 0]])
  })
})

describe('the day', () => {
  const hour = (at: number, dims: Record<'total' | 'visits' | 'goal' | 'bot', Record<string, number[]>>): HourDelta => {
    const names = ['total', 'name', 'page', 'host', 'consent', 'bot', 'goal', 'revenue', 'property', 'visits'] as const
    const rows = names.map(name => (name in dims ? new Map(Object.entries(dims[name as 'total'])) : undefined))
    const packed = packHour('shop', at, rows)
    if (!packed) throw new Error('nothing')
    return packed
  }
  const some = (at: number, n = 1) =>
    hour(at, {
      total: { '': [2 * n, n] },
      visits: { '': [2 * n, n, n, n, 0, 500 * n, n] },
      goal: { Order: [n] },
      bot: { Googlebot: [9] },
    })
  const sums = (hours: LiveHour[], dim: string) =>
    hours
      .filter(row => row[1] === dim)
      .reduce<number[]>((all, [, , , ...row]) => row.map((n, c) => n + (all[c] ?? 0)), [])

  test('a snapshot and the ticks after it add up, by hour; bots are in none of it', () => {
    const room = createRoom('UTC')
    room.settled([], [some(NOW - HOUR), some(NOW)])
    room.tick(NOW)
    const snapshot = room.view(NOW).today
    expect(snapshot).toMatchObject({ start: NOW - 12 * HOUR, end: NOW + 12 * HOUR, visitors: null })
    room.settled([], [some(NOW)])
    const tick = room.tick(NOW)?.today
    expect(tick).toEqual({
      start: NOW - 12 * HOUR,
      end: NOW + 12 * HOUR,
      hours: [
        [NOW, 'total', '', 2, 1],
        [NOW, 'goal', 'Order', 1],
        [NOW, 'visits', '', 2, 1, 1, 1, 0, 500, 1],
      ],
    })
    expect(sums([...snapshot.hours, ...(tick?.hours ?? [])], 'visits')).toEqual([6, 3, 3, 3, 0, 1_500, 3])
    expect(sums(room.view(NOW).today.hours, 'visits')).toEqual([6, 3, 3, 3, 0, 1_500, 3])
  })

  test('what belongs to days before is in no message, and neither is what takes itself back', () => {
    const room = createRoom('Europe/Berlin')
    room.tick(NOW)
    const midnight = Date.parse('2026-02-28T23:00:00Z')
    room.settled([], [some(midnight - HOUR)])
    expect(room.tick(NOW)).toBeUndefined()
    room.settled([], [some(midnight), some(midnight, -1)])
    expect(room.tick(NOW)).toBeUndefined()
    room.settled([], [some(midnight)])
    expect(room.tick(NOW)?.today).toMatchObject({ start: midnight })
  })

  test('another day begins at its midnight, also where nothing happens, and its visitors are not known', () => {
    const room = createRoom('UTC')
    const midnight = NOW + 12 * HOUR
    room.settled([], [some(midnight - HOUR)])
    room.visitors({ count: 7, at: midnight - 1 })
    expect(room.tick(midnight - 1)?.today).toMatchObject({ visitors: { count: 7 } })
    expect(room.tick(midnight)?.today).toEqual({
      start: midnight,
      end: midnight + 24 * HOUR,
      hours: [],
      visitors: null,
    })
    expect(room.tick(midnight + 50)).toBeUndefined()
    // Read before, and told after it.
    room.visitors({ count: 8, at: midnight - 1 })
    expect(room.tick(midnight + 100)).toBeUndefined()
    room.settled([], [some(midnight)])
    expect(room.view(midnight + 100).today).toMatchObject({ start: midnight, visitors: null })
    expect(sums(room.view(midnight + 100).today.hours, 'total')).toEqual([2, 1])
  })

  test('of an hour 200 rows are held, and the rest as (other)', () => {
    const room = createRoom('UTC')
    const goals = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`goal-${i}`, [1]]))
    room.settled([], [hour(NOW, { total: { '': [300] }, visits: {}, goal: goals, bot: {} })])
    const { hours } = room.view(NOW).today
    expect(hours.length).toBeLessThanOrEqual(201)
    expect(sums(hours, 'goal')).toEqual([300])
  })
})
