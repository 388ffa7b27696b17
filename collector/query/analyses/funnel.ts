/** How many came how far through some steps, and how long each took them. */
import { Growing } from '../../columns/index.ts'
import { eventsOf } from '../block-scans.ts'
import { Places } from '../distinct.ts'
import type { Filter } from '../filter.ts'
import { gather } from './gathered.ts'
import { percentOf, type Reading } from './reading.ts'
import type { Results } from './schema.ts'
import { reachedBy } from './steps.ts'
import { OF_VISITORS, OF_VISITS, visitorsIn, visitsIn } from './units.ts'

export interface Funnel {
  steps: { name: string; filters: Filter[] }[]
  by: 'session' | 'visitor'
  /** ms */
  window: number
}

const MOST_UNITS = 5_000_000

export async function funnel({ steps, by, window }: Funnel, { asked, read }: Reading): Promise<Results<'funnel'>> {
  const places = new Places(MOST_UNITS)
  const done = gather()
  const all = steps.flatMap(({ filters }) => filters)
  for await (const { block, fits, test } of read(by === 'visitor' ? OF_VISITORS : OF_VISITS, all)) {
    const unitOf = by === 'visitor' ? visitorsIn(block, places) : visitsIn(block, places)
    const tests = await Promise.all(steps.map(({ filters }) => test(filters)))
    eventsOf(asked, block, (session, event, at) => {
      let mask = 0
      for (let step = 0; step < tests.length; step++) if (tests[step]?.(session, event, 0)) mask |= 1 << step
      if (mask === 0 || !fits(session, event, 0)) return
      const unit = unitOf(session, event)
      if (unit !== undefined) done.add(unit, at, mask)
    })
  }
  const reached = steps.map(() => 0)
  const took = steps.map(() => new Growing(true))
  done.each((times, masks) => {
    for (const [step, ms] of reachedBy(times, masks, steps.length, window).entries()) {
      reached[step] = (reached[step] ?? 0) + 1
      took[step]?.push(ms)
    }
  })
  const [first = 0] = reached
  return {
    results: steps.map(({ name }, step) => {
      const here = reached[step] ?? 0
      const before = step === 0 ? here : (reached[step - 1] ?? 0)
      return {
        name,
        reached: here,
        of_first: percentOf(here, first),
        of_previous: percentOf(here, before),
        dropped: before - here,
        seconds: step === 0 ? { average: null, median: null } : secondsOf(took[step]?.all() ?? []),
      }
    }),
  }
}

/** Three decimals; the median of an even number is the lower one of the two in the middle. */
function secondsOf(all: ArrayLike<number>): { average: number | null; median: number | null } {
  if (all.length === 0) return { average: null, median: null }
  const sorted = Float64Array.from(all).sort()
  const average = sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length
  const median = sorted[(sorted.length - 1) >> 1] ?? 0
  return { average: Math.round(average) / 1_000, median: median / 1_000 }
}
