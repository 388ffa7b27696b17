/** A span of minutes counted from the record, beside what rollups and pages that are not folded say of it. */
import type { ClientSession } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { COUNTERS, type Delta, type Dimension, type JournalPage } from '../journal/index.ts'
import { addDelta, fromDocument, OTHER, type Rollup, type RollupDocument, rollupId } from '../rollup/index.ts'
import { type LaneDocument, lanes, type Session, sumDeltas } from '../settle/index.ts'
import { readRecord } from './record.ts'
import type { Scope } from './scope.ts'

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

export interface Counted {
  cells: Map<string, Cell>
  /** lane → the last settle number given */
  lanes: Map<number, number>
}

export async function countSpan(scope: Scope, span: Span, session: ClientSession): Promise<Counted> {
  const { db } = scope
  const { site, from, to } = span
  const cells = new Map<string, Cell>()
  const cellOf = ({ dim, at }: Pick<Delta, 'dim' | 'at'>): Cell =>
    getOrAdd(cells, `${dim}/${at}`, () => {
      const [expected, actual]: [Rows, Rows] = [new Map(), new Map()]
      return { site, dim, at, expected, actual, rollups: [], unfolded: new Map() }
    })
  for (const delta of await expectedOf(scope, span, session)) addDelta(cellOf(delta).expected, delta)

  const held = { site, grain: 'minute', at: { $gte: new Date(from), $lt: new Date(to) } } as const
  const dims = { dim: { $in: ['total', 'name', 'page'] satisfies Dimension[] } }
  for await (const document of db.collection<RollupDocument>('rollups').find({ ...held, ...dims }, { session })) {
    const rollup = fromDocument(document)
    const cell = cellOf(rollup)
    cell.rollups.push(rollup)
    addDelta(cell.actual, asDelta(rollup.rows))
  }
  const pages = db
    .collection<JournalPage>('journal')
    .find(
      { foldedAt: null as never, state: 'settled', 'deltas.site': site },
      { session, projection: { lane: 1, settled: 1, deltas: 1 } },
    )
  for await (const { lane, settled = 0, deltas = [] } of pages) {
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
  const numbers = await lanes(db).find({}, { session }).toArray()
  return { cells, lanes: new Map(numbers.map(({ _id, settled }: LaneDocument) => [_id, settled])) }
}

async function expectedOf(scope: Scope, { site, from, to }: Span, session: ClientSession): Promise<Delta[]> {
  const { db, truth } = scope
  const sum = sumDeltas()
  for await (const event of readRecord(scope, { site, from, to }, session)) sum.event(event)
  const started = db
    .collection<Session>('sessions')
    .find({ site, start: { $gte: new Date(from), $lt: new Date(to) } }, { session, projection: { steps: 0 } })
  for await (const one of started) if (!truth.sessions.has(one._id)) sum.session(undefined, one)
  for (const one of truth.sessions.values())
    if (one && one.site === site && +one.start >= from && +one.start < to) sum.session(undefined, one)
  return sum.deltas()
}

export const asDelta = (rows: Rows): Pick<Delta, 'values' | 'counters'> => ({
  values: [...rows.keys()],
  counters: [...rows.values()],
})

/** The values whose counters are not the same, by name: `undefined` where there are none. */
export function difference({ expected, actual }: Pick<Cell, 'expected' | 'actual'>) {
  const sums = (rows: Rows) => COUNTERS.map((_, c) => [...rows.values()].reduce((sum, row) => sum + (row[c] ?? 0), 0))
  // What is beyond the values that a rollup holds is only there as a sum.
  const pairs: [string, number[], number[]][] = actual.has(OTHER)
    ? [['', sums(expected), sums(actual)]]
    : [...new Set([...expected.keys(), ...actual.keys()])].map(value => [
        value,
        expected.get(value) ?? [],
        actual.get(value) ?? [],
      ])
  const wrong = pairs.flatMap(([value, should, is]) => {
    const counters = COUNTERS.flatMap((name, c) => ((should[c] ?? 0) === (is[c] ?? 0) ? [] : [[name, c] as const]))
    const pick = (row: number[]) => Object.fromEntries(counters.map(([name, c]) => [name, row[c] ?? 0]))
    return counters.length > 0 ? [{ value, expected: pick(should), actual: pick(is) }] : []
  })
  if (wrong.length === 0) return undefined
  return {
    expected: Object.fromEntries(wrong.map(({ value, expected }) => [value, expected])),
    actual: Object.fromEntries(wrong.map(({ value, actual }) => [value, actual])),
    /** events that the rollups have and the record has not */
    surplus: (sums(actual)[0] ?? 0) - (sums(expected)[0] ?? 0),
  }
}
