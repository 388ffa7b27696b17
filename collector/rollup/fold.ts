/**
 * Fold: adds the deltas of settled pages into the rollup documents of a lane, in the order of their settle numbers.
 * A document is replaced by compare-and-swap on `upto`, so repeating is harmless and no transaction is needed.
 */
import type { AnyBulkWriteOperation, Db } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { type Delta, type JournalPage, type StoredPage, unpackHour } from '../journal/index.ts'
import { type Lane, LaneLost, type ZoneOf } from '../settle/index.ts'
import {
  addDelta,
  emptyRollup,
  fromDocument,
  type Place,
  type Rollup,
  type RollupDocument,
  rollupId,
  toDocument,
} from './rollup.ts'
import { raiseTouch, type TouchedHour } from './touch.ts'

/** Pages folded together: so many, or as many as have so many values of hours. */
const MOST = { pages: 500, values: 100_000 } as const
/** Rollups of a lane held in memory, and the values in them. */
const HELD = { rollups: 2_000, values: 200_000 } as const
/** Rollups changed together, beside what is held: late events may change many that are large. */
const TOGETHER = 50
const DURABLE = { w: 'majority', journal: true } as const

type SettledPage = Pick<JournalPage, '_id' | 'settled' | 'deltas' | 'hours'>

type Counted = Pick<Delta, 'values' | 'counters'>

/** What these pages change in one rollup, in the order of their settle numbers. */
interface Change {
  place: Place
  parts: { settled: number; delta: Counted }[]
}

export interface Folder {
  /** Folds what is settled; gives back how many pages. @throws LaneLost when somebody else writes this lane's rollups */
  fold(): Promise<number>
}

/** @param zoneOf the time zones of sites as this collector knows them; days of UTC are touched where none is known */
export function createFolder(db: Db, lane: Lane, zoneOf: ZoneOf = () => undefined): Folder {
  const journal = db.collection<StoredPage>('journal')
  const rollups = db.collection<RollupDocument>('rollups')
  const held = new Map<string, Rollup>()

  /** Those of these ids, made where there is none. */
  const load = async (changes: Map<string, Change>): Promise<void> => {
    const absent = [...changes.keys()].filter(id => !held.has(id))
    const found =
      absent.length === 0
        ? []
        : await rollups.find({ _id: { $in: absent } }, { readConcern: { level: 'majority' } }).toArray()
    for (const document of found) held.set(document._id, fromDocument(document))
    for (const [id, { place }] of changes) {
      const rollup = held.get(id) ?? emptyRollup(place, lane.id)
      // Moved to the end: the map's order is the order of use.
      held.delete(id)
      held.set(id, rollup)
    }
  }

  const fold = async (): Promise<number> => {
    const pages: SettledPage[] = []
    let values = 0
    const settled = journal
      .find(
        { lane: lane.id, settled: { $gt: 0 }, state: 'settled', foldedAt: null as never },
        { projection: { settled: 1, deltas: 1, hours: 1 }, readConcern: { level: 'majority' } },
      )
      .sort({ settled: 1 })
      .limit(MOST.pages)
    for await (const page of settled) {
      pages.push(page)
      for (const hour of page.hours ?? []) values += hour.values.length
      if (values > MOST.values) break
    }
    if (pages.length === 0) return 0
    const changes = [...changesOf(pages, lane.id)]
    for (let i = 0; i < changes.length; i += TOGETHER) await change(new Map(changes.slice(i, i + TOGETHER)))
    await raiseTouch(db, touchedBy(pages, lane.id, zoneOf))
    await journal.updateMany(
      { _id: { $in: pages.map(({ _id }) => _id) } },
      { $set: { foldedAt: new Date() } },
      { writeConcern: DURABLE },
    )
    return pages.length
  }

  const change = async (changes: Map<string, Change>): Promise<void> => {
    await load(changes)
    const before = new Map<Rollup, number>()
    for (const [id, { parts }] of changes) {
      const rollup = held.get(id)
      if (!rollup) continue
      for (const { settled, delta } of parts) {
        if (rollup.upto >= settled) continue
        if (!before.has(rollup)) before.set(rollup, rollup.upto)
        addDelta(rollup.rows, { dim: rollup.dim, ...delta })
        rollup.upto = settled
      }
    }
    await replace([...before])
    forget()
  }

  const replace = async (changed: [Rollup, number][]): Promise<void> => {
    const operations: AnyBulkWriteOperation<RollupDocument>[] = changed.map(([rollup, upto]) => ({
      replaceOne: { filter: { _id: rollup.id, upto }, replacement: toDocument(rollup), upsert: upto === 0 },
    }))
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

/** All hours of the pages, also where their rollups contained them: who wrote these may have ended before this. */
function* touchedBy(pages: SettledPage[], lane: number, zoneOf: ZoneOf): Generator<TouchedHour & { settled: number }> {
  for (const { settled = 0, hours = [] } of pages)
    for (const { site, at } of hours) yield { site, at, lane, zone: zoneOf(site), settled }
}

function changesOf(pages: SettledPage[], lane: number): Map<string, Change> {
  const changes = new Map<string, Change>()
  for (const { settled = 0, deltas = [], hours = [] } of pages) {
    const note = (place: Place, delta: Counted): void => {
      const change = getOrAdd<string, Change>(changes, rollupId(place, lane), () => ({ place, parts: [] }))
      change.parts.push({ settled, delta })
    }
    for (const delta of deltas) note(delta, delta)
    for (const hour of hours) {
      for (const { values, counters, ...place } of unpackHour(hour))
        note({ ...place, grain: 'hour' }, { values, counters })
    }
  }
  return changes
}
