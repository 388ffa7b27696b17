/** The sketches of a day's values while it is built: by field and value, of bounded size. */
import { getOrAdd } from '../get-or-add.ts'
import type { SketchedField } from './documents.ts'
import { addHash, emptySketch, memoryOf, type Sketch } from './sketch.ts'

/** Of a field of a day: those with more are scanned. */
const MOST_VALUES = 10_000
/** What they may take together, bytes: past it the field that takes most is given up. */
const MOST_BYTES = 256 * 1024 * 1024
/** Of a value beside its sketch, about, bytes. */
const VALUE_BYTES = 200

export interface Values<Field extends SketchedField> {
  add(field: Field, value: string, hash: number): void
  /** by field: values with their sketches, those that were added most often first */
  sketched(): Map<Field, [string, Sketch][]>
  /** fields that had too many values */
  missing(): Field[]
}

interface Counted {
  sketch: Sketch
  times: number
}

export function startValues<Field extends SketchedField>(fields: readonly Field[]): Values<Field> {
  const held = new Map(fields.map(field => [field, { all: new Map<string, Counted>(), bytes: 0 }]))
  let bytes = 0
  const giveUp = (field: Field): void => {
    bytes -= held.get(field)?.bytes ?? 0
    held.delete(field)
  }
  return {
    add(field, value, hash) {
      const of = held.get(field)
      if (!of) return
      const grow = (by: number): void => {
        of.bytes += by
        bytes += by
      }
      const counted = getOrAdd(of.all, value, () => {
        grow(VALUE_BYTES)
        return { sketch: emptySketch(12), times: 0 }
      })
      const before = memoryOf(counted.sketch)
      addHash(counted.sketch, hash)
      counted.times++
      grow(memoryOf(counted.sketch) - before)
      if (of.all.size > MOST_VALUES) giveUp(field)
      if (bytes <= MOST_BYTES) return
      const [largest] = [...held].toSorted(([, a], [, b]) => b.bytes - a.bytes)
      if (largest) giveUp(largest[0])
    },
    sketched: () =>
      new Map(
        [...held].map(([field, { all }]) => [
          field,
          [...all]
            .toSorted(([, a], [, b]) => b.times - a.times)
            .map(([value, { sketch }]): [string, Sketch] => [value, sketch]),
        ]),
      ),
    missing: () => fields.filter(field => !held.has(field)),
  }
}
