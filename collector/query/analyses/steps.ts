/**
 * How far one unit came in a funnel. A step is later than the one before it, or in the same millisecond (a click and what a
 * page tracks of it often are), and is another event. Within the window counts the time from the first step on: of several
 * first steps the latest that leads there, so that who begins anew has all the time again.
 */

/** Of a unit: by step how long after the one before it was reached for the first time, ms; 0 of the first. */
export type Reached = number[]

interface Chain {
  /** when its first and its last step were, ms */
  first: number
  last: number
}

/**
 * @param times ascending, ms
 * @param masks of each event a bit for each step that it is
 * @param window ms
 */
export function reachedBy(times: ArrayLike<number>, masks: ArrayLike<number>, steps: number, window: number): Reached {
  const chains: (Chain | undefined)[] = new Array(steps).fill(undefined)
  const reached: Reached = []
  const note = (step: number, chain: Chain, before: number): void => {
    const held = chains[step]
    if (held && held.first > chain.first) return
    if (!held || held.first < chain.first) chains[step] = chain
    if (step === reached.length) reached.push(step === 0 ? 0 : chain.last - before)
  }
  for (let i = 0; i < times.length; ) {
    const at = times[i] ?? 0
    let end = i + 1
    while (end < times.length && times[end] === at) end++
    if (end === i + 1) {
      const mask = masks[i] ?? 0
      // The last one first: an event is one step.
      for (let step = steps - 1; step > 0; step--) {
        const before = chains[step - 1]
        if ((mask & (1 << step)) !== 0 && before && at - before.first <= window)
          note(step, { first: before.first, last: at }, before.last)
      }
      if ((mask & 1) !== 0) note(0, { first: at, last: at }, at)
    } else together(at, Array.prototype.slice.call(masks, i, end) as number[])
    i = end
  }
  return reached

  /** Several events of one millisecond may be steps that follow each other, each one of them. */
  function together(at: number, of: number[]): void {
    const before = chains.slice()
    for (let from = steps - 1; from >= 0; from--) {
      const begun = from === 0 ? { first: at, last: at } : before[from - 1]
      if (!begun || at - begun.first > window) continue
      let last = begun.last
      for (let step = from; step < steps && canBe(of, from, step); step++) {
        note(step, { first: begun.first, last: at }, last)
        last = at
      }
    }
  }
}

/** Whether each of these steps can be an event of its own. */
function canBe(masks: readonly number[], from: number, to: number): boolean {
  const taken: number[] = masks.map(() => -1)
  const place = (step: number, tried: Set<number>): boolean =>
    masks.some((mask, i) => {
      if ((mask & (1 << step)) === 0 || tried.has(i)) return false
      tried.add(i)
      const other = taken[i] ?? -1
      if (other >= 0 && !place(other, tried)) return false
      taken[i] = step
      return true
    })
  for (let step = from; step <= to; step++) if (!place(step, new Set())) return false
  return true
}
