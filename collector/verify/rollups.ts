/** Rollups: each minute counts what the record says. Finds `rollup-missing`, `rollup-wrong` and `upto-stale`. */
import type { Db } from 'mongodb'
import type { StoredPage } from '../journal/index.ts'
import { type Rollup, type RollupDocument, rollupId } from '../rollup/index.ts'
import { beginningIn, MINUTE_MS, type RawEvent, type Session } from '../settle/index.ts'
import { KEPT } from '../store/index.ts'
import { type Cell, type Cells, countSpan } from './counted.ts'
import { difference } from './difference.ts'
import { type Fault, type Found, HOUR_MS, hourOf } from './kinds.ts'
import { laneOf } from './lane-of.ts'
import { mendRollup } from './mend-rollups.ts'
import { atOneMoment, type Moment, type Scope } from './scope.ts'

const DAY_MS = 24 * HOUR_MS

/** What is folded, as the journal still says: rollup → the last settle number that it has to contain. */
export type Folded = Map<string, number>

/** Read before any rollup: what is folded later only makes them younger. */
export async function readFolded(db: Db): Promise<Folded> {
  const folded: Folded = new Map()
  const pages = db
    .collection<StoredPage>('journal')
    .find(
      { foldedAt: { $type: 'date' }, state: 'settled' },
      { projection: { lane: 1, settled: 1, 'deltas.site': 1, 'deltas.dim': 1, 'deltas.at': 1 } },
    )
  for await (const { lane, settled = 0, deltas = [] } of pages) {
    for (const delta of deltas) {
      const id = rollupId(delta, lane)
      folded.set(id, Math.max(settled, folded.get(id) ?? 0))
    }
  }
  return folded
}

/** Hour by hour, as long as minutes are kept. `checked` is told how many rollups were looked at. */
export async function* checkRollups(
  scope: Scope,
  site: string,
  folded: Folded,
  checked: (rollups: number) => void,
): AsyncGenerator<Fault> {
  // An hour is left out: what expires meanwhile is not missing.
  const oldest = Math.ceil((scope.began - KEPT.minutes) / HOUR_MS + 1) * HOUR_MS
  for (let day = oldest; day <= scope.began; day += DAY_MS) {
    if (!(await hasAnything(scope.db, site, day, day + DAY_MS))) continue
    for (let from = day; from < day + DAY_MS && from <= scope.began; from += HOUR_MS) {
      if (!(await hasAnything(scope.db, site, from, from + HOUR_MS))) continue
      yield* await atOneMoment(scope, site, async moment => {
        const cells = await countSpan(scope, { site, from, to: from + HOUR_MS }, moment)
        for (const { rollups } of cells.values()) checked(rollups.length)
        return [...cells.values()].flatMap(cell => judge(scope, cell, cells, moment, folded) ?? [])
      })
    }
  }
}

async function hasAnything(db: Db, site: string, from: number, to: number): Promise<boolean> {
  const range = { $gte: new Date(from), $lt: new Date(to) }
  const options = { projection: { _id: 1 } } as const
  const dim = { $in: ['total' as const, 'name' as const, 'page' as const] }
  const found = await Promise.all([
    db.collection<RollupDocument>('rollups').findOne({ site, grain: 'minute', dim, at: range }, options),
    db.collection<RawEvent>('events').findOne({ 'meta.site': site, ts: range }, options),
    db.collection<Session>('sessions').findOne(beginningIn(site, range), options),
  ])
  return found.some(one => one !== null)
}

function judge(scope: Scope, cell: Cell, cells: Cells, { lanes }: Moment, folded: Folded): Fault | undefined {
  const { site, dim, at, rollups } = cell
  const wrong = difference(cell)
  const stale = rollups.find(rollup => isStale(rollup, lanes, folded))
  if (!wrong && !stale) return undefined
  const may = wrong !== undefined && scope.truth.gone.has(site) && wrong.surplus > 0
  const lane = stale?.lane ?? laneOf(cell, cells, lanes)
  const kind = stale ? 'upto-stale' : rollups.some(rollup => rollup.lane === lane) ? 'rollup-wrong' : 'rollup-missing'
  const found: Found = {
    kind,
    site,
    hour: hourOf(at),
    id: rollupId({ site, dim, at }, lane),
    ...(wrong && { expected: wrong.expected, actual: wrong.actual }),
    ...(stale && {
      expected: { ...wrong?.expected, upto: folded.get(stale.id), settled: lanes.get(stale.lane) },
      actual: { ...wrong?.actual, upto: stale.upto },
    }),
    repairable: !may,
    ...(may && { why: 'it counts more than the raw record, of which events are lost: it may be right' }),
  }
  const span = { site, from: at, to: at + MINUTE_MS }
  return may ? { found } : { found, mend: () => mendRollup(scope, { kind, id: found.id ?? '', span, dim, lane }) }
}

const isStale = ({ id, lane, upto }: Rollup, lanes: Moment['lanes'], folded: Folded): boolean =>
  upto < (folded.get(id) ?? 0) || Math.floor(upto) > (lanes.get(lane) ?? 0)
