/** The packed form in which a page says by how much hours change: a few hundred rows, of which most have few counters. */
import { Binary } from 'mongodb'
import { HOUR_COUNTERS, HOUR_DIMENSIONS, type HourDimension } from './dimensions.ts'

/** By how much the counters of one hour change when a page is settled: all dimensions in one. */
export interface HourDelta {
  site: string
  /** begin of the hour, ms since the epoch */
  at: number
  dims: HourDimension[]
  /** how many values each dimension has */
  sizes: number[]
  /** of all dimensions, one after another */
  values: string[]
  /** a row a value: a byte whose bits say which counters change, and by how much each does, see {@link packHour} */
  counters: Binary
}

/** The same of one dimension, as rows. */
export interface HourRows {
  site: string
  dim: HourDimension
  at: number
  values: string[]
  counters: number[][]
}

const WIDTH = HOUR_COUNTERS.length
// A bit each.
WIDTH satisfies 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8
/** of a number, in groups of seven bits */
const MOST_BYTES = 8
let scratch = Buffer.alloc(64 * 1024)

/**
 * Packs what changes; `undefined` where nothing does. A change is written as 2n, and −2n − 1 when it is negative, in
 * groups of seven bits, the lowest first, each but the last with the eighth bit set.
 * @param rows by dimension, in the order of {@link HOUR_DIMENSIONS}
 */
export function packHour(
  site: string,
  at: number,
  rows: readonly (ReadonlyMap<string, readonly number[]> | undefined)[],
): HourDelta | undefined {
  const delta: Omit<HourDelta, 'counters'> = { site, at, dims: [], sizes: [], values: [] }
  let end = 0
  for (const [d, dim] of HOUR_DIMENSIONS.entries()) {
    const before = delta.values.length
    for (const [value, row] of rows[d] ?? []) {
      if (scratch.length < end + 1 + WIDTH * MOST_BYTES) scratch = Buffer.concat([scratch], scratch.length * 2)
      const start = end++
      let bits = 0
      for (let c = 0; c < WIDTH; c++) {
        const n = row[c] ?? 0
        if (n === 0) continue
        bits |= 1 << c
        let rest = n < 0 ? -2 * n - 1 : 2 * n
        for (; rest >= 128; rest = Math.floor(rest / 128)) scratch[end++] = (rest % 128) + 128
        scratch[end++] = rest
      }
      if (bits === 0) {
        end = start
        continue
      }
      scratch[start] = bits
      delta.values.push(value)
    }
    const size = delta.values.length - before
    if (size === 0) continue
    delta.dims.push(dim)
    delta.sizes.push(size)
  }
  if (delta.values.length === 0) return undefined
  return { ...delta, counters: new Binary(Buffer.from(scratch.subarray(0, end))) }
}

/** Back to rows. */
export function unpackHour({ site, at, dims, sizes, values, counters }: HourDelta): HourRows[] {
  const bytes = counters.buffer
  let place = 0
  let first = 0
  const number = (): number => {
    let sum = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[place++] ?? 0
      sum += (byte % 128) * factor
      if (byte < 128) return sum % 2 === 0 ? sum / 2 : -(sum + 1) / 2
    }
  }
  const row = (): number[] => {
    const bits = bytes[place++] ?? 0
    return HOUR_COUNTERS.map((_, c) => (bits & (1 << c) ? number() : 0))
  }
  return dims.map((dim, d) => {
    const own = values.slice(first, first + (sizes[d] ?? 0))
    first += own.length
    return { site, dim, at, values: own, counters: own.map(row) }
  })
}
