/**
 * Sums of hours that are kept for other questions: those of whole days that are over, which another question of the same
 * range asks for again, with other rows of it. They are named by what they were made of (`readPlace`), so that they are what
 * would be read now, whatever has come since.
 */

import { LRUCache } from 'lru-cache'
import type { ClientSession, Db } from 'mongodb'
import type { HourDimension } from '../journal/index.ts'
import { addDelta, type HourRange, type Hours, readHours, readPlace } from '../rollup/index.ts'
import { dayOf } from '../zone.ts'

const MOST_BYTES = 64 * 1024 * 1024
/** Of a value with its counters, about, beside its text, bytes: 2,000 pages take 700 kB. */
const VALUE_BYTES = 350
/** They are made anew after so long, ms: what expires in the database meanwhile is in no touch. */
const HELD_MS = 10 * 60_000

export interface SumsAsked extends HourRange {
  zone: string
  /** names how they are divided into buckets */
  unit: string
  now: number
}

interface Held {
  /** what they were made of */
  place: string
  sums: Sums
}

export type Sums = Map<HourDimension, Hours>

/** @returns reads sums, which nobody may change. @throws UnfitHours */
export function createSums(db: Db): (asked: SumsAsked, session: ClientSession) => Promise<Sums> {
  const held = new LRUCache<string, Held>({ maxSize: MOST_BYTES, sizeCalculation: sizeOf, ttl: HELD_MS })

  const readOver = async (asked: SumsAsked, session: ClientSession): Promise<Sums> => {
    const place = await readPlace(db, asked, session)
    if (place === undefined) return await readHours(db, asked, session)
    const { site, dims, property, from, to, zone, unit } = asked
    const key = JSON.stringify([site, dims, property, from, to, zone, unit])
    const there = held.get(key)
    if (there?.place === place) return there.sums
    const read = await readHours(db, asked, session)
    held.set(key, { place, sums: read })
    return read
  }

  return async (asked, session) => {
    const today = dayOf(asked.now, asked.zone).start
    if (asked.from >= today) return await readHours(db, asked, session)
    if (asked.to <= today) return await readOver(asked, session)
    const over = await readOver({ ...asked, to: today }, session)
    return added(over, await readHours(db, { ...asked, from: today }, session))
  }
}

function sizeOf({ place, sums }: Held, key: string): number {
  let bytes = VALUE_BYTES + 2 * (place.length + key.length)
  for (const hours of sums.values())
    for (const rows of hours.values()) for (const value of rows.keys()) bytes += VALUE_BYTES + 2 * value.length
  return bytes
}

function added(first: Sums, second: Sums): Sums {
  const copy: Sums = new Map()
  for (const [dim, hours] of first) {
    const all: Hours = new Map(hours)
    for (const [bucket, rows] of second.get(dim) ?? []) {
      const into = new Map([...(hours.get(bucket) ?? [])].map(([value, row]) => [value, [...row]]))
      addDelta(into, { dim, values: [...rows.keys()], counters: [...rows.values()] }, Number.POSITIVE_INFINITY)
      all.set(bucket, into)
    }
    copy.set(dim, all)
  }
  return copy
}
