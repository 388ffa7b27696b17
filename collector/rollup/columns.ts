/** The packed form of a rollup document's counters: one float64 column a counter, one after the other. */
import { endianness } from 'node:os'
import { Binary } from 'mongodb'

const IS_BIG_ENDIAN = endianness() === 'BE'

/**
 * Rows (one a value) to columns, little-endian.
 * @param counters how many a row has
 */
export function packRows(rows: readonly (readonly number[])[], counters: number): Binary {
  const bytes = Buffer.alloc(rows.length * counters * 8)
  rows.forEach((row, r) => {
    for (let c = 0; c < counters; c++) bytes.writeDoubleLE(row[c] ?? 0, (c * rows.length + r) * 8)
  })
  return new Binary(bytes)
}

/** Columns back to rows. A counter that was added after the document was written is 0. */
export const unpackRows = (packed: Binary, values: number, counters: number): number[][] =>
  toRows(unpackColumns(packed), values, counters)

export function toRows(numbers: Float64Array, values: number, counters: number): number[][] {
  const columns = values === 0 ? 0 : numbers.length / values
  const rows: number[][] = new Array(values)
  for (let r = 0; r < values; r++) {
    const row: number[] = new Array(counters)
    for (let c = 0; c < counters; c++) row[c] = c < columns ? (numbers[c * values + r] as number) : 0
    rows[r] = row
  }
  return rows
}

/** The columns as they are, one after the other. */
export function unpackColumns(packed: Binary): Float64Array {
  // A copy, as a number has to begin at a multiple of eight.
  const bytes = Uint8Array.prototype.slice.call(packed.buffer, 0, packed.position)
  if (IS_BIG_ENDIAN) Buffer.from(bytes.buffer).swap64()
  return new Float64Array(bytes.buffer)
}

/**
 * Adds them to rows by value.
 * @param values whose rows the columns are of
 * @param counters how many a row has
 */
export function addColumns(
  into: Map<string, number[]>,
  values: readonly string[],
  numbers: Float64Array,
  counters: number,
): void {
  const width = values.length === 0 ? 0 : Math.min(counters, numbers.length / values.length)
  for (const [r, value] of values.entries()) {
    const row = into.get(value)
    if (row) {
      for (let c = 0; c < width; c++) row[c] = (row[c] as number) + (numbers[c * values.length + r] as number)
    } else {
      const made: number[] = new Array(counters)
      for (let c = 0; c < counters; c++) made[c] = c < width ? (numbers[c * values.length + r] as number) : 0
      into.set(value, made)
    }
  }
}
