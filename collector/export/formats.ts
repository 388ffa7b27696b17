/** Rows as bytes, as they come: each format takes lists of rows and gives out what can be sent, holding little. */
import { type Options, stringify } from 'csv-stringify/sync'
import type { Columns, Row } from './columns.ts'
import { parquet } from './parquet.ts'

export type Encode = (columns: Columns, rows: AsyncIterable<Row[]>) => AsyncGenerator<Uint8Array>

export const FORMATS = {
  ndjson: { type: 'application/x-ndjson', isPacked: false, encode: ndjson },
  csv: { type: 'text/csv', isPacked: false, encode: csv },
  parquet: { type: 'application/vnd.apache.parquet', isPacked: true, encode: parquet },
} as const satisfies Readonly<Record<string, { type: string; isPacked: boolean; encode: Encode }>>
export type Format = keyof typeof FORMATS

async function* ndjson(_: Columns, rows: AsyncIterable<Row[]>): AsyncGenerator<Uint8Array> {
  for await (const list of rows) yield Buffer.from(list.map(row => `${JSON.stringify(row)}\n`).join(''))
}

/**
 * RFC 4180. A text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return) gets an
 * apostrophe in front: https://owasp.org/www-community/attacks/CSV_Injection
 */
async function* csv(columns: Columns, rows: AsyncIterable<Row[]>): AsyncGenerator<Uint8Array> {
  const options: Options = {
    columns: Object.keys(columns),
    record_delimiter: 'windows',
    // Also one of its two characters alone.
    quote_record_delimiter: true,
    escape_formulas: true,
    cast: {
      date: value => value.toISOString(),
      object: value => JSON.stringify(value),
    },
  }
  yield Buffer.from(stringify([], { ...options, header: true }))
  for await (const list of rows) yield Buffer.from(stringify(list, options))
}
