/** Where counters of hours are read from: rollups of all lanes, and the settled pages that they do not contain yet. */
import type { Abortable, ClientSession, Db, Filter, FindCursor, FindOptions } from 'mongodb'
import { type HourDimension, type HourRows, type StoredPage, unpackHour } from '../journal/index.ts'
import { once } from '../store/index.ts'
import { fromDocument, type Rollup, type RollupDocument } from './rollup.ts'

export type ReadOptions = { session: ClientSession } & Pick<FindOptions, 'maxTimeMS' | 'comment'> & Abortable
/** More than the longest hour, ms. */
export const LONGEST_HOUR_MS = 2 * 3_600_000

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
  { dims, ...span }: Span & { site: string; dims: readonly HourDimension[] },
  options: ReadOptions,
): AsyncGenerator<UnfoldedHour> {
  const { site, from, to } = span
  const few = await fewUnfolded(db, span, options)
  for await (const { lane, settled = 0, hours = [] } of few ?? findUnfolded(db, span, options)) {
    for (const hour of hours) {
      if (hour.site !== site || hour.at < from || hour.at >= to) continue
      for (const rows of unpackHour(hour)) if (dims.includes(rows.dim)) yield { lane, settled, rows }
    }
  }
}

type Unfolded = Pick<StoredPage, 'lane' | 'settled' | 'hours'>
/** Pages that are held for all who ask at the same moment. There are more where folding lags. */
const MOST_HELD = 100

/** Pages that are settled and not folded yet, and change hours of a time; `undefined` where they are many. */
export async function fewUnfolded(
  db: Db,
  span: Span & { site: string },
  options: ReadOptions,
): Promise<Unfolded[] | undefined> {
  const { site, from, to } = span
  const pages = await once(options, `unfolded ${site} ${from} ${to}`, shared =>
    findUnfolded(db, span, shared)
      .limit(MOST_HELD + 1)
      .toArray(),
  )
  return pages.length > MOST_HELD ? undefined : pages
}

function findUnfolded(db: Db, { site, from, to }: Span & { site: string }, options: ReadOptions): FindCursor<Unfolded> {
  const filter: Filter<StoredPage> = {
    foldedAt: null as never,
    state: 'settled',
    hours: { $elemMatch: { site, at: { $gte: from, $lt: to } } },
  }
  return db
    .collection<StoredPage>('journal')
    .find(filter, { ...options, projection: { lane: 1, settled: 1, hours: 1 } })
}
