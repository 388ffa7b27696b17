/** Rows of an answer while blocks are scanned: which there are, what was counted of each, and who was seen in it already. */

import type { Numbers } from '../columns/index.ts'
import { Places, TooManyDifferent } from './distinct.ts'
import type { Ask, Measure, Row } from './engine.ts'
import { rowKey } from './engine.ts'

/** Rows that one answer holds. */
const MOST_ROWS = 300_000
/** Pairs of a row and a visitor, and visitors: 100 MB in all. */
const MOST_PAIRS = 3_000_000
/** Visitors of one answer lie below this, so that a row and a visitor are one number below 2⁵³. */
const VISITORS = 2 ** 27
/** Rows whose visitors are bits: of four million 500 kB each. */
const BITS = 64
/** Not wanted. */
export const NO_ROW = -1

export interface Sums {
  /** The place of a row, or {@link NO_ROW}. @throws TooManyDifferent */
  placeOf(values: string[], bucket: number): number
  /** What is added up of a measure, by row; `undefined` where it is not asked for. */
  of(measure: Measure): number[] | undefined
  /** Notes what an event was worth. */
  worth(row: number, revenue: number, currency: string): void
  /**
   * Notes a visitor. @param hashes of the block, @param who place in these, @param known of the block: one more than the place
   * among all, by place in it @throws TooManyDifferent
   */
  visitor(row: number, who: number, hashes: Numbers, known: Uint32Array): void
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
  const [revenue, paid, counted] = [counts.get('revenue'), counts.get('paid'), counts.get('visitors')]
  /** of the first rows, which mostly have most: a bit a visitor */
  const bits: Uint32Array[] = []
  const addBit = (row: number, visitor: number): boolean => {
    const place = visitor >>> 5
    let of = bits[row]
    if (!of || place >= of.length) {
      const grown = new Uint32Array(Math.max(1_024, 2 * place))
      if (of) grown.set(of)
      bits[row] = grown
      of = grown
    }
    const [held = 0, bit] = [of[place], 1 << (visitor & 31)]
    if ((held & bit) !== 0) return false
    of[place] = held | bit
    return true
  }
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
    of: measure => counts.get(measure),
    worth(row, worth, currency) {
      if (revenue) revenue[row] = (revenue[row] ?? 0) + worth
      if (paid) paid[row] = (paid[row] ?? 0) + 1
      const before = currencies[row]
      currencies[row] = before === undefined || before === currency ? currency : null
    },
    visitor(row, who, hashes, known) {
      let visitor = (known[who] ?? 0) - 1
      if (visitor < 0) {
        visitor = visitors.of(hashes[who] ?? 0)
        known[who] = visitor + 1
      }
      const isNew = row < BITS ? addBit(row, visitor) : pairs.add(row * VISITORS + visitor)
      if (isNew && counted) counted[row] = (counted[row] ?? 0) + 1
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
