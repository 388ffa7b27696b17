/** A span of hours counted from the record, beside what rollups and pages that are not folded say of it. */
import { getOrAdd } from '../get-or-add.ts'
import { type Delta, DIMENSIONS, HOUR_DIMENSIONS, unpackHour } from '../journal/index.ts'
import {
  addDelta,
  fromDocument,
  type Grain,
  type Place,
  type Rollup,
  type RollupDocument,
  rollupId,
} from '../rollup/index.ts'
import { beginningIn, type Session, sumDeltas, sumHours } from '../settle/index.ts'
import { readRecord } from './record.ts'
import type { Moment, Scope } from './scope.ts'

/** First and, not included, last ms: of hours of the site's time zone, or a part of one where only minutes are counted. */
export interface Span {
  site: string
  from: number
  to: number
  grains: readonly Grain[]
}

export type Rows = Map<string, number[]>

/** One dimension of one minute or hour. */
export interface Cell extends Required<Place> {
  expected: Rows
  /** rollups, and what is settled beyond them */
  actual: Rows
  rollups: Rollup[]
  /** by lane, what is settled beyond its rollup */
  unfolded: Map<number, Rows>
}

/** Cells by {@link cellKey}. */
export type Cells = Map<string, Cell>

export const cellKey = ({ grain = 'minute', dim, at }: Omit<Place, 'site'>): string => `${grain}/${dim}/${at}`

/** Dimensions of each grain: by these the server finds rollups in its index. */
export const DIMS = { minute: DIMENSIONS, hour: HOUR_DIMENSIONS } as const

/** The rollups of a span. */
export const rollupsIn = ({ site, from, to, grains }: Span) => ({
  $or: grains.map(grain => ({
    site,
    grain,
    dim: { $in: [...DIMS[grain]] },
    at: { $gte: new Date(from), $lt: new Date(to) },
  })),
})

export async function countSpan(scope: Scope, span: Span, moment: Moment): Promise<Cells> {
  const { site, from, to, grains } = span
  const cells: Cells = new Map()
  const cellOf = ({ grain = 'minute', dim, at }: Omit<Place, 'site'>): Cell =>
    getOrAdd(cells, cellKey({ grain, dim, at }), () => {
      const [expected, actual]: [Rows, Rows] = [new Map(), new Map()]
      return { site, grain, dim, at, expected, actual, rollups: [], unfolded: new Map() }
    })
  for (const delta of await expectedOf(scope, span, moment)) addDelta(cellOf(delta).expected, delta)

  const documents = scope.db
    .collection<RollupDocument>('rollups')
    .find(rollupsIn(span), { session: moment.session, batchSize: 10_000 })
  for await (const document of documents) {
    const rollup = fromDocument(document)
    const cell = cellOf(rollup)
    cell.rollups.push(rollup)
    addDelta(cell.actual, { dim: rollup.dim, ...asDelta(rollup.rows) })
  }
  for (const { lane, settled = 0, deltas = [], hours = [] } of moment.unfolded) {
    const note = (delta: Place & Pick<Delta, 'values' | 'counters'>): void => {
      if (delta.site !== site || delta.at < from || delta.at >= to) return
      const cell = cellOf(delta)
      const id = rollupId(delta, lane)
      if (settled <= (cell.rollups.find(rollup => rollup.id === id)?.upto ?? 0)) return
      addDelta(cell.actual, delta)
      addDelta(
        getOrAdd(cell.unfolded, lane, () => new Map()),
        delta,
      )
    }
    if (grains.includes('minute')) deltas.forEach(note)
    if (!grains.includes('hour')) continue
    for (const hour of hours) for (const rows of unpackHour(hour)) note({ ...rows, grain: 'hour' })
  }
  return cells
}

type Counted = Place & Pick<Delta, 'values' | 'counters'>

async function expectedOf(scope: Scope, { site, from, to, grains }: Span, moment: Moment): Promise<Counted[]> {
  const { db, truth, zoneOf } = scope
  const [sum, hours] = [sumDeltas(), sumHours(zoneOf)]
  for await (const event of readRecord(scope, { site, from, to }, moment)) {
    sum.event(event)
    hours.event(event)
  }
  const count = (one: Session): void => {
    sum.session(undefined, one)
    hours.session(undefined, one)
  }
  const started = db
    .collection<Session>('sessions')
    .find(beginningIn(site, { $gte: new Date(from), $lt: new Date(to) }), {
      session: moment.session,
      projection: { steps: 0 },
    })
  for await (const one of started) if (!truth.sessions.has(one._id)) count(one)
  for (const one of truth.sessions.values()) if (one?.site === site) count(one)
  const minutes: Counted[] = grains.includes('minute') ? sum.deltas() : []
  const ofHours = grains.includes('hour') ? hours.deltas().flatMap(unpackHour) : []
  // A cookieless day has visits outside of the span, too.
  return [...minutes, ...ofHours.map(rows => ({ ...rows, grain: 'hour' as const }))].filter(
    ({ at }) => at >= from && at < to,
  )
}

export const asDelta = (rows: Rows): Pick<Delta, 'values' | 'counters'> => ({
  values: [...rows.keys()],
  counters: [...rows.values()],
})
