/**
 * Visitors of a site by number, the same one in all blocks, so that who was counted is a bit. The numbers of the visitors of a
 * block are held: they never change.
 */
import { Places } from './distinct.ts'
import type { Numbers } from './numbers.ts'

/** Of one site, however many bytes they take: numbers of a row and of a visitor are one number below 2⁵³. */
const MOST = 2 ** 26

export interface Visitors {
  /** The number of each hash, by place. @param block names it where it is kept. @throws TooManyDifferent */
  idsOf(hashes: Numbers, block?: string): Uint32Array
  /** The same, where it was asked before. */
  held(block: string): Uint32Array | undefined
  /** how many there are; each number is below it */
  readonly size: number
  readonly bytes: number
}

export function startVisitors(): Visitors {
  const places = new Places(MOST)
  const kept = new Map<string, Uint32Array>()
  /** of what is read for one question, and others of the same moment */
  const read = new WeakMap<Numbers, Uint32Array>()
  let bytes = 0
  return {
    idsOf(hashes, block) {
      const before = block === undefined ? read.get(hashes) : kept.get(block)
      if (before) return before
      const ids = new Uint32Array(hashes.length)
      for (let i = 0; i < ids.length; i++) ids[i] = places.of(hashes[i] as number)
      if (block === undefined) read.set(hashes, ids)
      else {
        kept.set(block, ids)
        bytes += ids.byteLength
      }
      return ids
    },
    held: block => kept.get(block),
    get size() {
      return places.size
    },
    get bytes() {
      return places.bytes + bytes
    },
  }
}
