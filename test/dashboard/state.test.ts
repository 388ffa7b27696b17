import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applySnapshot,
  applyTick,
  BOUNDS,
  collectorNow,
  inWindow,
  MINUTE,
  minuteOf,
  OTHER,
  SECOND,
  WINDOW,
} from '../../collector/dashboard/live/state.ts'
import { top, totals } from '../../collector/dashboard/live/totals.ts'
import type { LiveDelta } from '../../collector/live/messages.ts'
import { event, NOW, snapshot, tick } from './fixtures.ts'

describe('a snapshot', () => {
  it('is shown as it is: counters, newest event first, the collector’s own clock', () => {
    const state = applySnapshot(
      snapshot({
        deltas: [
          [minuteOf(NOW), 'total', '', 3, 2],
          [minuteOf(NOW), 'page', '/a', 3, 2],
        ],
        recent: [event('1'), event('2')],
        active: 2,
      }),
      NOW + 5_000,
    )
    expect(totals(state.minutes, NOW)).toEqual({ events: 3, views: 2 })
    expect(state.recent.map(one => one.id)).toEqual(['2', '1'])
    expect(state.active).toBe(2)
    expect(collectorNow(state, NOW + 6_000)).toBe(NOW + 1_000)
  })

  it('replaces what was known, so nothing is counted twice after a reconnect', () => {
    const message = snapshot({ deltas: [[minuteOf(NOW), 'total', '', 3, 2]], seconds: [[NOW, 3]] })
    const before = applySnapshot(message, NOW)
    const after = applySnapshot(message, NOW, before)
    expect(after.minutes).toEqual(before.minutes)
    expect(after.seconds).toEqual(before.seconds)
  })

  it('leaves out minutes older than 30', () => {
    const state = applySnapshot(snapshot({ deltas: [[minuteOf(NOW) - WINDOW, 'total', '', 9, 9]] }), NOW)
    expect(totals(state.minutes, NOW)).toEqual({ events: 0, views: 0 })
  })
})

describe('a tick', () => {
  it('adds its deltas, negative ones too', () => {
    const first = applySnapshot(snapshot({ deltas: [[minuteOf(NOW), 'name', 'click', 5, 0]] }), NOW)
    const state = applyTick(first, tick({ deltas: [[minuteOf(NOW), 'name', 'click', -2, 0]] }), NOW)
    expect(top(state.minutes, 'name', 'events', NOW, 10).rows).toEqual([{ value: 'click', events: 3, views: 0 }])
  })

  it('leaves the state before it as it was', () => {
    const first = applySnapshot(snapshot({ deltas: [[minuteOf(NOW), 'name', 'click', 5, 0]] }), NOW)
    const copy = structuredClone(first)
    applyTick(first, tick({ deltas: [[minuteOf(NOW), 'name', 'click', 1, 0]], events: [event('9')] }), NOW)
    expect(first).toEqual(copy)
  })

  it('lists an event once, though the tail brings it twice', () => {
    const first = applySnapshot(snapshot({ recent: [event('1')] }), NOW)
    const state = applyTick(first, tick({ events: [event('1'), event('2'), event('2')] }), NOW)
    expect(state.recent.map(one => one.id)).toEqual(['2', '1'])
  })

  it('tells two events apart that share a caller’s own id under different names', () => {
    const first = applySnapshot(snapshot({}), NOW)
    const state = applyTick(first, tick({ events: [event('7', { name: 'order' }), event('7', { name: 'paid' })] }), NOW)
    expect(state.recent).toHaveLength(2)
  })

  it('ends the empty state with the first event, and only then', () => {
    const first = applySnapshot(snapshot({ everSeen: false }), NOW)
    expect(applyTick(first, tick({}), NOW).everSeen).toBe(false)
    expect(applyTick(first, tick({ events: [event('1')] }), NOW).everSeen).toBe(true)
    expect(applyTick(first, tick({ deltas: [[minuteOf(NOW), 'total', '', 1, 1]] }), NOW).everSeen).toBe(true)
  })

  it('knows how long after its receipt the newest event was sent', () => {
    const first = applySnapshot(snapshot({}), NOW)
    const state = applyTick(first, tick({ now: NOW + 80, events: [event('1', { received: NOW + 20 })] }), NOW)
    expect(state.delay).toBe(60)
    expect(state.lastReceived).toBe(NOW + 20)
  })

  it('counts what it does not list', () => {
    const first = applySnapshot(snapshot({ recent: [event('1')] }), NOW)
    const state = applyTick(first, tick({ events: [event('2')], more: 40 }), NOW)
    expect(state.arrived - first.arrived).toBe(41)
  })
})

