/** The packed form of a rollup document's counters: one float64 column a counter, one after the other. */
import { Binary } from 'mongodb'

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
export function unpackRows(packed: Binary, values: number, counters: number): number[][] {
  const bytes = Buffer.from(packed.buffer.buffer, packed.buffer.byteOffset, packed.length())
  const columns = values === 0 ? 0 : bytes.length / 8 / values
  return Array.from({ length: values }, (_, r) =>
    Array.from({ length: counters }, (_, c) => (c < columns ? bytes.readDoubleLE((c * values + r) * 8) : 0)),
  )
}
