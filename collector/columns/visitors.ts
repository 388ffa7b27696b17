/**
 * Visitors of a site by number, the same one in all blocks, so that who was counted is a bit. The numbers of the visitors of a
 * block are held: they never change. A number also tells the window of its visitor: the parts of a day are whole windows, and a
 * question reads one part of all days after the other, so that it looks at few bits at a time.
 */
import { type Column, nextKey } from './block.ts'
import { Places } from './distinct.ts'
import { type Numbers, shared } from './numbers.ts'

/** Visitors are divided into so many windows, by the first bits of their hash. */
export const WINDOWS = 64
/** @param hash whole, below 2⁵³ @returns from 0 to below {@link WINDOWS} */
export const windowOf = (hash: number): number => Math.floor(hash / (2 ** 53 / WINDOWS))
/** Of a visitor's number, its window and which one of that it is: the lowest bits are the window. */
export const BITS_OF_WINDOW = Math.log2(WINDOWS)
export const windowOfId = (id: number): number => id & (WINDOWS - 1)
export const placeOfId = (id: number): number => id >>> BITS_OF_WINDOW
export const idOfPlace = (window: number, place: number): number => place * WINDOWS + window

/** Of one window of a site, however many bytes they take: numbers of a row and of a visitor are one number below 2⁵³. */
const MOST = 2 ** 26 / WINDOWS

export interface Visitors {
  /** The number of each hash, by place, as a column. @param block names it where it is kept. @throws TooManyDifferent */
  idsOf(hashes: Numbers, block?: string): Column
  /** The same, where it was asked before. */
  held(block: string): Column | undefined
  /** From now on nothing is held; gives back what was. Who reads in it goes on with the same numbers. */
  end(): Iterable<Column>
  readonly bytes: number
  /** names these numbers among all of this process */
  readonly key: number
}

export function startVisitors(): Visitors {
  const windows = Array.from({ length: WINDOWS }, () => new Places(MOST))
  const kept = new Map<string, Column>()
  /** of what is read for one question, and others of the same moment */
  const read = new WeakMap<Numbers, Column>()
  let bytes = 0
  let isOver = false
  return {
    key: nextKey(),
    idsOf(hashes, block) {
      const before = block === undefined ? read.get(hashes) : kept.get(block)
      if (before) return before
      const numbers = new Uint32Array(shared(4 * hashes.length))
      for (let i = 0; i < numbers.length; i++) {
        const hash = hashes[i] as number
        const window = windowOf(hash)
        numbers[i] = idOfPlace(window, (windows[window] as Places).of(hash))
      }
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
      return windows.reduce((sum, places) => sum + places.bytes, bytes)
    },
  }
}
