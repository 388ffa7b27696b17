/** Reads what was exported, by readers that know nothing of who wrote it. */
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { EVENT_COLUMNS, SESSION_COLUMNS } from '../../collector/export/index.ts'

export type Texts = Record<string, string>
export type Line = Record<string, unknown>

/** Each value as a text, so that formats can be held against each other; empty where there is none. */
const textOf = (value: unknown): string => {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
const textsOf = (row: Line): Texts =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOf(value)]))

export const linesOf = (text: string): Line[] =>
  text.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as Line]))
export const fromNdjson = (text: string): Texts[] => linesOf(text).map(textsOf)

export async function fromParquet(bytes: ArrayBuffer): Promise<{ rows: Texts[]; groups: number; schema: string[] }> {
  const metadata = await parquetMetadataAsync(bytes)
  const rows = await parquetReadObjects({ file: bytes, metadata })
  return {
    rows: rows.map(textsOf),
    groups: metadata.row_groups.length,
    schema: metadata.schema.slice(1).map(({ name }) => name),
  }
}

/** Records of RFC 4180, cells as they stand. */
export function cellsOf(text: string): string[][] {
  const records: string[][] = []
  let record: string[] = []
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy
  for (let match = cell.exec(text); match; match = cell.exec(text)) {
    const [, quoted, plain = '', end] = match
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    records.push(record)
    record = []
  }
  const read = records.reduce((sum, cells) => sum + cells.length, 0)
  if (record.length > 0 || (text !== '' && read === 0) || !text.endsWith('\r\n')) throw new Error('not RFC 4180')
  return records
}

const TYPES: Record<string, readonly [string, string]> = { ...EVENT_COLUMNS, ...SESSION_COLUMNS }

/** Without the apostrophes before what would be a formula. */
export function fromCsv(text: string): Texts[] {
  const [head = [], ...records] = cellsOf(text)
  return records.map(cells =>
    Object.fromEntries(
      cells.map((cell, i) => {
        const name = head[i] ?? ''
        return [name, TYPES[name]?.[0] === 'text' ? cell.replace(/^'(?=[=+\-@\t\r＝＋－＠])/, '') : cell]
      }),
    ),
  )
}
