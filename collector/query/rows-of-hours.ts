/** Rows of an answer, of what hours have counted. */
import { HOUR_COUNTERS, type HourCounter } from '../journal/index.ts'
import type { Hours } from '../rollup/index.ts'
import { type Ask, type Measure, type Row, rowKey } from './engine.ts'
import { isTimeDimension } from './names.ts'

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
 * @param textOf what a value is in the answer
 * @param fitting texts that are counted
 */
export function sumRows(
  { over, measures, dimensions, pagesOnly, wanted }: Ask,
  hours: Hours,
  textOf: (value: string) => string,
  fitting: ReadonlySet<string>,
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
  textOf: (value: string) => string,
  fitting: ReadonlySet<string>,
  byValue: boolean,
): Map<string, readonly number[]> {
  const sums = new Map<string, readonly number[]>()
  for (const [value, counters] of rows) {
    const text = textOf(value)
    if (!fitting.has(text)) continue
    const key = byValue ? text : ''
    const before = sums.get(key)
    // Mostly there is one, which is not copied: a shop has two thousand pages.
    sums.set(key, before ? before.map((n, c) => n + (counters[c] ?? 0)) : counters)
  }
  return sums
}
