/** Rollups of a history: filled as fold fills them, and given away, each once, when its time is over. */
import { getOrAdd } from '../get-or-add.ts'
import { addDelta, emptyRollup, type Rollup, type RollupDocument, rollupId, toDocument } from '../rollup/index.ts'
import { MINUTE_MS, sumDeltas } from '../settle/index.ts'
import type { Minute } from './history.ts'

/** Events summed up before they are folded. */
const TOGETHER = 5_000

export interface Counters {
  add(minute: Minute): void
  /** What is complete, as nothing comes any more that is older than `before`, ms. */
  take(before: number): RollupDocument[]
}

/** @param upto settle number that stands for all of it */
export function startCounters(lane: number, upto: number): Counters {
  const held = new Map<string, Rollup>()
  let sum = sumDeltas()
  let summed = 0
  const fold = (): void => {
    for (const delta of sum.deltas()) {
      const rollup = getOrAdd(held, rollupId(delta, lane), () => ({ ...emptyRollup(delta, lane), upto }))
      addDelta(rollup.rows, delta)
    }
    sum = sumDeltas()
    summed = 0
  }
  return {
    add({ events, sessions }) {
      for (const event of events) sum.event(event)
      for (const session of sessions) sum.session(undefined, session)
      summed += events.length
    },
    take(before) {
      if (summed < TOGETHER && before < Number.POSITIVE_INFINITY) return []
      fold()
      const complete = [...held.values()].filter(({ at }) => at + MINUTE_MS <= before)
      for (const { id } of complete) held.delete(id)
      return complete.map(toDocument)
    },
  }
}
