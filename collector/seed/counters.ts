/** Rollups of a history: filled as fold fills them, and given away, each once, when its time is over. */
import { getOrAdd } from '../get-or-add.ts'
import { type Delta, unpackHour } from '../journal/index.ts'
import {
  addDelta,
  emptyRollup,
  type Place,
  type Rollup,
  type RollupDocument,
  rollupId,
  toDocument,
} from '../rollup/index.ts'
import { MINUTE_MS, sumDeltas, sumHours } from '../settle/index.ts'
import type { Minute } from './history.ts'

/** Events summed up before they are folded. */
const TOGETHER = 5_000
/** How long what a rollup counts lasts, ms. An hour that a clock change cuts is shorter. */
const LASTS = { minute: MINUTE_MS, hour: 60 * MINUTE_MS } as const

export interface Counters {
  add(minute: Minute): void
  /** What is complete, as nothing comes any more that is older than `before`, ms. */
  take(before: number): RollupDocument[]
}

/**
 * @param upto settle number that stands for all of it
 * @param zone the site's
 */
export function startCounters(lane: number, upto: number, zone: string): Counters {
  const held = new Map<string, Rollup>()
  let sum = sumDeltas()
  let hours = sumHours(() => zone)
  let summed = 0
  const foldOne = (place: Place, delta: Pick<Delta, 'values' | 'counters'>): void => {
    const rollup = getOrAdd(held, rollupId(place, lane), () => ({ ...emptyRollup(place, lane), upto }))
    addDelta(rollup.rows, { dim: place.dim, ...delta })
  }
  const fold = (): void => {
    for (const delta of sum.deltas()) foldOne(delta, delta)
    for (const hour of hours.deltas()) for (const rows of unpackHour(hour)) foldOne({ ...rows, grain: 'hour' }, rows)
    sum = sumDeltas()
    hours = sumHours(() => zone)
    summed = 0
  }
  return {
    add({ events, sessions }) {
      for (const event of events) {
        sum.event(event)
        hours.event(event)
      }
      for (const session of sessions) {
        sum.session(undefined, session)
        hours.session(undefined, session)
      }
      summed += events.length
    },
    take(before) {
      if (summed < TOGETHER && before < Number.POSITIVE_INFINITY) return []
      fold()
      const complete = [...held.values()].filter(({ grain, at }) => at + LASTS[grain] <= before)
      for (const { id } of complete) held.delete(id)
      return complete.map(toDocument)
    },
  }
}
