import { describe, expect, test } from 'vitest'
import { bucketOf } from '../../collector/query/expressions.ts'
import { type Grid, gridOf } from '../../collector/query/grid.ts'
import type { TimeUnit } from '../../collector/query/names.ts'
import { type Range, rangeText, readRange } from '../../collector/query/range.ts'
import { startOfDay } from '../../collector/sites/index.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const FAR = Date.parse('2030-01-01T00:00:00Z')

const days = (first: string, last: string, zone: string): Range => {
  const range = readRange([first, last], { now: FAR, zone })
  if (typeof range === 'string') throw new Error(range)
  return range
}
const grid = (unit: TimeUnit, range: Range, zone: string, now = FAR): Grid => {
  const made = gridOf(unit, range, zone, now, 100_000)
  if (!made) throw new Error('too many')
  return made
}
const lengths = ({ starts }: Grid, { to }: Range) => starts.map((start, i) => ((starts[i + 1] ?? to) - start) / HOUR)

describe('a day', () => {
  test.each([
    ['of 25 hours', 'Europe/Berlin', '2026-10-25', 25, ['2026-10-25 02:00:00+02:00', '2026-10-25 02:00:00+01:00']],
    ['of 23 hours', 'Europe/Berlin', '2026-03-29', 23, []],
    ['of 24.5 hours', 'Australia/Lord_Howe', '2026-04-05', 25, ['2026-04-05 01:30:00+10:30']],
    ['of 23.5 hours', 'Australia/Lord_Howe', '2026-10-04', 24, []],
    ['that begins at 01:00 (São Paulo)', 'America/Sao_Paulo', '2018-11-04', 23, []],
    ['that begins at 01:00 (Cairo)', 'Africa/Cairo', '2026-04-24', 23, []],
    ['that begins at 01:00 (Beirut)', 'Asia/Beirut', '2026-03-29', 23, []],
    [
      'whose last hour comes twice (Beirut)',
      'Asia/Beirut',
      '2026-10-24',
      25,
      ['2026-10-24 23:00:00+03:00', '2026-10-24 23:00:00+02:00'],
    ],
    ['in a half-hour zone', 'Asia/Kolkata', '2026-05-05', 24, []],
    ['in a zone of 45 minutes', 'Asia/Kathmandu', '2026-05-05', 24, []],
    ['whose zone has no name', '+05:30', '2026-05-05', 24, []],
  ])('%s: its hours are the zone’s, none has the label of another', (_, zone, date, count, twice) => {
    const range = days(date, date, zone)
    const hours = grid('hour', range, zone)
    expect(hours.starts).toHaveLength(count)
    expect(hours.starts[0]).toBe(range.from)
    expect(new Set(hours.labels).size).toBe(count)
    expect(hours.labels.filter(label => /[+-]\d\d:\d\d$/.test(label))).toEqual(twice)
    expect(hours.partial).toEqual([])
    const whole = grid('day', range, zone)
    expect([whole.labels, whole.starts, whole.partial]).toEqual([[date], [range.from], []])
    expect(lengths(hours, range).reduce((sum, n) => sum + n, 0)).toBe((range.to - range.from) / HOUR)
  })

  test('that begins at 01:00 has that as its first hour', () => {
    const zone = 'America/Sao_Paulo'
    expect(grid('hour', days('2018-11-04', '2018-11-04', zone), zone).labels[0]).toBe('2018-11-04 01:00:00')
  })
})

/** The local clock by another way than the product's. */
function clockIn(zone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  return at => format.format(at)
}

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Asia/Beirut',
  'Africa/Cairo',
]

describe.each(ZONES)('in %s', zone => {
  const clock = clockIn(zone)

  test('hours are what the wall clock shows, for two years', () => {
    const range = days('2017-12-30', '2019-12-31', zone)
    const { starts, labels } = grid('hour', range, zone)
    let place = -1
    let shown = ''
    let offset = 0
    for (let at = range.from; at < range.to; at += 15 * MINUTE) {
      const text = clock(at)
      const now = Date.parse(`${text.replace(' ', 'T')}Z`) - at
      if (text.slice(0, 13) !== shown || now !== offset) {
        place++
        shown = text.slice(0, 13)
        offset = now
        if (starts[place] !== at || labels[place]?.slice(0, 19) !== text)
          expect([place, starts[place], labels[place]]).toEqual([place, at, text])
      }
    }
    expect(starts).toHaveLength(place + 1)
    expect(new Set(labels).size).toBe(labels.length)
  })

  test('days are those by which settle divides cookieless visitors', () => {
    const range = days('2009-12-30', '2012-01-02', zone)
    const { starts, labels } = grid('day', range, zone)
    for (const [i, start] of starts.entries()) {
      expect(startOfDay(start, zone)).toBe(start)
      expect(clock(start).slice(0, 10)).toBe(labels[i])
    }
    expect(range.to - (starts.at(-1) ?? 0)).toBeLessThanOrEqual(25 * HOUR)
    // Samoa had no 30th of December in 2011.
    expect(starts).toHaveLength(zone === 'Pacific/Apia' ? 733 : 734)
  })

  test('months and weeks begin with their days', () => {
    const range = days('2017-12-30', '2019-12-31', zone)
    const day = grid('day', range, zone)
    const month = grid('month', range, zone)
    expect(month.labels).toHaveLength(25)
    expect(month.labels[0]).toBe('2017-12-01')
    expect(month.partial).toEqual(['2017-12-01'])
    for (const [i, label] of month.labels.entries())
      if (i > 0) expect(month.starts[i]).toBe(day.starts[day.labels.indexOf(label)])
    const week = grid('week', range, zone)
    expect(week.labels.slice(0, 3)).toEqual(['2017-12-30', '2018-01-01', '2018-01-08'])
    expect(week.partial).toEqual(['2017-12-30', '2019-12-30'])
    for (const [i, label] of week.labels.entries()) expect(week.starts[i]).toBe(day.starts[day.labels.indexOf(label)])
  })
})

