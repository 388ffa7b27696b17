/** A span of minutes counted from the record, beside what rollups and pages that are not folded say of it. */
import { getOrAdd } from '../get-or-add.ts'
import type { Delta, Dimension } from '../journal/index.ts'
import { addDelta, fromDocument, type Rollup, type RollupDocument, rollupId } from '../rollup/index.ts'
import { beginningIn, type Session, sumDeltas } from '../settle/index.ts'
import { readRecord } from './record.ts'
import type { Moment, Scope } from './scope.ts'

/** First and, not included, last ms. */
export interface Span {
  site: string
  from: number
  to: number
}

export type Rows = Map<string, number[]>

/** One dimension of one minute. */
export interface Cell {
  site: string
  dim: Dimension
  at: number
  expected: Rows
  /** rollups, and what is settled beyond them */
  actual: Rows
  rollups: Rollup[]
  /** by lane, what is settled beyond its rollup */
  unfolded: Map<number, Rows>
}

/** Cells by `<dim>/<at>`. */
export type Cells = Map<string, Cell>

export async function countSpan(scope: Scope, span: Span, moment: Moment): Promise<Cells> {
  const { db } = scope
  const { site, from, to } = span
  const cells: Cells = new Map()
  const cellOf = ({ dim, at }: Pick<Delta, 'dim' | 'at'>): Cell =>
    getOrAdd(cells, `${dim}/${at}`, () => {
      const [expected, actual]: [Rows, Rows] = [new Map(), new Map()]
      return { site, dim, at, expected, actual, rollups: [], unfolded: new Map() }
    })
  for (const delta of await expectedOf(scope, span, moment)) addDelta(cellOf(delta).expected, delta)

  const held = { site, grain: 'minute', at: { $gte: new Date(from), $lt: new Date(to) } } as const
  const dims = { dim: { $in: ['total', 'name', 'page'] satisfies Dimension[] } }
  const documents = db
    .collection<RollupDocument>('rollups')
    .find({ ...held, ...dims }, { session: moment.session, batchSize: 10_000 })
  for await (const document of documents) {
    const rollup = fromDocument(document)
    const cell = cellOf(rollup)
    cell.rollups.push(rollup)
    addDelta(cell.actual, asDelta(rollup.rows))
  }
  for (const { lane, settled = 0, deltas = [] } of moment.unfolded) {
    for (const delta of deltas) {
      if (delta.site !== site || delta.at < from || delta.at >= to) continue
      const cell = cellOf(delta)
      const id = rollupId(delta, lane)
      if (settled <= (cell.rollups.find(rollup => rollup.id === id)?.upto ?? 0)) continue
      addDelta(cell.actual, delta)
      addDelta(
        getOrAdd(cell.unfolded, lane, () => new Map()),
        delta,
      )
    }
  }
  return cells
}

async function expectedOf(scope: Scope, { site, from, to }: Span, moment: Moment): Promise<Delta[]> {
  const { db, truth } = scope
  const sum = sumDeltas()
  for await (const event of readRecord(scope, { site, from, to }, moment)) sum.event(event)
  const started = db
    .collection<Session>('sessions')
    .find(beginningIn(site, { $gte: new Date(from), $lt: new Date(to) }), {
      session: moment.session,
      projection: { steps: 0 },
    })
  for await (const one of started) if (!truth.sessions.has(one._id)) sum.session(undefined, one)
  for (const one of truth.sessions.values()) if (one?.site === site) sum.session(undefined, one)
  // A cookieless day has visits outside of the span, too.
  return sum.deltas().filter(({ at }) => at >= from && at < to)
}

export const asDelta = (rows: Rows): Pick<Delta, 'values' | 'counters'> => ({
  values: [...rows.keys()],
  counters: [...rows.values()],
})
