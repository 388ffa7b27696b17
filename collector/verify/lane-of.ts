import { type Dimension, type HourDimension, wholeOf } from '../journal/index.ts'
import { countersOf, type Grain } from '../rollup/index.ts'
import { type Cell, type Cells, cellKey } from './counted.ts'
import type { Moment } from './scope.ts'

type Counter = 'events' | 'views' | 'sessions'

/** What two dimensions have to have as much of, in each lane. */
interface Agreement {
  whole: Dimension | HourDimension
  part: Dimension | HourDimension
  counter: Counter
}

/** Of minutes, and of hours where every event or visit has a value. */
const AGREEMENTS: Record<Grain, Agreement[]> = {
  minute: [
    { whole: 'total', part: 'name', counter: 'events' },
    { whole: 'total', part: 'page', counter: 'views' },
  ],
  hour: (['name', 'consent', 'page', 'entry', 'exit', 'source', 'channel'] as const).map(part => {
    const whole = wholeOf(part) ?? 'total'
    return { whole, part, counter: whole === 'total' ? 'events' : 'sessions' }
  }),
}

/**
 * The lane whose rollup is wrong. Raw events don't say which lane counted them, but in each lane names have to add up
 * to its events, and pages to its views. Where that does not tell, the first is taken: reading adds lanes up.
 */
export function laneOf({ grain, dim, at, rollups }: Cell, cells: Cells, lanes: Moment['lanes']): number {
  const pairs = AGREEMENTS[grain]
    .filter(({ whole, part }) => whole === dim || part === dim)
    .map(({ whole, part, counter }) => {
      const [all, some] = [whole, part].map(name => cells.get(cellKey({ grain, dim: name, at })))
      return { all, some, counter }
    })
  const held = pairs.flatMap(({ all, some }) =>
    [all, some].flatMap(cell => cell?.rollups.map(({ lane }) => lane) ?? []),
  )
  const wrong = [...new Set(held)].find(lane =>
    pairs.some(({ all, some, counter }) => sumOf(all, lane, counter) !== sumOf(some, lane, counter)),
  )
  return wrong ?? rollups[0]?.lane ?? Math.min(...(lanes.size > 0 ? lanes.keys() : [0]))
}

function sumOf(cell: Cell | undefined, lane: number, counter: Counter): number {
  const column = (countersOf(cell?.grain ?? 'minute') as readonly string[]).indexOf(counter)
  const rows = [
    ...(cell?.rollups.find(rollup => rollup.lane === lane)?.rows.values() ?? []),
    ...(cell?.unfolded.get(lane)?.values() ?? []),
  ]
  return rows.reduce((sum, row) => sum + (row[column] ?? 0), 0)
}
