/** A rollup document: one dimension of one minute or hour of one site, of one lane; state and position in one. */
import type { Binary } from 'mongodb'
import {
  COUNTERS,
  type Delta,
  type Dimension,
  fromPropertyKey,
  HOUR_COUNTERS,
  type HourDimension,
  OTHER,
  propertyKey,
} from '../journal/index.ts'
import { KEPT } from '../store/index.ts'
import { packRows, unpackRows } from './columns.ts'

export type Grain = 'minute' | 'hour'

/** What rows of a grain have, in their order. */
export const countersOf = (grain: Grain) => (grain === 'hour' ? HOUR_COUNTERS : COUNTERS)

export interface RollupDocument {
  _id: string
  site: string
  grain: Grain
  dim: Dimension | HourDimension
  at: Date
  lane: number
  /** the last settle number it contains */
  upto: number
  values: string[]
  counters: Binary
  expires: Date
}

/** Values that one dimension of a minute or hour holds; what is beyond goes into {@link otherOf} it. */
export const MOST_VALUES = 10_000

/** Where a value goes that is beyond those that are held. Of properties each has its own, so that one does not hide another. */
export const otherOf = (dim: Rollup['dim'], value: string): string =>
  dim === 'property' ? propertyKey(fromPropertyKey(value).name, OTHER) : OTHER
export const isOther = (dim: Rollup['dim'], value: string): boolean =>
  value.endsWith(OTHER) && value === otherOf(dim, value)

/** A rollup document in memory. */
export interface Rollup {
  id: string
  site: string
  grain: Grain
  dim: Dimension | HourDimension
  at: number
  lane: number
  upto: number
  /** counters in the order of {@link countersOf} its grain */
  rows: Map<string, number[]>
}

/** What a rollup is of. */
export interface Place extends Pick<Rollup, 'site' | 'dim' | 'at'> {
  /** a minute if absent, as in deltas */
  grain?: Grain
}

export const rollupId = ({ site, grain = 'minute', dim, at }: Place, lane: number): string =>
  `${site}/${grain}/${dim}/${at}/${lane}`

export const emptyRollup = ({ site, grain = 'minute', dim, at }: Place, lane: number): Rollup => ({
  id: rollupId({ site, grain, dim, at }, lane),
  site,
  grain,
  dim,
  at,
  lane,
  upto: 0,
  rows: new Map(),
})

/** @param most values that the rows of a dimension may have, beside {@link otherOf} it */
export function addDelta(
  rows: Map<string, number[]>,
  { dim, values, counters }: Pick<Rollup, 'dim'> & Pick<Delta, 'values' | 'counters'>,
  most = MOST_VALUES,
): void {
  values.forEach((text, i) => {
    const value = rows.has(text) || rows.size < most ? text : otherOf(dim, text)
    const row = rows.get(value)
    const change = counters[i] ?? []
    if (row) for (let c = 0; c < change.length; c++) row[c] = (row[c] ?? 0) + (change[c] ?? 0)
    else rows.set(value, [...change])
  })
}

export const fromDocument = (document: RollupDocument): Rollup => {
  const rows = unpackRows(document.counters, document.values.length, countersOf(document.grain).length)
  return {
    id: document._id,
    site: document.site,
    grain: document.grain,
    dim: document.dim,
    at: +document.at,
    lane: document.lane,
    upto: document.upto,
    rows: new Map(document.values.map((value, i) => [value, rows[i] ?? []])),
  }
}

export const toDocument = ({ id, site, grain, dim, at, lane, upto, rows }: Rollup): RollupDocument => ({
  _id: id,
  site,
  grain,
  dim,
  at: new Date(at),
  lane,
  upto,
  values: [...rows.keys()],
  counters: packRows([...rows.values()], countersOf(grain).length),
  expires: new Date(at + (grain === 'hour' ? KEPT.hours : KEPT.minutes)),
})
