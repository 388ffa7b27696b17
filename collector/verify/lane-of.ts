import { COUNTERS, type Counter, type Dimension } from '../journal/index.ts'
import type { Cell, Cells } from './counted.ts'
import type { Moment } from './scope.ts'

/** Of what each dimension has to have as much in all as the total. */
const AGREES = { name: 'events', page: 'views' } as const satisfies Partial<Record<Dimension, Counter>>

/**
 * The lane whose rollup is wrong. Raw events don't say which lane counted them, but in each lane names have to add up
 * to its events, and pages to its views. Where that does not tell, the first is taken: reading adds lanes up.
 */
export function laneOf({ dim, at, rollups }: Cell, cells: Cells, lanes: Moment['lanes']): number {
  const others = (dim === 'total' ? ['name', 'page'] : [dim]) as (keyof typeof AGREES)[]
  const [total, ...parts] = (['total', ...others] as const).map(name => cells.get(`${name}/${at}`))
  const all = [total, ...parts].flatMap(cell => cell?.rollups.map(({ lane }) => lane) ?? [])
  const wrong = [...new Set(all)].find(lane =>
    others.some((name, i) => sumOf(total, lane, AGREES[name]) !== sumOf(parts[i], lane, AGREES[name])),
  )
  return wrong ?? rollups[0]?.lane ?? Math.min(...(lanes.size > 0 ? lanes.keys() : [0]))
}

function sumOf(cell: Cell | undefined, lane: number, counter: Counter): number {
  const column = COUNTERS.indexOf(counter)
  const rows = [
    ...(cell?.rollups.find(rollup => rollup.lane === lane)?.rows.values() ?? []),
    ...(cell?.unfolded.get(lane)?.values() ?? []),
  ]
  return rows.reduce((sum, row) => sum + (row[column] ?? 0), 0)
}
