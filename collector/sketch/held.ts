/**
 * Sketches that were read are held: those of one version never change. So another question of the same days, by whatever
 * rows of it, reads what nobody has asked for yet.
 */
import { LRUCache } from 'lru-cache'
import type { Db } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { bytesOf, type ChunkDocument, type SketchedField, type Total } from './documents.ts'
import { type Options, readChunks, readTotals, type Sketched } from './read.ts'

const MOST_BYTES = { totals: 32 * 1024 * 1024, chunks: 64 * 1024 * 1024 }
/** Of one value of a chunk, beside its sketch, about, bytes. */
const VALUE_BYTES = 200
/** Of the bound, what the chunks of one field of a day or week may take. */
const LARGEST = 1 / 8

export interface HeldSketches {
  /** Of each of these the sketch of all visits, events or page views, packed. */
  totals(
    db: Db,
    asked: { site: string; told: Total; spans: readonly Sketched[] },
    options: Options,
  ): Promise<Map<Sketched, Uint8Array>>
  /** Of these, each wanted value with its sketch, packed. */
  values(
    db: Db,
    asked: { site: string; field: SketchedField; spans: readonly Sketched[]; wanted: ReadonlySet<string> },
    options: Options,
  ): Promise<{ at: number; value: string; packed: Uint8Array }[]>
}

/** Chunks of one field of one version. */
interface Chunks {
  ids: Set<string>
  /** packed, by value */
  sketches: Map<string, Uint8Array>
  /** values that were asked for, and are in none of its chunks */
  none: Set<string>
  bytes: number
}

export function createHeldSketches(): HeldSketches {
  const totals = new LRUCache<string, Uint8Array>({
    maxSize: MOST_BYTES.totals,
    sizeCalculation: packed => packed.length + VALUE_BYTES,
  })
  const chunks = new LRUCache<string, Chunks>({
    maxSize: MOST_BYTES.chunks,
    maxEntrySize: MOST_BYTES.chunks * LARGEST,
    sizeCalculation: ({ bytes }) => bytes,
  })
  const nameOf = ({ name }: Sketched, what: string): string => `${name} ${what}`
  return {
    async totals(db, { site, told, spans }, options) {
      const found = new Map(spans.flatMap(span => [[span, totals.get(nameOf(span, told))] as const]))
      const absent = spans.filter(span => !found.get(span))
      if (absent.length > 0) {
        const byVersion = new Map(absent.map(span => [span.name, span]))
        for await (const { version, packed } of readTotals(db, { site, told, spans: absent }, options)) {
          const span = byVersion.get(version.toHexString())
          if (!span) continue
          // A copy: what it came in holds all of them.
          const own = packed.slice()
          totals.set(nameOf(span, told), own)
          found.set(span, own)
        }
      }
      return new Map([...found].flatMap(([span, packed]) => (packed ? [[span, packed] as const] : [])))
    },
    async values(db, { site, field, spans, wanted }, options) {
      const held = new Map(spans.map(span => [span, chunks.get(nameOf(span, field)) ?? emptyChunks()]))
      const unknown = new Map<Sketched, string[]>()
      for (const [span, { sketches, none }] of held)
        for (const value of wanted)
          if (!sketches.has(value) && !none.has(value)) getOrAdd(unknown, span, () => []).push(value)
      if (unknown.size > 0) {
        const byVersion = new Map([...unknown.keys()].map(span => [span.name, span]))
        const asked = { site, field, spans: [...unknown.keys()], wanted: new Set([...unknown.values()].flat()) }
        for await (const chunk of readChunks(db, asked, options)) {
          const into = held.get(byVersion.get(chunk.version.toHexString()) as Sketched)
          if (into) addChunk(into, chunk)
        }
        for (const [span, values] of unknown) {
          const into = held.get(span)
          if (!into) continue
          for (const value of values) if (!into.sketches.has(value)) addNone(into, value)
          // Another object: of the same one the size would stay what it was.
          chunks.set(nameOf(span, field), { ...into })
        }
      }
      return [...held].flatMap(([{ from: at }, { sketches }]) =>
        [...wanted].flatMap(value => {
          const packed = sketches.get(value)
          return packed ? [{ at, value, packed }] : []
        }),
      )
    },
  }
}

const emptyChunks = (): Chunks => ({ ids: new Set(), sketches: new Map(), none: new Set(), bytes: VALUE_BYTES })

function addChunk(into: Chunks, { _id, values, sketches }: ChunkDocument): void {
  if (into.ids.has(_id)) return
  into.ids.add(_id)
  // A copy, in one piece: what it came in holds others, too.
  const packed = sketches.map(bytesOf)
  const all = new Uint8Array(packed.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const [i, value] of values.entries()) {
    const one = packed[i]
    if (!one) continue
    all.set(one, at)
    into.sketches.set(value, all.subarray(at, at + one.length))
    at += one.length
    into.bytes += one.length + 2 * value.length + VALUE_BYTES
  }
}

function addNone(into: Chunks, value: string): void {
  into.none.add(value)
  into.bytes += 2 * value.length + VALUE_BYTES
}
