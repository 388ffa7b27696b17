/** Draws that are the same for the same seed. */

/** Numbers from 0 to below 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface Draws {
  /** from 0 to below 1 */
  share(): number
  /** a whole number, both ends included */
  whole(from: number, to: number): number
  /** true in this share of the draws */
  chance(share: number): boolean
  pick<T>(list: readonly [T, ...T[]]): T
  /** so many random base-36 characters */
  text(length: number): string
}

/** A generator of its own for each list of numbers: what one client draws does not depend on how fast another one is. */
export function drawsFrom(...numbers: number[]): Draws {
  const share = seeded(
    numbers.reduce((state, n) => Math.imul(state ^ (n + 0x7f4a7c15), 0x9e3779b1) ^ (state >>> 15), 1),
  )
  const whole = (from: number, to: number) => from + Math.floor(share() * (to - from + 1))
  return {
    share,
    whole,
    chance: part => share() < part,
    pick: list => list[whole(0, list.length - 1)] ?? list[0],
    text: length => Array.from({ length }, () => whole(0, 35).toString(36)).join(''),
  }
}
