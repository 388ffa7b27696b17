/** What differs between two counts. Pure. */
import { getOrAdd } from '../get-or-add.ts'
import { countersOf, otherOf } from '../rollup/index.ts'
import type { Cell, Rows } from './counted.ts'

/** Values of one rollup that a report has: of large ones all may differ. */
const MOST_SHOWN = 100

/** The values whose counters are not the same, by name: `undefined` where there are none. */
export function difference({ grain, dim, expected, actual }: Pick<Cell, 'grain' | 'dim' | 'expected' | 'actual'>) {
  const names = countersOf(grain)
  // What is beyond the values that a rollup holds is only there as a sum; which values these are is chance.
  const placeOf = (value: string): string => {
    const other = otherOf(dim, value)
    return actual.has(other) || expected.has(other) ? other : value
  }
  const sumsOf = (rows: Rows): Rows => {
    const sums: Rows = new Map()
    for (const [value, row] of rows) {
      const sum = getOrAdd(sums, placeOf(value), () => names.map(() => 0))
      for (let c = 0; c < sum.length; c++) sum[c] = (sum[c] ?? 0) + (row[c] ?? 0)
    }
    return sums
  }
  const [should, is] = [sumsOf(expected), sumsOf(actual)]
  const wrong = [...new Set([...should.keys(), ...is.keys()])].flatMap(value => {
    const [a, b] = [should.get(value) ?? [], is.get(value) ?? []]
    const counters = names.flatMap((name, c) => ((a[c] ?? 0) === (b[c] ?? 0) ? [] : [[name, c] as const]))
    const pick = (row: number[]) => Object.fromEntries(counters.map(([name, c]) => [name, row[c] ?? 0]))
    return counters.length > 0 ? [{ value, expected: pick(a), actual: pick(b) }] : []
  })
  if (wrong.length === 0) return undefined
  const shown = wrong.slice(0, MOST_SHOWN)
  const events = (rows: Rows): number => [...rows.values()].reduce((sum, [n = 0]) => sum + n, 0)
  return {
    expected: Object.fromEntries(shown.map(({ value, expected }) => [value, expected])),
    actual: Object.fromEntries(shown.map(({ value, actual }) => [value, actual])),
    /** events that the rollups have and the record has not */
    surplus: events(is) - events(should),
  }
}
