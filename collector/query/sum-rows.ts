/** Rows of an answer while blocks are scanned: which there are, what was counted of each, and who was seen in it already. */

import { BITS_OF_WINDOW, NOTHING, Places, placeOfId, TooManyDifferent, WINDOWS, windowOfId } from '../columns/index.ts'
import type { Ask, Measure, Row } from './engine.ts'
import { rowKey } from './engine.ts'
import { startFinding } from './texts.ts'

/** Rows that one answer holds. */
const MOST_ROWS = 300_000
/** Pairs of a row and a visitor: at most 72 MB. */
const MOST_PAIRS = 3_000_000
/** There are fewer visitors, so that a row and a visitor are one number below 2⁵³. */
const VISITORS = 2 ** 27
/** Rows whose visitors are bits, where these take no more bytes; of rows that come later their visitors are pairs. */
export const FEW_ROWS = 64
const MOST_BITS = 32 * 1024 * 1024
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
  /** Notes visitors in the rows beside them, {@link NOTHING} left out. @throws TooManyDifferent */
  visitors(rows: Int32Array, ids: Uint32Array, length: number): void
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
    visitors(rows, ids, length) {
      const counted = counts.get('visitors')
      if (counted) seen.count(counted, rows, ids, length)
    },
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

/** Bits that nobody needs any more, all 0: to make them anew takes more time than to use them. */
const spare: Uint32Array[] = []
/** Words that the bits of a window had at most so far, so that they are not made too small. */
let usual = 8

/** Bits of a row: those of one window of visitors lie together, so that a block, which has a few of these, finds them near. */
function takeBits(words: number): Uint32Array {
  usual = Math.max(usual, words)
  const held = spare.pop()
  return held && held.length >= WINDOWS * words ? held : new Uint32Array(WINDOWS * usual)
}
const wordsOf = (bits: Uint32Array): number => bits.length >>> BITS_OF_WINDOW

/** Counts each visitor of a row once: those of the first rows, which mostly have most, are bits, of the others pairs. */
/** @param groups of a row, a power of two: a visitor is in one of them */
function startSeen(few: number | undefined, groups: number) {
  const most = few ?? Number.POSITIVE_INFINITY
  const bitsOfGroup = Math.log2(groups)
  const bits = new Array<Uint32Array | undefined>(FEW_ROWS).fill(undefined)
  const pairs = new Places(MOST_PAIRS)
  let bytes = 0
  /** who came last in a row: what one does, one does several times in a row */
  let last = new Uint32Array(1_024).fill(NOTHING)
  /** Room for one more, or `undefined` where there is none, and never will be. */
  const grow = (row: number, word: number): Uint32Array | undefined => {
    const held = bits[row]
    // One that has begun goes on: what was counted of it is there.
    if (!held && bytes >= MOST_BITS) return undefined
    const grown = takeBits(held ? word + (word >> 1) + 1 : word + 1)
    bytes += grown.byteLength - (held?.byteLength ?? 0)
    const [words, before] = [wordsOf(grown), held ? wordsOf(held) : 0]
    for (let window = 0; held && window < WINDOWS; window++)
      grown.set(held.subarray(window * before, (window + 1) * before), window * words)
    bits[row] = grown
    return grown
  }
  const growLast = (row: number): void => {
    const grown = new Uint32Array(2 * (row + 1)).fill(NOTHING)
    grown.set(last)
    last = grown
  }
  const count = (counted: Float64Array, rows: Int32Array, ids: Uint32Array, length: number): void => {
    for (let i = 0; i < length; i++) {
      const place = rows[i] as number
      const row = place >>> bitsOfGroup
      const id = ids[i] as number
      if (row >= most) continue
      if (row >= last.length) growLast(row)
      if (id === NOTHING || last[row] === id) continue
      last[row] = id
      const window = windowOfId(id)
      const bitOfWindow = placeOfId(id)
      const wordOfWindow = bitOfWindow >>> 5
      let of = row < FEW_ROWS ? bits[row] : undefined
      if (row < FEW_ROWS && (of === undefined || wordOfWindow >= wordsOf(of))) of = grow(row, wordOfWindow)
      if (of === undefined) {
        if (few === undefined && pairs.add(row * VISITORS + id)) counted[place] = (counted[place] as number) + 1
        continue
      }
      const word = window * wordsOf(of) + wordOfWindow
      const held = of[word] as number
      const bit = 1 << (bitOfWindow & 31)
      if ((held & bit) !== 0) continue
      of[word] = held | bit
      counted[place] = (counted[place] as number) + 1
    }
  }
  return {
    count,
    isCounted: (row: number): boolean => few === undefined || bits[row] !== undefined,
    /** Nothing is counted any more. */
    end(): void {
      for (const [row, of] of bits.entries()) {
        if (of && (spare.length + 1) * 4 * WINDOWS * usual <= MOST_BITS) spare.push(of.fill(0))
        bits[row] = undefined
      }
    },
  }
}
