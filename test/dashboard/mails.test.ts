import { describe, expect, it } from 'vitest'
import { pauseAfter } from '../../collector/dashboard/mails/asking.ts'
import { steps } from '../../collector/dashboard/mails/report.ts'
import { isPassing } from '../../collector/dashboard/shell/api.ts'

describe('the pause between two questions', () => {
  it.each<[took: number, failures: number, pause: number]>([
    [0, 0, 1_000],
    [100, 0, 1_000],
    [101, 0, 1_010],
    [800, 0, 8_000],
    [5, 1, 2_000],
    [5, 2, 4_000],
    [5, 4, 16_000],
    [5, 5, 30_000],
    [30_000, 2_000, 30_000],
  ])('after %i ms and %i failures is %i ms', (took, failures, pause) => {
    expect(pauseAfter(took, failures, 1_000)).toBe(pause)
  })

  it('is without end where asking again would bring the same answer', () => {
    expect([0, 408, 429, 500, 503].every(status => isPassing({ status }))).toBe(true)
    expect([400, 401, 403, 404].some(status => isPassing({ status }))).toBe(false)
  })
})

describe('the course of a mailing', () => {
  const none = { human: 0, 'privacy-proxy': 0, 'image-proxy': 0, prefetch: 0, scanner: 0 }
  const at = (time: string, human: number) => ({ at: time, opens: { ...none, human, scanner: 7 }, clicks: none })

  it('has the hours in which nothing came', () => {
    const overTime = [at('2026-03-04T10:00:00.000Z', 2), at('2026-03-04T13:00:00.000Z', 1)]
    expect(steps({ grain: 'hour', overTime }).map(({ opens }) => opens)).toEqual([
      [2, 7],
      [0, 0],
      [0, 0],
      [1, 7],
    ])
  })

  it('has each day once where clocks change', () => {
    // Days of Berlin around the last Sunday of March, which has 23 hours.
    const overTime = [at('2026-03-27T23:00:00.000Z', 1), at('2026-03-29T22:00:00.000Z', 1)]
    expect(steps({ grain: 'day', overTime }).map(({ opens }) => opens[0])).toEqual([1, 0, 1])
    const next = [at('2026-03-28T23:00:00.000Z', 1), at('2026-03-29T22:00:00.000Z', 1)]
    expect(steps({ grain: 'day', overTime: next })).toHaveLength(2)
  })

  it('is bounded, and empty without anything', () => {
    expect(steps({ grain: 'hour', overTime: [] })).toEqual([])
    const far = [at('1999-03-04T10:00:00.000Z', 1), at('2026-03-04T10:00:00.000Z', 1)]
    expect(steps({ grain: 'hour', overTime: far }).length).toBeLessThan(700)
  })
})
