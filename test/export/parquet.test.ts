import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { expect, test, vi } from 'vitest'
import type { Columns, Row } from '../../collector/export/columns.ts'
import { FORMATS } from '../../collector/export/index.ts'

/** Other things may run on the machine; ms. */
vi.setConfig({ testTimeout: 120_000 })

const COLUMNS = {
  at: ['time', ''],
  id: ['text', ''],
  kind: ['text', ''],
  n: ['integer', ''],
  amount: ['number', ''],
  extra: ['json', ''],
} as const satisfies Columns

/** Texts that all differ, that come again, that are long, empty or none. */
const rowOf = (i: number): Row => ({
  at: new Date(1_700_000_000_000 + i),
  id: `${i} ü\ud83d\ude00`,
  kind: i % 7 === 0 ? null : (['', 'a', `k${i % 1_000}`, 'long '.repeat(60)][i % 4] ?? null),
  n: i % 3 === 0 ? null : i - 1_000,
  amount: i % 5 === 0 ? null : i / 8,
  extra: i % 100 === 0 ? { i, text: 'x'.repeat(i % 3_000) } : null,
})

async function fileOf(rows: number): Promise<ArrayBuffer> {
  async function* lists(): AsyncGenerator<Row[]> {
    for (let at = 0; at < rows; at += 250)
      yield Array.from({ length: Math.min(250, rows - at) }, (_, i) => rowOf(at + i))
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of FORMATS.parquet.encode(COLUMNS, lists())) chunks.push(chunk)
  return new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer()
}

// From 15 row groups on, their number is written otherwise.
test.each([0, 1, 140_000, 140_001])('a file of %i rows has them all, in row groups', async rows => {
  const file = await fileOf(rows)
  const metadata = parquetMetadata(file)
  expect(Number(metadata.num_rows)).toBe(rows)
  expect(metadata.row_groups.map(group => Number(group.num_rows))).toEqual(
    Array.from({ length: Math.ceil(rows / 10_000) }, (_, i) => Math.min(10_000, rows - i * 10_000)),
  )
  const bounds = metadata.row_groups.map(group => group.columns[0]?.meta_data?.statistics?.min_value)
  expect(bounds).toEqual(metadata.row_groups.map((_, i) => rowOf(i * 10_000).at))
  const read = await parquetReadObjects({ file, metadata })
  expect(read).toHaveLength(rows)
  const different = read.findIndex((row, i) => {
    const { extra, n, ...rest } = rowOf(i)
    const told = { ...rest, n: n === null ? null : BigInt(n as number), extra: extra && JSON.stringify(extra) }
    return Object.entries(told).some(([name, value]) => String(row[name]) !== String(value))
  })
  expect(different).toBe(-1)
})
