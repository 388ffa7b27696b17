/**
 * Fold: adds the deltas of settled pages into the rollup documents of a lane, in the order of their settle numbers.
 * A document is replaced by compare-and-swap on `upto`, so repeating is harmless and no transaction is needed.
 */
import type { AnyBulkWriteOperation, Db } from 'mongodb'
import type { JournalPage, StoredPage } from '../journal/index.ts'
import { type Lane, LaneLost } from '../settle/index.ts'
import {
  addDelta,
  emptyRollup,
  fromDocument,
  type Rollup,
  type RollupDocument,
  rollupId,
  toDocument,
} from './rollup.ts'

/** Pages folded together. */
const MOST_PAGES = 500
/** Rollups of a lane held in memory, and the values in them. */
const HELD = { rollups: 2_000, values: 200_000 } as const
const DURABLE = { w: 'majority', journal: true } as const

type SettledPage = Pick<JournalPage, '_id' | 'settled' | 'deltas'>

export interface Folder {
  /** Folds what is settled; gives back how many pages. @throws LaneLost when somebody else writes this lane's rollups */
  fold(): Promise<number>
}

export function createFolder(db: Db, lane: Lane): Folder {
  const journal = db.collection<StoredPage>('journal')
  const rollups = db.collection<RollupDocument>('rollups')
  const held = new Map<string, Rollup>()

  const load = async (pages: SettledPage[]): Promise<Map<string, Rollup>> => {
    const wanted = new Map(
      pages.flatMap(({ deltas = [] }) => deltas.map(delta => [rollupId(delta, lane.id), delta] as const)),
    )
    const absent = [...wanted.keys()].filter(id => !held.has(id))
    const found =
      absent.length === 0
        ? []
        : await rollups.find({ _id: { $in: absent } }, { readConcern: { level: 'majority' } }).toArray()
    for (const document of found) held.set(document._id, fromDocument(document))
    for (const [id, delta] of wanted) {
      const rollup = held.get(id) ?? emptyRollup(delta, lane.id)
      // Moved to the end: the map's order is the order of use.
      held.delete(id)
      held.set(id, rollup)
    }
    return held
  }

  const fold = async (): Promise<number> => {
    const pages: SettledPage[] = await journal
      .find(
        { lane: lane.id, settled: { $gt: 0 }, state: 'settled', foldedAt: null as never },
        { projection: { settled: 1, deltas: 1 }, readConcern: { level: 'majority' } },
      )
      .sort({ settled: 1 })
      .limit(MOST_PAGES)
      .toArray()
    if (pages.length === 0) return 0
    const loaded = await load(pages)
    const before = new Map<string, number>()
    for (const { settled = 0, deltas = [] } of pages) {
      for (const delta of deltas) {
        const rollup = loaded.get(rollupId(delta, lane.id))
        if (!rollup || rollup.upto >= settled) continue
        if (!before.has(rollup.id)) before.set(rollup.id, rollup.upto)
        addDelta(rollup.rows, delta)
        rollup.upto = settled
      }
    }
    await replace([...before].map(([id, upto]) => [loaded.get(id), upto]))
    await journal.updateMany(
      { _id: { $in: pages.map(({ _id }) => _id) } },
      { $set: { foldedAt: new Date() } },
      { writeConcern: DURABLE },
    )
    forget()
    return pages.length
  }

  const replace = async (changed: [Rollup | undefined, number][]): Promise<void> => {
    const operations: AnyBulkWriteOperation<RollupDocument>[] = changed.flatMap(([rollup, upto]) =>
      rollup
        ? { replaceOne: { filter: { _id: rollup.id, upto }, replacement: toDocument(rollup), upsert: upto === 0 } }
        : [],
    )
    if (operations.length === 0) return
    const result = await rollups.bulkWrite(operations, { ordered: false, writeConcern: DURABLE }).catch(error => {
      throw error.code === 11000 ? new LaneLost(`somebody else folds lane ${lane.id}`) : error
    })
    if (result.matchedCount + result.upsertedCount !== operations.length)
      throw new LaneLost(`somebody else folds lane ${lane.id}`)
  }

  const forget = (): void => {
    let values = 0
    for (const { rows } of held.values()) values += rows.size
    for (const [id, { rows }] of held) {
      if (held.size <= HELD.rollups && values <= HELD.values) break
      held.delete(id)
      values -= rows.size
    }
  }

  return {
    fold: () =>
      fold().catch(error => {
        held.clear()
        throw error
      }),
  }
}
