/** What hours know of goals: how often each was met, and what that was worth, by currency. */
import { fromRevenueKey, HOUR_COUNTERS } from '../journal/index.ts'
import type { Hours } from '../rollup/index.ts'
import { type Ask, type Row, rowKey } from './engine.ts'
import type { Filter } from './filter.ts'
import { isTimeDimension } from './names.ts'

/** Whether filters leave one goal: an event that meets two is in the rows of both, which can't be added up. */
export const isOneGoal = ([first, ...rest]: readonly Filter[]): boolean =>
  rest.length === 0 && first?.kind === 'is' && first.exactCase && first.values.length === 1

/** Adds to rows by goal, or of one, what their conversions are worth. */
export function addWorth(
  { dimensions }: Ask,
  rows: Row[],
  worth: Hours,
  fitting: ReadonlySet<string> | undefined,
): void {
  const byKey = new Map(rows.map(row => [rowKey(row), row]))
  const byValue = !dimensions.every(isTimeDimension)
  const [EVENTS, REVENUE] = [HOUR_COUNTERS.indexOf('events'), HOUR_COUNTERS.indexOf('revenue')]
  for (const [bucket, all] of worth) {
    for (const [key, counters] of all) {
      const { currency, goal } = fromRevenueKey(key)
      const row =
        fitting?.has(goal) === false ? undefined : byKey.get(rowKey({ values: byValue ? [goal] : [], bucket }))
      if (!row) continue
      row.counts.revenue = (row.counts.revenue ?? 0) + (counters[REVENUE] ?? 0)
      row.counts.paid = (row.counts.paid ?? 0) + (counters[EVENTS] ?? 0)
      row.currency = (row.currency ?? currency) === currency && row.currency !== null ? currency : null
    }
  }
}
