/** Visitors added up by bucket and value: hashes of visits that are read, and sketches of whole days. */
import { getOrAdd } from '../get-or-add.ts'
import {
  addHash,
  type Estimate,
  emptySketch,
  estimate,
  memoryOf,
  type Sketch,
  unite,
  unitePacked,
  unpackSketch,
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

/** What was added up of one bucket and value: a sketch as it is kept, until there is more. */
interface Sum {
  bucket: number
  value: string
  packed: Uint8Array | undefined
  sketch: Sketch | undefined
}

export function startSums(precision: 12 | 14): Sums {
  const held = new Map<string, Sum>()
  let bytes = 0
  const count = (by: number): void => {
    bytes += by
    if (bytes > MOST_BYTES) throw new TooMuch()
  }
  const sumOf = (bucket: number, value: string): Sum =>
    getOrAdd(held, `${bucket} ${value}`, () => {
      count(ROW_BYTES)
      return { bucket, value, packed: undefined, sketch: undefined }
    })
  const change = (sum: Sum, by: (sketch: Sketch) => void): void => {
    const sketch = unpacked(sum, precision)
    const before = memoryOf(sketch)
    by(sketch)
    count(memoryOf(sketch) - before)
  }
  return {
    add: (bucket, value, hash) => change(sumOf(bucket, value), sketch => addHash(sketch, hash)),
    unite(bucket, value, packed) {
      const sum = sumOf(bucket, value)
      if (sum.packed || sum.sketch) return change(sum, sketch => unitePacked(sketch, packed))
      sum.packed = packed
      count(packed.length)
    },
    values: () => new Set([...held.values()].map(({ value }) => value)),
    rows({ dimensions, wanted }, fitting) {
      const byValue = !dimensions.every(isTimeDimension)
      const rows = new Map<string, { row: Omit<Row, 'counts'>; sum: Sum }>()
      for (const sum of held.values()) {
        const { bucket, value } = sum
        if (!fitting.has(value)) continue
        const row = { values: byValue ? [value] : [], bucket }
        const key = rowKey(row)
        if (wanted && !wanted.has(key)) continue
        const there = rows.get(key)
        // Of several values that fit a filter, these are no longer needed by themselves.
        if (there) unite(unpacked(there.sum, precision), unpacked(sum, precision))
        else rows.set(key, { row, sum })
      }
      return [...rows.values()].flatMap(({ row, sum: { packed, sketch } }) => {
        const { count, ...error } = packed ? estimatePacked(packed) : estimate(sketch ?? emptySketch(precision))
        return count > 0 ? { ...row, count, ...error } : []
      })
    },
  }
}

function unpacked(sum: Sum, precision: 12 | 14): Sketch {
  if (sum.sketch) return sum.sketch
  sum.sketch = emptySketch(precision)
  if (sum.packed) unitePacked(sum.sketch, sum.packed)
  sum.packed = undefined
  return sum.sketch
}

/** Of those that are kept, as long as they are. */
const estimates = new WeakMap<Uint8Array, Estimate>()
function estimatePacked(packed: Uint8Array): Estimate {
  const held = estimates.get(packed) ?? estimate(unpackSketch(packed))
  estimates.set(packed, held)
  return held
}
