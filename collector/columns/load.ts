/**
 * Columns that were read are held, as those of one version never change. Who asks for one that is on its way waits for that: the
 * questions of a dashboard come together, and ask for the same.
 */
import { LRUCache } from 'lru-cache'
import type { Db } from 'mongodb'
import { type Column, nextKey, sizeOf } from './block.ts'
import { type ColumnDocument, columnFrom, columns } from './documents.ts'
import type { Options } from './read-raw.ts'

export interface Loading {
  /** Those that there are, by id. */
  load(ids: readonly string[], options: Options): Promise<ReadonlyMap<string, Column>>
  /** bytes that are held */
  readonly bytes: number
}

/** Hashes are not held, but the numbers that were made of them. */
const isHeld = ({ name }: Pick<ColumnDocument, 'name'>): boolean => name !== 'who.hash'

/** @param most bytes @param dropped called with a column that is held no more */
export function createLoading(db: Db, most: number, dropped: (column: Column) => void): Loading {
  const held = new LRUCache<string, Column>({ maxSize: most, sizeCalculation: sizeOf, dispose: dropped })
  const onTheirWay = new Map<string, Promise<ReadonlyMap<string, Column>>>()

  const read = async (ids: readonly string[], options: Options): Promise<ReadonlyMap<string, Column>> => {
    const found = new Map<string, Column>()
    for await (const document of columns(db).find({ _id: { $in: [...ids] } }, options)) {
      const { _id } = document
      const column = columnFrom(document)
      const keyed = { ...column, key: nextKey() }
      if (isHeld(document)) held.set(_id, keyed)
      // One that is larger than all that may be held has no name.
      found.set(_id, held.peek(_id) === keyed ? keyed : column)
    }
    return found
  }

  return {
    async load(ids, options) {
      const found = new Map<string, Column>()
      for (const id of ids) {
        const column = held.get(id)
        if (column) found.set(id, column)
      }
      const add = (columns: ReadonlyMap<string, Column>): void => {
        for (const id of ids) {
          const column = columns.get(id)
          if (column) found.set(id, column)
        }
      }
      if (found.size === ids.length) return found
      const absent = () => ids.filter(id => !found.has(id))
      // Of others, who may have failed, or read at another moment.
      const others = new Set(absent().flatMap(id => onTheirWay.get(id) ?? []))
      const mine = absent().filter(id => !onTheirWay.has(id))
      const own = mine.length > 0 ? read(mine, options) : undefined
      if (own) {
        for (const id of mine) onTheirWay.set(id, own)
        const end = () => {
          for (const id of mine) if (onTheirWay.get(id) === own) onTheirWay.delete(id)
        }
        own.then(end, end)
        add(await own)
      }
      for (const other of others) add(await other.catch(() => new Map()))
      const left = absent().filter(id => !mine.includes(id))
      if (left.length > 0) add(await read(left, options))
      return found
    },
    get bytes() {
      return held.calculatedSize
    },
  }
}
