/** Visitors by the period of their first visit of the range, and in which later ones they came again. */
import { columnOf, Growing } from '../../columns/index.ts'
import { Places } from '../distinct.ts'
import { type Grid, placeOf } from '../grid.ts'
import { percentOf, type Reading } from './reading.ts'
import type { Results } from './schema.ts'
import { OF_VISITORS, visitorsIn } from './units.ts'

const MOST_UNITS = 4_000_000

export async function retention(grid: Grid, { asked, read }: Reading): Promise<Results<'retention'>> {
  const { range, bots } = asked
  const periods = grid.starts.length
  const places = new Places(MOST_UNITS)
  const seen = new Places(MOST_UNITS)
  const [units, buckets, first] = [new Growing(), new Growing(), new Growing()]
  for await (const { block, fits } of read([...OF_VISITORS, 'session.bot', 'session.visits', 'visit.start'])) {
    const unitOf = visitorsIn(block, places)
    const visits = columnOf(block, 'session.visits').numbers
    const start = columnOf(block, 'visit.start').numbers
    const bot = columnOf(block, 'session.bot').numbers
    const [from, to] = [Math.max(range.from, block.from), Math.min(range.to, block.to)]
    for (let session = 0; session < block.sessions; session++) {
      if ((bots === 'none' && bot[session] === 1) || !fits(session, 0, 0)) continue
      for (let visit = visits[session] ?? 0; visit < (visits[session + 1] ?? 0); visit++) {
        const at = start[visit] ?? 0
        if (!(at >= from && at < to)) continue
        const unit = unitOf(session, 0)
        if (unit === undefined) continue
        const bucket = placeOf(grid.starts, at)
        if (!seen.add(unit * periods + bucket)) continue
        units.push(unit)
        buckets.push(bucket)
        const before = unit < first.length ? first.get(unit) : 0
        // One more than its place, so that 0 is none.
        first.set(unit, before === 0 ? bucket + 1 : Math.min(before, bucket + 1))
      }
    }
  }
  const returned = Array.from({ length: periods }, (_, cohort) => new Array<number>(periods - cohort).fill(0))
  for (let i = 0; i < units.length; i++) {
    const cohort = first.get(units.get(i)) - 1
    const row = returned[cohort]
    const later = buckets.get(i) - cohort
    if (row) row[later] = (row[later] ?? 0) + 1
  }
  return {
    results: returned.map((row, cohort) => ({
      label: grid.labels[cohort] ?? '',
      visitors: row[0] ?? 0,
      returned: row,
      share: row.map(n => percentOf(n, row[0] ?? 0)),
    })),
  }
}
