/** Rows of an answer while blocks are scanned: which there are, what was counted of each, and who was seen in it already. */
import { TooManyDifferent } from '../columns/index.ts'
import type { Ask, Measure, Row } from './engine.ts'
import { rowKey } from './engine.ts'
import { type Bits, startSeen } from './seen.ts'
import { startFinding } from './texts.ts'

/** Rows that one answer holds. */
const MOST_ROWS = 300_000
/** Not wanted. */
export const NO_ROW = -1

export interface Sums {
  /** The place of a row, or {@link NO_ROW}. @throws TooManyDifferent */
  placeOf(values: string[], bucket: number): number
  /** whether some rows are not wanted */
  readonly isPartial: boolean
  /**
   * What is added up of a measure, by row; `undefined` where it is not asked for. Another one when there are more rows: not to
   * be held while these are looked for.
   */
  of(measure: Measure): Float64Array | undefined
  /** Notes what an event was worth. */
  worth(row: number, revenue: number, currency: string): void
  /** Notes visitors in the rows beside them. @see Seen */
  visitors(rows: Int32Array, ids: Uint32Array, length: number): void
  /** Where visitors of all rows are noted. @see Seen */
  bitsFor(top: number): Bits | undefined
  /** The places that the texts of a column have already. */
  foundBefore: ReturnType<typeof startFinding>
  /** Whether this visit of a session that reaches over several blocks was not in the row yet. */
  isFirst(row: number, visit: string): boolean
  /** All of them; nothing is counted any more. */
  rows(): Row[]
  /** The same where rows have groups. */
  groups(): Grouped[]
}

/** A row with what was counted in each of its groups. */
export type Grouped = Pick<Row, 'values' | 'bucket' | 'currency'> & { groups: [Measure, Float64Array][] }

/**
 * @param groups into which rows are divided: what is counted of a row's group has the place of the row times so many, and the group
 * @param few visitors are counted only in the first so many rows, at most {@link FEW_ROWS}; others have no number of them then
 */
export function startSums({ measures, wanted }: Pick<Ask, 'measures' | 'wanted'>, few?: number, groups = 1): Sums {
  const rows: Row[] = []
  const places = new Map<string, number>()
  /** the same of one value alone, which need not be made a key first */
  const single = new Map<string, number>()
  const counts = new Map<Measure, Float64Array>(measures.map(measure => [measure, new Float64Array(16)]))
  const currencies: (string | null | undefined)[] = []
  const open = new Set<string>()
  const seen = startSeen(few, groups)
  return {
    isPartial: wanted !== undefined,
    foundBefore: startFinding(),
    placeOf(values, bucket) {
      const [only] = values
      const isSingle = values.length === 1 && bucket === 0 && only !== undefined
      const key = isSingle ? only : rowKey({ values, bucket })
      const among = isSingle ? single : places
      const held = among.get(key)
      if (held !== undefined) return held
      const place = wanted?.has(isSingle ? rowKey({ values, bucket }) : key) === false ? NO_ROW : rows.length
      if (among.size >= MOST_ROWS) throw new TooManyDifferent('more rows than one answer holds')
      among.set(key, place)
      if (place === NO_ROW) return place
      rows.push({ values, bucket, counts: {} })
      for (const [measure, of] of counts) {
        if ((place + 1) * groups <= of.length) break
        const grown = new Float64Array(2 * of.length)
        grown.set(of)
        counts.set(measure, grown)
      }
      return place
    },
    of: measure => counts.get(measure),
    worth(row, worth, currency) {
      const [revenue, paid] = [counts.get('revenue'), counts.get('paid')]
      if (revenue) revenue[row] = (revenue[row] as number) + worth
      if (paid) paid[row] = (paid[row] as number) + 1
      const before = currencies[row]
      currencies[row] = before === undefined || before === currency ? currency : null
    },
    visitors(places, ids, length) {
      const counted = counts.get('visitors')
      if (counted) seen.count(counted, places, ids, length, rows.length)
    },
    bitsFor: top => seen.bitsFor(rows.length, top),
    isFirst(row, visit) {
      const key = `${row} ${visit}`
      const before = open.size
      open.add(key)
      return open.size > before
    },
    rows() {
      const made = rows.map((row, place) => {
        for (const [measure, of] of counts)
          if (measure !== 'visitors' || seen.isCounted(place)) row.counts[measure] = of[place] as number
        const currency = currencies[place]
        return row.counts.paid && currency !== undefined ? { ...row, currency } : row
      })
      seen.end()
      return made
    },
    groups() {
      seen.end()
      return rows.map(({ values, bucket }, place) => {
        const [first, end] = [place * groups, (place + 1) * groups]
        const found = new Set(currencies.slice(first, end).filter(one => one !== undefined))
        const [currency] = found
        return {
          ...{ values, bucket },
          ...(currency !== undefined && { currency: found.size === 1 ? currency : null }),
          groups: [...counts].map(([measure, of]) => [measure, of.slice(first, end)]),
        }
      })
    },
  }
}
