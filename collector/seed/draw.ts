/** Draws that are the same for the same seed. Pure. */

const BASE36 = 36 ** 8
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export interface Draw {
  /** from 0 to below 1 */
  share(): number
  /** true in this share of the draws */
  chance(share: number): boolean
  /** a whole number, both ends included */
  whole(from: number, to: number): number
  /** a waiting time with this mean */
  wait(mean: number): number
  /** 16 base-36 characters, as the tag's ids have */
  id(): string
  /** 22 base64url characters, as cookieless visitors have */
  hash(): string
}

/** sfc32 of PractRand (https://pracrand.sourceforge.net): 128 bits of state, so no draw comes again in any history. */
function sfc32(a: number, b: number, c: number, d: number): () => number {
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

/** 32 bits of a text (FNV-1a). */
export function hashOf(text: string, basis = 0x811c9dc5): number {
  let hash = basis
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

export const drawFrom = (text: string): Draw =>
  drawsOf(sfc32(hashOf(text), hashOf(text, 1), hashOf(text, 2), hashOf(text, 3)))

/** Of the thing with this number: the same each time that it comes. */
export const drawOf = (basis: number, n: number): Draw => drawsOf(sfc32(basis, n | 0, (n / 4_294_967_296) | 0, 1))

function drawsOf(share: () => number): Draw {
  const eight = () =>
    Math.floor(share() * BASE36)
      .toString(36)
      .padStart(8, '0')
  return {
    share,
    chance: part => share() < part,
    whole: (from, to) => from + Math.floor(share() * (to - from + 1)),
    wait: mean => -Math.log(1 - share()) * mean,
    id: () => eight() + eight(),
    hash: () => {
      let text = ''
      for (let i = 0; i < 22; i++) text += BASE64[Math.floor(share() * 64)]
      return text
    },
  }
}

/** Picks from a list by weights, each in the same short time (Vose's alias method). */
export function pickBy<T>(weighted: readonly (readonly [weight: number, item: T])[]): (share: number) => T {
  const [first] = weighted
  if (!first) throw new Error('there is nothing to pick from')
  const n = weighted.length
  const sum = weighted.reduce((sum, [weight]) => sum + weight, 0)
  const scaled = weighted.map(([weight]) => (weight * n) / sum)
  const small: number[] = []
  const large: number[] = []
  for (const [i, p] of scaled.entries()) (p < 1 ? small : large).push(i)
  const limit = new Float64Array(n).fill(1)
  const alias = Uint32Array.from({ length: n }, (_, i) => i)
  while (small.length > 0 && large.length > 0) {
    const s = small.pop() ?? 0
    const l = large.pop() ?? 0
    limit[s] = scaled[s] ?? 1
    alias[s] = l
    scaled[l] = (scaled[l] ?? 0) - (1 - (scaled[s] ?? 0))
    if ((scaled[l] ?? 0) < 1) small.push(l)
    else large.push(l)
  }
  const items = weighted.map(([, item]) => item)
  return share => {
    const scaled = share * n
    const i = Math.floor(scaled)
    return items[scaled - i < (limit[i] ?? 1) ? i : (alias[i] ?? i)] ?? first[1]
  }
}

/** Weights by rank: the k-th has 1/k^exponent. */
export const zipf = <T>(items: readonly T[], exponent: number): [number, T][] =>
  items.map((item, i) => [1 / (i + 1) ** exponent, item])
