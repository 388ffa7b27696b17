/**
 * Sketches of a value that were united of all days of a range, kept for other questions of the same: named by the versions of
 * what they were made of, so that they are what would be read now.
 */
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { SketchedField, SketchedSpan } from '../sketch/index.ts'

const MOST_BYTES = 64 * 1024 * 1024
/** Of one, beside its sketch, about, bytes. */
const OVERHEAD = 300

export interface United {
  /** packed; empty where the days have none of the value; `undefined` where it is not kept */
  get(value: string): Uint8Array | undefined
  keep(value: string, packed: Uint8Array): void
}

/** @returns those of one dimension of a site, in some days and weeks */
export function createUnited(): (site: string, field: SketchedField, spans: readonly SketchedSpan[]) => United {
  const held = new LRUCache<string, Uint8Array>({
    maxSize: MOST_BYTES,
    sizeCalculation: (packed, key) => packed.length + 2 * key.length + OVERHEAD,
  })
  return (site, field, spans) => {
    const versions = createHash('sha1')
    for (const { name } of spans) versions.update(name)
    const prefix = `${site} ${field} ${versions.digest('base64')} `
    return {
      get: value => held.get(prefix + value),
      keep: (value, packed) => held.set(prefix + value, packed),
    }
  }
}
