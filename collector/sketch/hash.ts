/**
 * A hash of 53 bits, so that it is a whole number of JavaScript: ten million visitors have two of one hash in one of two
 * hundred times. xxHash in WebAssembly takes 1,260 ns for an id of 16 characters, as the text and a BigInt have to cross, and
 * SHA-1 of `node:crypto` 1,750; this takes 60.
 */

/** Secret numbers of a site: who does not know them can't make ids that count for many. Whole, 32 bits each. */
export type Seed = readonly [number, number]

/** From 0 to below 2⁵³; the same in every process and version, as sketches are kept. */
export function hashOf(text: string, [a, b]: Seed): number {
  let [high, low] = [a, b]
  for (let i = 0; i < text.length; i++) {
    high = Math.imul(((high << 15) | (high >>> 17)) ^ text.charCodeAt(i), 0x9e3779b1)
    low = Math.imul(((low << 13) | (low >>> 19)) ^ high, 0x85ebca77)
  }
  high = mix(high ^ text.length)
  low = mix(low ^ high)
  high = mix(high ^ low)
  return (high >>> 0) * 0x20_0000 + (low >>> 11)
}

/** The finalizer of MurmurHash3 (https://github.com/aappleby/smhasher): each bit moves each other one half of the time. */
function mix(n: number): number {
  n = Math.imul(n ^ (n >>> 16), 0x85ebca6b)
  n = Math.imul(n ^ (n >>> 13), 0xc2b2ae35)
  return n ^ (n >>> 16)
}
