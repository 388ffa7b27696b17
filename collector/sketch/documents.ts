/**
 * How sketches are kept. A finished day of a site has a *head*, with the sketch of all its visits and what it was made of, and
 * *chunks* with those of the values of each dimension, the ones with most visits first. Chunks belong to a version of the
 * head and are there before it is: who reads both at one moment has either all of it or that of before. So has a week of such
 * days, whose head says of which versions of theirs it was made.
 */
import { randomInt } from 'node:crypto'
import { Binary, type ClientSession, type Collection, type Db, type ObjectId } from 'mongodb'
import { type HourDimension, VISIT_DIMENSIONS } from '../journal/index.ts'
import { once } from '../store/index.ts'
import type { Seed } from './hash.ts'
import { packSketch, type Sketch } from './sketch.ts'

/** What visits are told apart by: fields of sessions. */
export type VisitField = Exclude<
  HourDimension,
  'total' | 'visits' | 'name' | 'page' | 'consent' | 'bot' | 'goal' | 'revenue' | 'property'
>
export const VISIT_FIELDS: readonly VisitField[] = [...VISIT_DIMENSIONS.filter(dim => dim !== 'visits'), 'host']
/** What events are told apart by: all of them by name and by goal, page views by page and by host. */
export const EVENT_FIELDS = ['name', 'goal', 'page', 'pageHost'] as const
export type EventField = (typeof EVENT_FIELDS)[number]
export type SketchedField = VisitField | EventField
export const SKETCHED_FIELDS: readonly SketchedField[] = [...VISIT_FIELDS, ...EVENT_FIELDS]

/** What all visitors of a day are counted of: its visits, its events, its page views. */
export type Total = 'visits' | 'events' | 'views'
/** What visitors are counted by. */
export type Told = SketchedField | Total

export const isTotal = (told: Told): told is Total => told === 'visits' || told === 'events' || told === 'views'
export const isOfEvents = (told: Told): told is EventField | Exclude<Total, 'visits'> =>
  told === 'events' || told === 'views' || (EVENT_FIELDS as readonly Told[]).includes(told)

/** The dimension of heads of days, and that of weeks. */
export const ALL = 'visits'
export const WEEK = 'week'

export type SketchedGrain = 'day' | 'week'
/** What the chunks of a field are found by: those of days and of weeks apart, as a week begins when its first day does. */
export type ChunkDim = SketchedField | `week/${SketchedField}`
export const chunkDim = (grain: SketchedGrain, field: SketchedField): ChunkDim =>
  grain === 'day' ? field : `week/${field}`
export const chunkDims = (grain: SketchedGrain): ChunkDim[] => SKETCHED_FIELDS.map(field => chunkDim(grain, field))

export interface ChunkDocument {
  _id: string
  site: string
  dim: ChunkDim | typeof ALL | typeof WEEK
  /** begin of the day or week */
  at: Date
  version: ObjectId
  /** of heads one, which is empty */
  values: string[]
  sketches: Binary[]
  expires: Date
}

export interface HeadDocument extends ChunkDocument {
  dim: typeof ALL
  /** the end of the day, not included */
  to: Date
  /** the sum of the day's revisions of visits when its sessions were read */
  revision: number
  /** visits of the day, without bots */
  visits: number
  /** absent of days that were built without */
  events?: {
    /** the sum of the day's revisions of events when these were read */
    revision: number
    /** events of the day, without bots */
    counted: number
    /** sketches of all of them, and of the page views */
    all: Binary
    views: Binary
  }
  /** dimensions that had too many values: there are no chunks of these */
  missing: SketchedField[]
  builtAt: Date
}

export interface WeekDocument extends ChunkDocument {
  dim: typeof WEEK
  to: Date
  /** versions of its days, in the order of time */
  of: ObjectId[]
  totals: Record<Total, Binary>
  missing: SketchedField[]
  builtAt: Date
}

export const sketches = (db: Db): Collection<ChunkDocument> => db.collection<ChunkDocument>('sketches')

/** The same collection: of its documents the heads. Always ask for the dimension {@link ALL}, or by id. */
export const heads = (db: Db): Collection<HeadDocument> => db.collection<HeadDocument>('sketches')

/** The same of weeks, and of the dimension {@link WEEK}. */
export const weeks = (db: Db): Collection<WeekDocument> => db.collection<WeekDocument>('sketches')

/** Of a day; of its events only where these were sketched. */
export function totalOf({ sketches, events }: HeadDocument, total: Total): Binary | undefined {
  if (total === 'visits') return sketches[0]
  return total === 'events' ? events?.all : events?.views
}

/** Whether these are the versions of some days, in their order. */
export const isOf = (versions: readonly ObjectId[], days: readonly Pick<ChunkDocument, 'version'>[]): boolean =>
  versions.length === days.length && versions.every((version, i) => days[i]?.version.equals(version))

export const weekId = (site: string, at: number): string => `${site}/${at}/${WEEK}`
export const headId = (site: string, at: number): string => `${site}/${at}`
export const chunkId = (site: string, at: number, dim: string, version: ObjectId, place: number): string =>
  `${site}/${at}/${dim}/${version.toHexString()}/${place}`

/** Bytes of sketches in one chunk. */
const CHUNK_BYTES = 64 * 1024

/** Values with their sketches in groups, each of a document. */
export function chunksOf(values: Iterable<[string, Sketch]>): Pick<ChunkDocument, 'values' | 'sketches'>[] {
  const chunks: Pick<ChunkDocument, 'values' | 'sketches'>[] = []
  let bytes = CHUNK_BYTES
  for (const [value, sketch] of values) {
    const packed = packSketch(sketch)
    if (bytes + packed.length > CHUNK_BYTES) {
      chunks.push({ values: [], sketches: [] })
      bytes = 0
    }
    bytes += packed.length + value.length
    chunks.at(-1)?.values.push(value)
    chunks.at(-1)?.sketches.push(new Binary(packed))
  }
  return chunks
}

export const bytesOf = (packed: Binary): Uint8Array => packed.buffer.subarray(0, packed.position)

const seedId = (site: string): string => `${site}/seed`

/** The secret numbers of a site, made when they are first needed. They go when the site's sketches do. */
export async function makeSeed(db: Db, site: string): Promise<Seed> {
  const seed = [randomInt(2 ** 32), randomInt(2 ** 32)] as const
  const document = await db
    .collection<{ _id: string; site: string; seed: Seed }>('sketches')
    .findOneAndUpdate(
      { _id: seedId(site) },
      { $setOnInsert: { site, seed } },
      { upsert: true, returnDocument: 'after', writeConcern: { w: 'majority', journal: true } },
    )
  return document?.seed ?? seed
}

/** @returns `undefined` where the site has no sketches yet */
export async function readSeed(db: Db, site: string, session: ClientSession): Promise<Seed | undefined> {
  const read = async () =>
    await db.collection<{ _id: string; seed: Seed }>('sketches').findOne({ _id: seedId(site) }, { session })
  return (await once({ session }, `seed ${site}`, read))?.seed
}
