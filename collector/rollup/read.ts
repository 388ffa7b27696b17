/** Reading counters: rollups of all lanes, plus the settled pages that they do not contain yet. */
import type { Abortable, ClientSession, Db, Filter, FindOptions } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import type { Dimension, StoredPage } from '../journal/index.ts'
import { addDelta, fromDocument, type RollupDocument, rollupId } from './rollup.ts'

export interface Range {
  site: string
  dims: readonly Dimension[]
  /** first and last minute, ms since the epoch, both included */
  from: number
  to: number
  /** of each read */
  options?: Pick<FindOptions, 'maxTimeMS' | 'comment'> & Abortable
}

/** Counters of one dimension: minute → value → row in the order of `COUNTERS`. */
export type Minutes = Map<number, Map<string, number[]>>

/**
 * Reads exact counters. Rollups and pages are read at one moment, in `session`, a snapshot session: read apart, a page
 * folded in between would be counted twice or not at all.
 */
export async function readMinutes(
  db: Db,
  { site, dims, from, to, options }: Range,
  session: ClientSession,
): Promise<Map<Dimension, Minutes>> {
  const result = new Map<Dimension, Minutes>(dims.map(dim => [dim, new Map()]))
  const rows = (dim: Dimension, at: number): Map<string, number[]> =>
    getOrAdd(
      getOrAdd(result, dim, () => new Map()),
      at,
      () => new Map(),
    )
  const range: Filter<RollupDocument> = {
    site,
    grain: 'minute',
    dim: { $in: [...dims] },
    at: { $gte: new Date(from), $lte: new Date(to) },
  }
  const upto = new Map<string, number>()
  for await (const document of db
    .collection<RollupDocument>('rollups')
    .find(range, { ...options, session, batchSize: 10_000 })) {
    const rollup = fromDocument(document)
    upto.set(rollup.id, rollup.upto)
    addDelta(rows(rollup.dim as Dimension, rollup.at), {
      dim: rollup.dim,
      values: [...rollup.rows.keys()],
      counters: [...rollup.rows.values()],
    })
  }
  const unfolded = db
    .collection<StoredPage>('journal')
    .find(
      { foldedAt: null as never, state: 'settled', 'deltas.site': site },
      { ...options, session, projection: { lane: 1, settled: 1, deltas: 1 } },
    )
  for await (const { lane, settled = 0, deltas = [] } of unfolded) {
    for (const delta of deltas) {
      if (delta.site !== site || delta.at < from || delta.at > to || !dims.includes(delta.dim)) continue
      if (settled > (upto.get(rollupId(delta, lane)) ?? 0)) addDelta(rows(delta.dim, delta.at), delta)
    }
  }
  return result
}
