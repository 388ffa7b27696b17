/** A rollup document: one dimension of one minute of one site, of one lane; state and position in one. */
import type { Binary } from 'mongodb'
import { COUNTERS, type Delta, type Dimension } from '../journal/index.ts'
import { KEPT } from '../store/index.ts'
import { packRows, unpackRows } from './columns.ts'

export interface RollupDocument {
  _id: string
  site: string
  grain: 'minute'
  dim: Dimension
  at: Date
  lane: number
  /** the last settle number it contains */
  upto: number
  values: string[]
  counters: Binary
  expires: Date
}

/** Values that one dimension of a minute holds; what is beyond goes into {@link OTHER}. */
export const MOST_VALUES = 10_000
export const OTHER = '(other)'

/** A rollup document in memory. */
export interface Rollup {
  id: string
  site: string
  dim: Dimension
  at: number
  lane: number
  upto: number
  rows: Map<string, number[]>
}

export const rollupId = ({ site, dim, at }: Pick<Delta, 'site' | 'dim' | 'at'>, lane: number): string =>
  `${site}/minute/${dim}/${at}/${lane}`

export const emptyRollup = (delta: Delta, lane: number): Rollup => ({
  id: rollupId(delta, lane),
  site: delta.site,
  dim: delta.dim,
  at: delta.at,
  lane,
  upto: 0,
  rows: new Map(),
})

export function addDelta(rows: Map<string, number[]>, { values, counters }: Pick<Delta, 'values' | 'counters'>): void {
  values.forEach((text, i) => {
    const value = rows.has(text) || rows.size < MOST_VALUES ? text : OTHER
    const row = rows.get(value)
    const change = counters[i] ?? []
    if (row) for (let c = 0; c < COUNTERS.length; c++) row[c] = (row[c] ?? 0) + (change[c] ?? 0)
    else rows.set(value, [...change])
  })
}

export const fromDocument = (document: RollupDocument): Rollup => {
  const rows = unpackRows(document.counters, document.values.length)
  return {
    id: document._id,
    site: document.site,
    dim: document.dim,
    at: +document.at,
    lane: document.lane,
    upto: document.upto,
    rows: new Map(document.values.map((value, i) => [value, rows[i] ?? []])),
  }
}

export const toDocument = ({ id, site, dim, at, lane, upto, rows }: Rollup): RollupDocument => ({
  _id: id,
  site,
  grain: 'minute',
  dim,
  at: new Date(at),
  lane,
  upto,
  values: [...rows.keys()],
  counters: packRows([...rows.values()]),
  expires: new Date(at + KEPT.minutes),
})
