import { describe, expect, it } from 'vitest'
import {
  applySnapshot,
  applyTick,
  CHART_WINDOW,
  MINUTE,
  minuteOf,
  OTHER,
  SECOND,
} from '../../collector/dashboard/live/state.ts'
import { activeNow, rate, roundUp, SETTLED_AFTER, top, totals } from '../../collector/dashboard/live/totals.ts'
import { event, NOW, snapshot, tick } from './fixtures.ts'

const minute = minuteOf(NOW)

describe('the sums of the last 30 minutes', () => {
  it('shrink as time passes, though no message comes', () => {
    const { minutes } = applySnapshot(snapshot({ deltas: [[minute, 'total', '', 5, 4]] }), NOW)
    expect(totals(minutes, NOW + 29 * MINUTE)).toEqual({ events: 5, views: 4 })
    expect(totals(minutes, NOW + 30 * MINUTE)).toEqual({ events: 0, views: 0 })
  })
})

describe('a list of the largest values', () => {
  const { minutes } = applySnapshot(
    snapshot({
      deltas: [
        [minute, 'page', '/b', 2, 2],
        [minute - MINUTE, 'page', '/a', 1, 1],
        [minute, 'page', '/a', 1, 1],
        [minute, 'page', '/c', 9, 3],
        [minute, 'page', OTHER, 50, 50],
        [minute, 'page', '/gone', 1, 1],
        [minute - MINUTE, 'page', '/gone', -1, -1],
      ],
    }),
    NOW,
  )

  it('is ordered by count, then by value, with the rest last; what came to nothing is left out', () => {
    expect(top(minutes, 'page', 'views', NOW, 10).rows.map(row => row.value)).toEqual(['/c', '/a', '/b', OTHER])
  })

  it('says how many values it does not show', () => {
    const list = top(minutes, 'page', 'views', NOW, 2)
    expect(list.rows).toHaveLength(2)
    expect(list.left).toBe(2)
    expect(list.sum.views).toBe(57)
  })
})

describe('the chart', () => {
  const second = Math.floor(NOW / SECOND) * SECOND

  it('shows five minutes of finished seconds, silent ones as zero', () => {
    const { seconds } = applySnapshot(snapshot({ seconds: [[second - 3 * SECOND, 7]] }), NOW)
    const [x, perSecond, mean] = rate(seconds, second + SETTLED_AFTER)
    expect(x).toHaveLength(CHART_WINDOW / SECOND)
    expect(x.at(-1)).toBe(second / SECOND - 1)
    expect(perSecond.reduce((sum, count) => sum + count, 0)).toBe(7)
    expect(perSecond.at(-3)).toBe(7)
    expect(mean.at(-1)).toBeCloseTo(0.7)
  })

  it('leaves out the second under way, and the last one until its events have come', () => {
    const { seconds } = applySnapshot(snapshot({ seconds: [[second, 4]] }), NOW)
    expect(rate(seconds, second + SECOND + SETTLED_AFTER - 1)[1].at(-1)).toBe(0)
    expect(rate(seconds, second + SECOND + SETTLED_AFTER)[1].at(-1)).toBe(4)
  })

  it('adds up seconds that come in parts', () => {
    const first = applySnapshot(snapshot({ seconds: [[second, 4]] }), NOW)
    const state = applyTick(first, tick({ seconds: [[second, 3]] }), NOW)
    expect(state.seconds.get(second)).toBe(7)
  })

  it('has a scale of round numbers', () => {
    expect([0, 1, 3, 9, 21, 1_234].map(roundUp)).toEqual([2, 2, 4, 10, 40, 2_000])
  })
})

describe('active visitors', () => {
  it('are none after five quiet minutes, whatever was said last', () => {
    const state = applySnapshot(snapshot({ active: 3, recent: [event('1')] }), NOW)
    expect(activeNow(state, NOW + CHART_WINDOW)).toBe(3)
    expect(activeNow(state, NOW + CHART_WINDOW + 2 * SECOND)).toBe(0)
  })

  it('are none before the first event', () => {
    expect(activeNow(applySnapshot(snapshot({ active: 0 }), NOW), NOW)).toBe(0)
  })
})
