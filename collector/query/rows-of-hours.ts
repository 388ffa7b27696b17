/** Rows of an answer, of what hours have counted. */
import { HOUR_COUNTERS, type HourCounter } from '../journal/index.ts'
import type { Hours } from '../rollup/index.ts'
import { type Ask, type Measure, type Row, rowKey } from './engine.ts'
import { isTimeDimension } from './names.ts'

export type TextOf = (value: string) => string

const COUNTER: Record<Exclude<Measure, 'visitors' | 'paid'>, HourCounter> = {
  events: 'events',
  pageviews: 'views',
  visits: 'sessions',
  views: 'views',
  bounces: 'bounces',
  duration: 'duration',
  revenue: 'revenue',
}

/**
 * @param textOf what a value is in the answer; itself if absent
 * @param fitting texts that are counted; all if absent
 */
export function sumRows(
  { over, measures, dimensions, pagesOnly, wanted }: Ask,
  hours: Hours,
  textOf: TextOf | undefined,
  fitting: ReadonlySet<string> | undefined,
): Row[] {
  const byValue = !dimensions.every(isTimeDimension)
  const shown = HOUR_COUNTERS.indexOf(over === 'visits' ? 'sessions' : pagesOnly ? 'views' : 'events')
  const counted = measures.flatMap((measure): [Measure, number][] => {
    if (measure === 'visitors') return []
    return [[measure, measure === 'paid' ? -1 : HOUR_COUNTERS.indexOf(COUNTER[measure])]]
  })
  const all: Row[] = []
  for (const [bucket, rows] of hours) {
    for (const [text, sum] of summed(rows, textOf, fitting, byValue)) {
      if (!sum[shown]) continue
      const row: Row = { values: byValue ? [text] : [], bucket, counts: {} }
      if (wanted && !wanted.has(rowKey(row))) continue
      for (const [measure, place] of counted) row.counts[measure] = sum[place] ?? 0
      all.push(row)
    }
  }
  return all
}

/** Those that fit, by their text; or all of them as one. */
function summed(
  rows: ReadonlyMap<string, number[]>,
  textOf: TextOf | undefined,
  fitting: ReadonlySet<string> | undefined,
  byValue: boolean,
): Iterable<[string, readonly number[]]> {
  // A shop has thousands of pages.
  if (byValue && !textOf && !fitting) return rows
  const sums = new Map<string, readonly number[]>()
  for (const [value, counters] of rows) {
    const text = textOf?.(value) ?? value
    if (fitting?.has(text) === false) continue
    const key = byValue ? text : ''
    const before = sums.get(key)
    sums.set(key, before ? before.map((n, c) => n + (counters[c] ?? 0)) : counters)
  }
  return sums
}
