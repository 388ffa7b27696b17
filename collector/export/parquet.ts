/** Parquet: rows are held until they fill a row group, which is written by columns. */
import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer'
import type { Columns, ColumnType, Row } from './columns.ts'

/** A row group is written at so many rows, or bytes of text in them: it is held until then. */
const GROUP = { rows: 10_000, text: 8 * 1024 * 1024 } as const

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

/** As the column's type is stored. */
function stored(type: ColumnType, value: Row[string]): unknown {
  if (value === null || value === undefined) return null
  if (type === 'json') return JSON.stringify(value)
  return type === 'integer' ? BigInt(value as number) : value
}

export async function* parquet(columns: Columns, rows: AsyncIterable<Row[]>): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({ writer: bytes, schema: schemaOf(columns) })
  /** What was written since the last call. */
  const take = (): Uint8Array => {
    const taken = Buffer.from(bytes.getBytes())
    bytes.index = 0
    return taken
  }
  const names = Object.entries(columns)
  let group: unknown[][] = names.map(() => [])
  let text = 0
  /**
   * Texts of the group as they are written: of those that are the same, which are most, one is held. Buffers of Node lie many
   * in one piece of memory, and those that the writer would make of texts each in one of its own.
   */
  const texts = new Map<string, Buffer>()
  const hold = (value: string): Buffer => {
    const held = texts.get(value)
    if (held) return held
    const made = Buffer.from(value)
    texts.set(value, made)
    text += made.length
    return made
  }
  const write = (): Uint8Array => {
    // Bounds of values let a reader leave groups out: by time that is worth its place, and of most others there is no order.
    const columnData = names.map(([name, [type]], i) => ({ name, data: group[i] ?? [], statistics: type === 'time' }))
    writer.write({ columnData, rowGroupSize: GROUP.rows })
    group = names.map(() => [])
    text = 0
    texts.clear()
    return take()
  }
  for await (const list of rows) {
    for (const row of list) {
      // By number: this is done for every value.
      for (let i = 0; i < names.length; i++) {
        const [name, [type]] = names[i] as (typeof names)[number]
        const value = stored(type, row[name] ?? null)
        group[i]?.push(typeof value === 'string' ? hold(value) : value)
      }
      if ((group[0]?.length ?? 0) >= GROUP.rows || text >= GROUP.text) yield write()
    }
  }
  if ((group[0]?.length ?? 0) > 0) yield write()
  writer.finish()
  yield take()
}
