/**
 * Documents of a collection in the order of their places, from any place on. A time-series has an index by time, and no
 * order within a millisecond: that is made here, so that no sort of mongod ever holds what is asked for.
 */
import type { FindCursor } from 'mongodb'
import { compare, type Place } from './place.ts'

/** Documents read at a time: what a reader that has stopped leaves in memory is some of these. */
export const BATCH = 250
/** Of one millisecond, so many are put in order here; more by mongod, on its disk if need be. */
const MOST_AT_ONCE = 5_000
/** A cursor that nobody has read from for ten minutes is gone: the next one goes on. */
const CURSOR_NOT_FOUND = 43

export interface Ordered<T> {
  /** those from a time on, ms, by time */
  from(time: number): FindCursor<T>
  /** those of one ms, in the order of their places */
  at(time: number): FindCursor<T>
  placeOf(document: T): Place
}

/** Each once, in lists; without those up to `after`. */
export async function* inOrder<T>({ from, at, placeOf }: Ordered<T>, after: Place): AsyncGenerator<T[]> {
  let last = after
  let time = after.time
  /** What of these comes after the last one that was given. */
  const next = (documents: T[]): T[] => {
    const placed = documents.map(document => ({ document, place: placeOf(document) }))
    placed.sort((a, b) => compare(a.place, b.place))
    const later = placed.filter(({ place }) => {
      const isLater = compare(place, last) > 0
      if (isLater) last = place
      return isLater
    })
    return later.map(({ document }) => document)
  }
  for (;;) {
    let held: T[] = []
    let crowded: number | undefined
    const cursor = from(time)
    try {
      while (crowded === undefined && (await cursor.hasNext())) {
        const read = [...held, ...cursor.readBufferedDocuments()]
        const newest = placeOf(read.at(-1) as T).time
        let whole = read.length
        while (whole > 0 && placeOf(read[whole - 1] as T).time === newest) whole--
        held = read.slice(whole)
        if (whole > 0) yield next(read.slice(0, whole))
        if (held.length > MOST_AT_ONCE) crowded = newest
      }
      if (crowded === undefined) return yield next(held)
    } catch (error) {
      if ((error as { code?: unknown }).code !== CURSOR_NOT_FOUND) throw error
      time = last.time
      continue
    } finally {
      await cursor.close()
    }
    held = []
    const many = at(crowded)
    try {
      while (await many.hasNext()) yield next(many.readBufferedDocuments())
    } finally {
      await many.close()
    }
    time = crowded + 1
  }
}