describe('what is kept stays bounded', () => {
  it('through any number of events', () => {
    let state = applySnapshot(snapshot({}), NOW)
    for (let i = 0; i < 50; i++) {
      const events = Array.from({ length: 50 }, (_, k) => event(`${i}.${k}`))
      state = applyTick(state, tick({ events }), NOW)
    }
    expect(state.recent).toHaveLength(BOUNDS.recent)
    expect(state.recent[0]?.id).toBe('49.49')
  })

  it('through a day of minutes and seconds', () => {
    let state = applySnapshot(snapshot({}), NOW)
    for (let at = NOW; at < NOW + 86_400_000; at += 20 * SECOND) {
      const deltas: LiveDelta[] = [[minuteOf(at), 'page', `/${at}`, 1, 1]]
      state = applyTick(state, tick({ now: at, seconds: [[at, 1]], deltas }), at)
    }
    expect(state.minutes.size).toBeLessThanOrEqual(WINDOW / MINUTE)
    expect(state.seconds.size).toBeLessThanOrEqual(310)
  })

  it('through more pages than are kept, whose sum stays right', () => {
    const pages = BOUNDS.values + 500
    const deltas = Array.from({ length: pages }, (_, i): LiveDelta => [minuteOf(NOW), 'page', `/${i}`, 1, 1])
    const state = applySnapshot(snapshot({ deltas }), NOW)
    const minute = state.minutes.get(minuteOf(NOW))
    expect(minute?.page.size).toBe(BOUNDS.values + 1)
    expect(minute?.page.get(OTHER)).toEqual({ events: 500, views: 500 })
    expect(top(state.minutes, 'page', 'views', NOW, 10).sum).toEqual({ events: pages, views: pages })
  })
})

describe('however the changes are cut into messages', () => {
  const delta = fc.tuple(
    fc.integer({ min: -45, max: 0 }).map(minutes => minuteOf(NOW) + minutes * MINUTE),
    fc.constantFrom('total' as const, 'name' as const, 'page' as const),
    fc.constantFrom('', '/a', '/b', 'click', '__proto__', 'constructor'),
    fc.integer({ min: -3, max: 9 }),
    fc.integer({ min: -3, max: 9 }),
  )
  const message = fc.record({ deltas: fc.array(delta), step: fc.integer({ min: 0, max: 4 * MINUTE }) })

  it('snapshot and ticks give what a recount of all deltas gives', () => {
    fc.assert(
      fc.property(fc.array(delta), fc.array(message), (held, messages) => {
        let now = NOW
        let state = applySnapshot(snapshot({ now, deltas: held }), now)
        for (const { deltas, step } of messages) {
          now += step
          state = applyTick(state, tick({ now, deltas }), now)
        }
        const all = [...held, ...messages.flatMap(one => one.deltas)]
        expect(counted(state.minutes, now)).toEqual(recount(all, now))
        const sum = all.filter(([at, dim]) => dim === 'total' && inWindow(at, now))
        expect(totals(state.minutes, now).events).toBe(sum.reduce((events, one) => events + one[3], 0))
      }),
    )
  })

  /** Dimension and value → events and page views, added up one by one; rows of nothing left out. */
  function recount(deltas: LiveDelta[], now: number) {
    const sums = new Map<string, [number, number]>()
    for (const [at, dim, value, events, views] of deltas) {
      if (!inWindow(at, now)) continue
      const key = dim === 'total' ? dim : `${dim} ${value}`
      const [e, v] = sums.get(key) ?? [0, 0]
      sums.set(key, [e + events, v + views])
    }
    return withoutNothing(sums)
  }

  function counted(minutes: ReturnType<typeof applySnapshot>['minutes'], now: number) {
    const sums = new Map<string, [number, number]>()
    const { events, views } = totals(minutes, now)
    sums.set('total', [events, views])
    for (const dim of ['name', 'page'] as const) {
      for (const [at, minute] of minutes) {
        if (!inWindow(at, now)) continue
        for (const [value, count] of minute[dim]) {
          const [e, v] = sums.get(`${dim} ${value}`) ?? [0, 0]
          sums.set(`${dim} ${value}`, [e + count.events, v + count.views])
        }
      }
    }
    return withoutNothing(sums)
  }

  const withoutNothing = (sums: Map<string, [number, number]>) =>
    new Map([...sums].filter(([, [events, views]]) => events || views).sort(([a], [b]) => (a < b ? -1 : 1)))
})
