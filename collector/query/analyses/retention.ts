/** Visitors by the period of their first visit of the range, and in which later ones they came again. */
import { columnOf, NOTHING, TooManyDifferent } from '../../columns/index.ts'
import { sessionsThatFit } from '../block-chunks.ts'
import { type Grid, placeOf } from '../grid.ts'
import { percentOf, type Reading } from './reading.ts'
import type { Results } from './schema.ts'
import { OF_VISITORS, visitorsIn } from './units.ts'

/** Periods of all visitors as bits, bytes. */
const MOST_BYTES = 256 * 1024 * 1024

export async function retention(grid: Grid, { asked, read }: Reading): Promise<Results<'retention'>> {
  const { range, bots } = asked
  const periods = grid.starts.length
  /** of each visitor so many, a bit a period */
  const words = Math.ceil(periods / 32)
  let seen = new Uint32Array(1_024 * words)
  const note = (visitor: number, period: number): void => {
    const word = visitor * words + (period >>> 5)
    if (word >= seen.length) {
      const size = 2 * words * (visitor + 1)
      if (4 * size > MOST_BYTES) throw new TooManyDifferent('more visitors than one analysis holds')
      const grown = new Uint32Array(size)
      grown.set(seen)
      seen = grown
    }
    seen[word] = (seen[word] as number) | (1 << (period & 31))
  }
  for await (const { block, fits } of read([...OF_VISITORS, 'session.bot', 'session.visits', 'visit.start'])) {
    const unitOf = visitorsIn(block)
    const visits = columnOf(block, 'session.visits').numbers
    const start = columnOf(block, 'visit.start').numbers
    const bot = columnOf(block, 'session.bot').numbers
    const wanted = sessionsThatFit(block, fits)
    const [from, to] = [Math.max(range.from, block.from), Math.min(range.to, block.to)]
    for (let session = 0; session < block.sessions; session++) {
      if (wanted[session] === 0 || (bots === 'none' && bot[session] === 1)) continue
      const last = visits[session + 1] as number
      for (let visit = visits[session] as number; visit < last; visit++) {
        const at = start[visit] as number
        if (!(at >= from && at < to)) continue
        const unit = unitOf(session, 0)
        if (unit !== NOTHING) note(unit, placeOf(grid.starts, at))
      }
    }
  }
  const returned = Array.from({ length: periods }, (_, cohort) => new Array<number>(periods - cohort).fill(0))
  for (let first = 0; first < seen.length; first += words) {
    let cohort: number | undefined
    for (let word = 0; word < words; word++) {
      // The lowest bit that is left, until none is.
      for (let bits = seen[first + word] as number; bits !== 0; bits &= bits - 1) {
        const period = 32 * word + 31 - Math.clz32(bits & -bits)
        cohort ??= period
        const row = returned[cohort]
        if (row) row[period - cohort] = (row[period - cohort] ?? 0) + 1
      }
    }
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
