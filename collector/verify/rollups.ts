/** Rollups: each minute and hour counts what the record says. Finds `rollup-missing`, `rollup-wrong` and `upto-stale`. */
import type { Db } from 'mongodb'
import type { StoredPage } from '../journal/index.ts'
import { type Place, type Rollup, type RollupDocument, rollupId } from '../rollup/index.ts'
import { beginningIn, hourOf as hourOfZone, MINUTE_MS, type RawEvent, type Session } from '../settle/index.ts'
import { KEPT } from '../store/index.ts'
import { type Cell, type Cells, countSpan, rollupsIn, type Span } from './counted.ts'
import { difference } from './difference.ts'
import { type Fault, type Found, HOUR_MS, hourOf } from './kinds.ts'
import { laneOf } from './lane-of.ts'
import { mendRollup } from './mend-rollups.ts'
import { atOneMoment, type Moment, type Scope } from './scope.ts'

const DAY_MS = 24 * HOUR_MS

/** What is folded, as the journal still says: rollup → the last settle number that it has to contain. */
export type Folded = Map<string, number>

const HOURS = { 'hours.site': 1, 'hours.at': 1, 'hours.dims': 1 } as const

/** Read before any rollup: what is folded later only makes them younger. */
export async function readFolded(db: Db): Promise<Folded> {
  const folded: Folded = new Map()
  const pages = db
    .collection<StoredPage>('journal')
    .find(
      { foldedAt: { $type: 'date' }, state: 'settled' },
      { projection: { lane: 1, settled: 1, 'deltas.site': 1, 'deltas.dim': 1, 'deltas.at': 1, ...HOURS } },
    )
  for await (const { lane, settled = 0, deltas = [], hours = [] } of pages) {
    const note = (place: Place): void => {
      const id = rollupId(place, lane)
      folded.set(id, Math.max(settled, folded.get(id) ?? 0))
    }
    deltas.forEach(note)
    for (const { site, at, dims } of hours) for (const dim of dims) note({ site, grain: 'hour', dim, at })
  }
  return folded
}

/**
 * Hour by hour of the site's time zone, as long as hours are kept, and their minutes as long as these are. `checked` is told
 * how many rollups were looked at.
 */
export async function* checkRollups(
  scope: Scope,
  site: string,
  folded: Folded,
  checked: (rollups: number) => void,
): AsyncGenerator<Fault> {
  const { began } = scope
  const zone = scope.zoneOf(site)
  // An hour is left out: what expires meanwhile is not missing.
  const oldest = (kept: number): number => hourOfZone(began - kept + HOUR_MS, zone).end
  const minutesFrom = oldest(KEPT.minutes)
  const last = hourOfZone(began, zone).end
  for await (const { from, to } of filledHours(scope, site, oldest(KEPT.hours), last)) {
    const span: Span = { site, from, to, grains: from >= minutesFrom ? ['minute', 'hour'] : ['hour'] }
    yield* await atOneMoment(scope, site, async moment => {
      const cells = await countSpan(scope, span, moment)
      for (const { rollups } of cells.values()) checked(rollups.length)
      return [...cells.values()].flatMap(cell => judge(scope, cell, cells, moment, folded) ?? [])
    })
  }
}

/** Hours that something is kept of. Most months and days of a site are empty: each is asked for before its parts are. */
async function* filledHours(
  scope: Scope,
  site: string,
  from: number,
  to: number,
  [length, ...shorter]: number[] = [32 * DAY_MS, DAY_MS],
): AsyncGenerator<{ from: number; to: number }> {
  const zone = scope.zoneOf(site)
  for (let at = from; at < to; ) {
    const end = length === undefined ? hourOfZone(at, zone).end : Math.min(to, hourOfZone(at + length, zone).at)
    if (await hasAnything(scope.db, { site, from: at, to: end, grains: ['minute', 'hour'] })) {
      if (length === undefined) yield { from: at, to: end }
      else yield* filledHours(scope, site, at, end, shorter)
    }
    at = end
  }
}

async function hasAnything(db: Db, span: Span): Promise<boolean> {
  const { site } = span
  const range = { $gte: new Date(span.from), $lt: new Date(span.to) }
  const options = { projection: { _id: 1 } } as const
  const found = await Promise.all([
    db.collection<RollupDocument>('rollups').findOne(rollupsIn(span), options),
    db.collection<RawEvent>('events').findOne({ 'meta.site': site, ts: range }, options),
    db.collection<Session>('sessions').findOne(beginningIn(site, range), options),
  ])
  return found.some(one => one !== null)
}

function judge(scope: Scope, cell: Cell, cells: Cells, { lanes }: Moment, folded: Folded): Fault | undefined {
  const { site, grain, dim, at, rollups } = cell
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
    id: rollupId(cell, lane),
    ...(wrong && { expected: wrong.expected, actual: wrong.actual }),
    ...(stale && {
      expected: { ...wrong?.expected, upto: folded.get(stale.id), settled: lanes.get(stale.lane) },
      actual: { ...wrong?.actual, upto: stale.upto },
    }),
    repairable: !may,
    ...(may && { why: 'it counts more than the raw record, of which events are lost: it may be right' }),
  }
  const place = { site, grain, dim, at }
  const to = grain === 'hour' ? hourOfZone(at, scope.zoneOf(site)).end : at + MINUTE_MS
  const span: Span = { site, from: at, to, grains: [grain] }
  const stays = (): void => void (grain === 'hour' && scope.truth.hours.add(at))
  if (may) return { found, stays }
  return { found, stays, mend: () => mendRollup(scope, { kind, id: found.id ?? '', span, place, lane }) }
}

const isStale = ({ id, lane, upto }: Rollup, lanes: Moment['lanes'], folded: Folded): boolean =>
  upto < (folded.get(id) ?? 0) || Math.floor(upto) > (lanes.get(lane) ?? 0)