test('a clock that is set back over midnight makes no day twice', () => {
  // At 00:01 it was 23:01 again.
  const range = days('2010-11-05', '2010-11-09', 'America/St_Johns')
  const { labels } = grid('day', range, 'America/St_Johns')
  expect(labels).toEqual(['2010-11-05', '2010-11-06', '2010-11-07', '2010-11-08', '2010-11-09'])
})

test('buckets that the range cuts, and the one that goes on, are partial', () => {
  const range = { from: Date.parse('2026-05-05T10:30:00Z'), to: Date.parse('2026-05-05T14:15:00Z'), isDays: false }
  const now = Date.parse('2026-05-05T12:20:00Z')
  const { labels, partial, starts } = grid('hour', range, 'UTC', now)
  expect(labels).toEqual(['10', '11', '12', '13', '14'].map(hour => `2026-05-05 ${hour}:00:00`))
  expect(partial).toEqual([labels[0], labels[2], labels[4]])
  expect(starts[0]).toBe(range.from)
})

test('as an expression of mongod it takes few steps, and says the same', () => {
  const zone = 'Europe/Berlin'
  const range = days('2025-01-01', '2026-12-31', zone)
  for (const unit of ['hour', 'day', 'week', 'month'] as const) {
    const made = grid(unit, range, zone)
    const expression = bucketOf('$t', made)
    expect(JSON.stringify(expression).length).toBeLessThan(unit === 'month' ? 4_000 : 2_000)
    for (const [i, start] of made.starts.entries()) {
      expect(evaluate(expression, start)).toBe(i)
      expect(evaluate(expression, (made.starts[i + 1] ?? range.to) - 1)).toBe(i)
    }
  }
})

// biome-ignore lint/suspicious/noExplicitAny: an interpreter of the few operators that occur
function evaluate(e: any, t: number): number {
  if (e === '$t') return t
  if (typeof e === 'number') return e
  if (e instanceof Date) return +e
  if (e.$literal !== undefined) return e.$literal
  if (e.$cond)
    return evaluate(e.$cond[0].$lt[0], t) < evaluate(e.$cond[0].$lt[1], t)
      ? evaluate(e.$cond[1], t)
      : evaluate(e.$cond[2], t)
  if (e.$toInt) return evaluate(e.$toInt, t)
  if (e.$add) return evaluate(e.$add[0], t) + evaluate(e.$add[1], t)
  if (e.$floor) return Math.floor(evaluate(e.$floor, t))
  if (e.$divide) return evaluate(e.$divide[0], t) / evaluate(e.$divide[1], t)
  return evaluate(e.$subtract[0], t) - evaluate(e.$subtract[1], t)
}

describe('a range', () => {
  const now = Date.parse('2026-03-10T12:34:56Z')
  const zone = 'Europe/Berlin'
  test.each<[string | [string, string], string, string]>([
    ['30m', '2026-03-10T13:05:00+01:00', '2026-03-10T13:34:59+01:00'],
    ['6h', '2026-03-10T07:35:00+01:00', '2026-03-10T13:34:59+01:00'],
    ['24h', '2026-03-09T13:35:00+01:00', '2026-03-10T13:34:59+01:00'],
    ['day', '2026-03-10T00:00:00+01:00', '2026-03-10T23:59:59+01:00'],
    ['7d', '2026-03-03T00:00:00+01:00', '2026-03-09T23:59:59+01:00'],
    ['28d', '2026-02-10T00:00:00+01:00', '2026-03-09T23:59:59+01:00'],
    ['91d', '2025-12-09T00:00:00+01:00', '2026-03-09T23:59:59+01:00'],
    ['month', '2026-03-01T00:00:00+01:00', '2026-03-31T23:59:59+02:00'],
    ['6mo', '2025-09-01T00:00:00+02:00', '2026-02-28T23:59:59+01:00'],
    ['12mo', '2025-03-01T00:00:00+01:00', '2026-02-28T23:59:59+01:00'],
    ['year', '2026-01-01T00:00:00+01:00', '2026-12-31T23:59:59+01:00'],
    ['all', '2026-01-15T00:00:00+01:00', '2026-03-10T23:59:59+01:00'],
    [['2026-03-29', '2026-03-29'], '2026-03-29T00:00:00+01:00', '2026-03-29T23:59:59+02:00'],
    [['2026-03-01T10:00:00Z', '2026-03-01T10:59:59Z'], '2026-03-01T11:00:00+01:00', '2026-03-01T11:59:59+01:00'],
  ])('%s', (name, from, to) => {
    const range = readRange(name, { now, zone }, Date.parse('2026-01-15T08:00:00Z'))
    if (typeof range === 'string') throw new Error(range)
    expect(rangeText(range, zone)).toEqual([from, to])
    // Asked again as it is answered, it is the same.
    expect(readRange([from, to], { now, zone })).toMatchObject({ from: range.from, to: range.to })
  })

  test.each<[string, string]>([
    ['2026-02-30', '2026-03-01'],
    ['2026-03-02', '2026-03-01'],
    ['2026-03-01', '2026-03-01T10:00:00Z'],
    ['2026-03-01T10:00:00', '2026-03-01T11:00:00'],
    ['2026-03-01T10:00:00Z', '2026-03-01T09:00:00Z'],
    ['0001-03-01', '2026-03-01'],
    ['today', 'tomorrow'],
  ])('%s to %s is none', (first, last) => {
    expect(readRange([first, last], { now, zone })).toBeTypeOf('string')
  })
})
