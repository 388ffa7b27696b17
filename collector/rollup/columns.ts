/** The packed form of a rollup document's counters: one float64 column a counter, one after the other. */
import { Binary } from 'mongodb'
import { COUNTERS, HOUR_COUNTERS } from '../journal/index.ts'

// One form for both.
HOUR_COUNTERS.length satisfies typeof COUNTERS.length

/** Rows (one a value, in the order of {@link COUNTERS}) to columns, little-endian. */
export function packRows(rows: readonly (readonly number[])[]): Binary {
  const bytes = Buffer.alloc(rows.length * COUNTERS.length * 8)
  rows.forEach((row, r) => {
    for (let c = 0; c < COUNTERS.length; c++) bytes.writeDoubleLE(row[c] ?? 0, (c * rows.length + r) * 8)
  })
  return new Binary(bytes)
}

/** Columns back to rows. A counter that was added after the document was written is 0. */
export function unpackRows(packed: Binary, values: number): number[][] {
  const bytes = Buffer.from(packed.buffer.buffer, packed.buffer.byteOffset, packed.length())
  const columns = values === 0 ? 0 : bytes.length / 8 / values
  return Array.from({ length: values }, (_, r) =>
    COUNTERS.map((_, c) => (c < columns ? bytes.readDoubleLE((c * values + r) * 8) : 0)),
  )
}
