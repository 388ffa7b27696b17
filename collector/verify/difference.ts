/** What differs between two counts. Pure. */
import { countersOf, OTHER } from '../rollup/index.ts'
import type { Cell, Rows } from './counted.ts'

/** Values of one rollup that a report has: of large ones all may differ. */
const MOST_SHOWN = 100

/** The values whose counters are not the same, by name: `undefined` where there are none. */
export function difference({ grain, expected, actual }: Pick<Cell, 'grain' | 'expected' | 'actual'>) {
  const names = countersOf(grain)
  const sums = (rows: Rows) => names.map((_, c) => [...rows.values()].reduce((sum, row) => sum + (row[c] ?? 0), 0))
  // What is beyond the values that a rollup holds is only there as a sum.
  const pairs: [string, number[], number[]][] = actual.has(OTHER)
    ? [['', sums(expected), sums(actual)]]
    : [...new Set([...expected.keys(), ...actual.keys()])].map(value => [
        value,
        expected.get(value) ?? [],
        actual.get(value) ?? [],
      ])
  const wrong = pairs.flatMap(([value, should, is]) => {
    const counters = names.flatMap((name, c) => ((should[c] ?? 0) === (is[c] ?? 0) ? [] : [[name, c] as const]))
    const pick = (row: number[]) => Object.fromEntries(counters.map(([name, c]) => [name, row[c] ?? 0]))
    return counters.length > 0 ? [{ value, expected: pick(should), actual: pick(is) }] : []
  })
  if (wrong.length === 0) return undefined
  const shown = wrong.slice(0, MOST_SHOWN)
  return {
    expected: Object.fromEntries(shown.map(({ value, expected }) => [value, expected])),
    actual: Object.fromEntries(shown.map(({ value, actual }) => [value, actual])),
    /** events that the rollups have and the record has not */
    surplus: (sums(actual)[0] ?? 0) - (sums(expected)[0] ?? 0),
  }
}
