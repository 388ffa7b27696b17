/**
 * Visitors of a site by number, the same one in all blocks, so that who was counted is a bit. The numbers of the visitors of a
 * block are held: they never change.
 */
import { type Column, nextKey } from './block.ts'
import { Places } from './distinct.ts'
import { type Numbers, shared } from './numbers.ts'

/** Of one site, however many bytes they take: numbers of a row and of a visitor are one number below 2⁵³. */
const MOST = 2 ** 26

export interface Visitors {
  /** The number of each hash, by place, as a column. @param block names it where it is kept. @throws TooManyDifferent */
  idsOf(hashes: Numbers, block?: string): Column
  /** The same, where it was asked before. */
  held(block: string): Column | undefined
  /** From now on nothing is held; gives back what was. Who reads in it goes on with the same numbers. */
  end(): Iterable<Column>
  readonly bytes: number
}

export function startVisitors(): Visitors {
  const places = new Places(MOST)
  const kept = new Map<string, Column>()
  /** of what is read for one question, and others of the same moment */
  const read = new WeakMap<Numbers, Column>()
  let bytes = 0
  let isOver = false
  return {
    idsOf(hashes, block) {
      const before = block === undefined ? read.get(hashes) : kept.get(block)
      if (before) return before
      const numbers = new Uint32Array(shared(4 * hashes.length))
      for (let i = 0; i < numbers.length; i++) numbers[i] = places.of(hashes[i] as number)
      const column: Column = { numbers, texts: [], ...(block !== undefined && !isOver && { key: nextKey() }) }
      if (block === undefined) read.set(hashes, column)
      else {
        kept.set(block, column)
        bytes += numbers.byteLength
      }
      return column
    },
    held: block => kept.get(block),
    end() {
      isOver = true
      return kept.values()
    },
    get bytes() {
      return places.bytes + bytes
    },
  }
}
