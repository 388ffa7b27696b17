/** How many came how far through some steps, and how long each took them. */
import { type ColumnName, columnOf, Growing, NOTHING, Places } from '../../columns/index.ts'
import { getOrAdd } from '../../get-or-add.ts'
import { type Chunk, eachEvents, MOST_OF_CHUNK, newFits, type Test, wideOf } from '../block-chunks.ts'
import { columnFor } from '../block-filters.ts'
import { type Filter, isEventLeaf, isLeaf } from '../filter.ts'
import { gather } from './gathered.ts'
import { percentOf, type Read, type Reading } from './reading.ts'
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
  const reached = steps.map(() => 0)
  const took = steps.map(() => new Growing(true))
  const count = (times: ArrayLike<number>, masks: ArrayLike<number>): void => {
    for (const [step, ms] of reachedBy(times, masks, steps.length, window).entries()) {
      reached[step] = (reached[step] as number) + 1
      took[step]?.push(ms)
    }
  }
  for await (const one of read(by === 'visitor' ? OF_VISITORS : OF_VISITS, all)) {
    const { block, fits } = one
    const masksOf = await maskingBy(one, steps)
    const at = columnOf(block, 'event.at').numbers
    const ofVisitor = by === 'visitor' ? visitorsIn(block) : undefined
    const visits = ofVisitor ? undefined : visitsIn(block, places)
    const unitOf = ofVisitor ?? visits?.unitOf ?? (() => NOTHING)
    // Of one session, one after the other.
    let [last, any]: [last: number, any: number] = [NOTHING, 0]
    let times: number[] = []
    let masks: number[] = []
    const end = (): void => {
      if ((any & 1) === 1) {
        if ((any & 2) === 2) count(times, masks)
        // Of the first step nobody asks how long it took.
        else reached[0] = (reached[0] as number) + 1
      }
      if (times.length > 0) {
        times = []
        masks = []
      }
      any = 0
    }
    eachEvents(asked, block, { others: by === 'visitor', test: fits }, chunk => {
      const masked = masksOf(chunk)
      for (let i = 0; i < chunk.length; i++) {
        const mask = masked[i] as number
        if (mask === 0) continue
        const [session, event] = [chunk.sessions[i] as number, chunk.events[i] as number]
        const time = block.from + (at[event] as number)
        if (visits?.isWhole(session)) {
          if (session !== last) end()
          last = session
          any |= mask
          times.push(time)
          masks.push(mask)
          continue
        }
        const unit = unitOf(session, event)
        if (unit !== NOTHING) done.add(unit, time, mask)
      }
    })
    end()
  }
  done.each(count)
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

/** Writes of each of a chunk a bit for each step that it is. */
async function maskingBy({ block, test, codes }: Read, steps: Funnel['steps']) {
  const masks = new Uint32Array(MOST_OF_CHUNK)
  const fits = newFits()
  /** Of steps that ask for one attribute of the event, the bits of all by its code: a look tells them all. */
  const byColumn = new Map<ColumnName, Uint32Array>()
  const others: [step: number, test: Test | undefined][] = []
  for (const [step, { filters }] of steps.entries()) {
    const [leaf] = filters
    if (filters.length === 1 && leaf && isLeaf(leaf) && isEventLeaf(leaf)) {
      const name = columnFor(leaf.attribute)
      const fitting = await codes(leaf)
      const bits = getOrAdd(byColumn, name, () => new Uint32Array(fitting.length))
      for (let code = 0; code < fitting.length; code++)
        bits[code] = (bits[code] as number) | ((fitting[code] as number) << step)
    } else others.push([step, await test(filters)])
  }
  return (chunk: Chunk): Uint32Array => {
    const { length, events } = chunk
    masks.fill(0, 0, length)
    for (const [name, bits] of byColumn) {
      const of = wideOf(block, name)
      for (let i = 0; i < length; i++)
        masks[i] = (masks[i] as number) | (bits[of[events[i] as number] as number] as number)
    }
    for (const [step, test] of others) {
      if (test) test(chunk, fits)
      else fits.fill(1)
      for (let i = 0; i < length; i++) masks[i] = (masks[i] as number) | ((fits[i] as number) << step)
    }
    return masks
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
