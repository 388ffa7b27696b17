/** Rows of an answer while blocks are scanned: which there are, what was counted of each, and who was seen in it already. */

import { Places, TooManyDifferent } from './distinct.ts'
import type { Ask, Measure, Row } from './engine.ts'
import { rowKey } from './engine.ts'

/** Rows that one answer holds. */
const MOST_ROWS = 300_000
/** Pairs of a row and a visitor, and visitors: 100 MB in all. */
const MOST_PAIRS = 3_000_000
/** Visitors of one answer lie below this, so that a row and a visitor are one number below 2⁵³. */
const VISITORS = 2 ** 27
/** Not wanted. */
export const NO_ROW = -1

export interface Sums {
  /** The place of a row, or {@link NO_ROW}. @throws TooManyDifferent */
  placeOf(values: string[], bucket: number): number
  /** Adds to a measure of a row. */
  add(measure: Measure, row: number, n: number): void
  /** Notes what an event was worth. */
  worth(row: number, revenue: number, currency: string): void
  /** Notes a visitor, by hash. @throws TooManyDifferent */
  visitor(row: number, hash: number): void
  /** Whether this visit of a session that reaches over several blocks was not in the row yet. */
  isFirst(row: number, visit: string): boolean
  rows(): Row[]
}

export function startSums({ measures, wanted }: Pick<Ask, 'measures' | 'wanted'>): Sums {
  const rows: Row[] = []
  const places = new Map<string, number>()
  const counts = new Map<Measure, number[]>(measures.map(measure => [measure, []]))
  const currencies: (string | null | undefined)[] = []
  const visitors = new Places(VISITORS)
  const pairs = new Places(MOST_PAIRS)
  const open = new Set<string>()
  return {
    placeOf(values, bucket) {
      const key = rowKey({ values, bucket })
      const held = places.get(key)
      if (held !== undefined) return held
      const place = wanted?.has(key) === false ? NO_ROW : rows.length
      if (places.size >= MOST_ROWS) throw new TooManyDifferent('more rows than one answer holds')
      places.set(key, place)
      if (place === NO_ROW) return place
      rows.push({ values, bucket, counts: {} })
      for (const of of counts.values()) of.push(0)
      return place
    },
    add(measure, row, n) {
      const of = counts.get(measure)
      if (of) of[row] = (of[row] ?? 0) + n
    },
    worth(row, revenue, currency) {
      this.add('revenue', row, revenue)
      this.add('paid', row, 1)
      const before = currencies[row]
      currencies[row] = before === undefined || before === currency ? currency : null
    },
    visitor(row, hash) {
      if (pairs.add(row * VISITORS + visitors.of(hash))) this.add('visitors', row, 1)
    },
    isFirst(row, visit) {
      const key = `${row} ${visit}`
      const before = open.size
      open.add(key)
      return open.size > before
    },
    rows: () =>
      rows.map((row, place) => {
        for (const [measure, of] of counts) row.counts[measure] = of[place] ?? 0
        const currency = currencies[place]
        return row.counts.paid && currency !== undefined ? { ...row, currency } : row
      }),
  }
}
