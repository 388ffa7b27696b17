/** Visitors added up by bucket and value: hashes of visits that are read, and sketches of whole days. */
import {
  addHash,
  type Estimate,
  emptySketch,
  estimate,
  memoryOf,
  type Sketch,
  unite,
  unitePacked,
} from '../sketch/index.ts'
import { type Ask, type Row, rowKey } from './engine.ts'
import { isTimeDimension } from './names.ts'

export type Estimated = Omit<Row, 'counts'> & Estimate

/** What an answer's sketches may take, bytes. */
const MOST_BYTES = 128 * 1024 * 1024
/** Of a row beside its sketch, about. */
const ROW_BYTES = 300

/** There is more to hold or to read than one answer takes. */
export class TooMuch extends Error {
  override name = 'TooMuch'
}

/** Sketches by bucket and value, of bounded size. */
export interface Sums {
  add(bucket: number, value: string, hash: number): void
  unite(bucket: number, value: string, packed: Uint8Array): void
  values(): Set<string>
  /** Of these values. */
  rows(ask: Ask, fitting: ReadonlySet<string>): Estimated[]
}

export function startSums(precision: 12 | 14): Sums {
  const held = new Map<string, { bucket: number; value: string; sketch: Sketch }>()
  let bytes = 0
  const change = (bucket: number, value: string, by: (sketch: Sketch) => void): void => {
    const key = `${bucket} ${value}`
    let one = held.get(key)
    if (!one) {
      one = { bucket, value, sketch: emptySketch(precision) }
      held.set(key, one)
      bytes += ROW_BYTES
    }
    const before = memoryOf(one.sketch)
    by(one.sketch)
    bytes += memoryOf(one.sketch) - before
    if (bytes > MOST_BYTES) throw new TooMuch()
  }
  return {
    add: (bucket, value, hash) => change(bucket, value, sketch => addHash(sketch, hash)),
    unite: (bucket, value, packed) => change(bucket, value, sketch => unitePacked(sketch, packed)),
    values: () => new Set([...held.values()].map(({ value }) => value)),
    rows({ dimensions, wanted }, fitting) {
      const byValue = !dimensions.every(isTimeDimension)
      const rows = new Map<string, Omit<Row, 'counts'> & { sketch: Sketch }>()
      for (const { bucket, value, sketch } of held.values()) {
        if (!fitting.has(value)) continue
        const row = { values: byValue ? [value] : [], bucket, sketch }
        const key = rowKey(row)
        if (wanted && !wanted.has(key)) continue
        const there = rows.get(key)
        // Of several values that fit a filter, these are no longer needed by themselves.
        if (there) unite(there.sketch, sketch)
        else rows.set(key, row)
      }
      return [...rows.values()].flatMap(({ sketch, ...row }) => {
        const { count, ...error } = estimate(sketch)
        return count > 0 ? { ...row, count, ...error } : []
      })
    },
  }
}
