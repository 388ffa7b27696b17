/** Parquet: rows are held until they fill a row group, which is written by columns. */
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer'
import type { Columns, ColumnType, Row } from './columns.ts'
import { createFooter } from './parquet-footer.ts'
import { createGroup } from './parquet-group.ts'

/** Bytes sent at a time. */
const PIECE = 64 * 1024

const TYPES = {
  time: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
  },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT64' },
  number: { type: 'DOUBLE' },
  json: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
} as const satisfies Readonly<Record<ColumnType, Partial<SchemaElement>>>

const schemaOf = (columns: Columns): SchemaElement[] => [
  { name: 'root', num_children: Object.keys(columns).length },
  ...Object.entries(columns).map(
    ([name, [type]]): SchemaElement => ({ name, repetition_type: 'OPTIONAL', ...TYPES[type] }),
  ),
]

export async function* parquet(columns: Columns, rows: AsyncIterable<Row[]>): AsyncGenerator<Uint8Array> {
  const schema = schemaOf(columns)
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({ writer: bytes, schema })
  const footer = createFooter(schema)
  const group = createGroup(columns)
  /** What was written since the last call. The last piece is held by who sends it until the next row group comes: it is small. */
  function* take(): Generator<Uint8Array> {
    const written = bytes.getBytes()
    for (let at = 0; at < written.length; at += PIECE) yield Buffer.from(written.subarray(at, at + PIECE))
    bytes.index = 0
  }
  function* write(): Generator<Uint8Array> {
    writer.write({ columnData: group.columnData(), rowGroupSize: group.size })
    group.clear()
    for (const written of writer.row_groups.splice(0)) footer.add(written)
    writer.pendingIndexes.length = 0
    yield* take()
  }
  for await (const list of rows) {
    for (const row of list) {
      group.add(row)
      if (group.isFull) yield* write()
    }
  }
  if (group.size > 0) yield* write()
  footer.write(bytes)
  yield* take()
}
