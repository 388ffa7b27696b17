/**
 * Makes a rollup anew, in a transaction: a folder that writes it meanwhile makes it start again. A folder that holds it
 * in memory must not write what it holds: so `upto` always changes, and the folder finds no document with the one that
 * it knows, takes its lane for lost and drops its memory.
 */
import {
  addDelta,
  noteMended,
  type Place,
  type Rollup,
  type RollupDocument,
  rollupId,
  toDocument,
} from '../rollup/index.ts'
import { writeAudit } from './audit.ts'
import { asDelta, type Cell, cellKey, countSpan, type Rows, type Span } from './counted.ts'
import type { Kind } from './kinds.ts'
import { inTransaction, type Scope } from './scope.ts'

export interface Mending {
  kind: Kind
  id: string
  /** its minute or hour */
  span: Span
  place: Required<Place>
  lane: number
}

export const mendRollup = (scope: Scope, { kind, id, span, place, lane }: Mending): Promise<boolean> =>
  inTransaction(
    scope,
    place.site,
    async moment => {
      const { session, lanes } = moment
      const { site } = place
      const cell = (await countSpan(scope, span, moment)).get(cellKey(place))
      if (!cell) return false
      const held = cell.rollups.find(rollup => rollup.lane === lane)
      const upto = uptoAfter(lanes.get(lane) ?? 0, held?.upto)
      const mended: Rollup = {
        ...place,
        id: rollupId(place, lane),
        lane,
        upto,
        rows: shareOf(cell, lane),
      }
      const rollups = scope.db.collection<RollupDocument>('rollups')
      const before = await rollups.findOne({ _id: id }, { session, projection: { mending: 0 } as const })
      const after = toDocument(mended)
      await rollups.replaceOne({ _id: id }, after, { session, upsert: true })
      const { grain, at } = place
      if (grain === 'hour') await noteMended(scope.db, [{ site, at, lane, zone: scope.zoneOf(site) }], session)
      await writeAudit(scope.db, { kind, site, what: id, before, after }, session)
      return true
    },
    { collection: 'rollups', id },
  )

/**
 * A position between the last settle number of the lane and the next: all that is settled is contained, nothing that
 * comes is, and it is never what a folder holds.
 */
export const uptoAfter = (settled: number, before = 0): number =>
  before > settled && before < settled + 1 ? (before + settled + 1) / 2 : settled + 0.5

/** What the record says, without what other lanes count. */
function shareOf({ dim, expected, rollups, unfolded }: Cell, lane: number): Rows {
  const rows: Rows = new Map()
  addDelta(rows, { dim, ...asDelta(expected) })
  const less = (others: Rows) =>
    addDelta(rows, { dim, values: [...others.keys()], counters: [...others.values()].map(row => row.map(n => -n)) })
  for (const rollup of rollups) if (rollup.lane !== lane) less(rollup.rows)
  for (const [other, others] of unfolded) if (other !== lane) less(others)
  return rows
}
