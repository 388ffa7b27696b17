/** Where counters of hours are read from: rollups of all lanes, and the settled pages that they do not contain yet. */
import type { ClientSession, Db, Filter } from 'mongodb'
import { type HourDimension, type HourRows, type StoredPage, unpackHour } from '../journal/index.ts'
import { fromDocument, type Rollup, type RollupDocument } from './rollup.ts'

export type ReadOptions = { session: ClientSession; signal?: AbortSignal }
export interface Span {
  from: number
  to: number
}

/** @param spans in which the hours begin, ms */
export async function* foldedHours(
  db: Db,
  { site, dims, spans }: { site: string; dims: readonly HourDimension[]; spans: readonly Span[] },
  options: ReadOptions,
): AsyncGenerator<Rollup> {
  if (spans.length === 0) return
  const range: Filter<RollupDocument> = {
    $or: spans.map(({ from, to }) => ({
      site,
      grain: 'hour' as const,
      dim: { $in: [...dims] },
      at: { $gte: new Date(from), $lt: new Date(to) },
    })),
  }
  const documents = db.collection<RollupDocument>('rollups').find(range, { ...options, batchSize: 10_000 })
  for await (const document of documents) yield fromDocument(document)
}

export interface UnfoldedHour {
  lane: number
  settled: number
  rows: HourRows
}

export async function* unfoldedHours(
  db: Db,
  { site, dims, from, to }: Span & { site: string; dims: readonly HourDimension[] },
  options: ReadOptions,
): AsyncGenerator<UnfoldedHour> {
  const pages = db.collection<StoredPage>('journal').find(
    {
      foldedAt: null as never,
      state: 'settled',
      hours: { $elemMatch: { site, at: { $gte: from, $lt: to } } },
    },
    { ...options, projection: { lane: 1, settled: 1, hours: 1 } },
  )
  for await (const { lane, settled = 0, hours = [] } of pages) {
    for (const hour of hours) {
      if (hour.site !== site || hour.at < from || hour.at >= to) continue
      for (const rows of unpackHour(hour)) if (dims.includes(rows.dim)) yield { lane, settled, rows }
    }
  }
}
