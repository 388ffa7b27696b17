/** For how long clients were kept waiting: acknowledgements that stood still, and how long a batch took to be taken. */

/** Another primary is elected within a second or two here (`mongods.ts`), and then there is a queue; ms. */
const WITHIN_MS = 20_000

/** A quantile of numbers; 0 of none. */
export function quantile(numbers: number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/**
 * The longest time without an acknowledgement after a failover, ms.
 * @param taken times of acknowledgements, ascending
 */
export function longestPause(taken: number[], from: number): number {
  let [last, longest] = [from, 0]
  for (const time of taken) {
    if (time <= from) continue
    if (last > from + WITHIN_MS) break
    longest = Math.max(longest, time - last)
    last = time
  }
  return longest
}

export interface Waiting {
  /** primaries killed or stopped, and how long acknowledgements stood still after each, s */
  failovers: number
  pauseP50: number
  pauseP99: number
  pauseMost: number
  /** from first sending a batch until it was taken, over all rounds, s */
  takenP50: number
  takenP99: number
}

const seconds = (ms: number): number => Math.round(ms) / 1_000

export const waitingOf = (pauses: number[], latencies: number[]): Waiting => ({
  failovers: pauses.length,
  pauseP50: seconds(quantile(pauses, 0.5)),
  pauseP99: seconds(quantile(pauses, 0.99)),
  pauseMost: seconds(Math.max(0, ...pauses)),
  takenP50: seconds(quantile(latencies, 0.5)),
  takenP99: seconds(quantile(latencies, 0.99)),
})
