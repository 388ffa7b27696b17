/**
 * Sketches of a day or week in the place of those that were there, without transactions: chunks are written first, then the
 * head is swapped, then the chunks of others go. Of two that build the same, one wins and the other leaves nothing.
 */
import { type ClientSession, type Collection, type Db, ObjectId } from 'mongodb'
import { KEPT } from '../store/index.ts'
import {
  type ChunkDocument,
  chunkDim,
  chunkDims,
  chunkId,
  chunksOf,
  type SketchedField,
  type SketchedGrain,
  sketches,
} from './documents.ts'
import type { Sketch } from './sketch.ts'
import type { Span } from './visits.ts'

/** More than the longest day or week, ms. */
const LONGEST_MS: Record<SketchedGrain, number> = { day: 50 * 3_600_000, week: 8 * 24 * 3_600_000 }
const DURABLE = { w: 'majority', journal: true } as const
/** How long reading what sketches are made of may take, ms. */
export const LIMITS = { maxTimeMS: 10 * 60_000, comment: 'livetag sketches' } as const
export const MAJORITY = { readConcern: { level: 'majority' } } as const

interface Place extends Span {
  site: string
  grain: SketchedGrain
}

/** What each document of one version has. */
type Shared = Pick<ChunkDocument, 'site' | 'at' | 'version' | 'expires'>
/** Writes the chunks of a field, whose values come in the order in which they are kept. */
type Write = (field: SketchedField, values: Iterable<[string, Sketch]>) => Promise<void>

/**
 * @param before the head that is there
 * @param build writes what it makes, and gives back the head
 * @param session causally consistent, in which `before` was read
 * @returns whether nobody else was quicker
 */
export async function replaceSketches<Head extends ChunkDocument>(
  db: Db,
  { site, grain, from, to }: Place,
  before: Head | null,
  build: (shared: Shared, write: Write) => Promise<Head>,
  session: ClientSession,
): Promise<boolean> {
  const dims = chunkDims(grain)
  const own = { site, dim: { $in: dims }, at: new Date(from) }
  // Of who has ended in the middle, and of who is at work and will find the head swapped.
  const old = await sketches(db).distinct('version', own)
  const shared = { site, at: new Date(from), version: new ObjectId(), expires: new Date(to + KEPT.events) }
  const head = await build(shared, async (field, values) => {
    const dim = chunkDim(grain, field)
    const chunks = chunksOf(values).map(
      (chunk, i): ChunkDocument => ({ _id: chunkId(site, from, dim, shared.version, i), ...shared, dim, ...chunk }),
    )
    if (chunks.length > 0) await sketches(db).insertMany(chunks, { writeConcern: DURABLE, session })
  })
  const isOurs = await swap(db, before, head, session)
  await sketches(db).deleteMany({ ...own, version: { $in: isOurs ? old : [shared.version] } }, { session })
  if (!isOurs) return false
  // Days or weeks of the time zone that the site had before.
  const at = { $gt: new Date(from - LONGEST_MS[grain]), $lt: new Date(to), $ne: new Date(from) }
  const others = { site, dim: head.dim, at, to: { $gt: new Date(from) } }
  const begins = await sketches(db).distinct('at', others, { session })
  // Heads first: who reads one finds all of its chunks.
  for (const some of [[head.dim], dims])
    if (begins.length > 0) await sketches(db).deleteMany({ site, dim: { $in: some }, at: { $in: begins } }, { session })
  return true
}

async function swap<Head extends ChunkDocument>(
  db: Db,
  before: Head | null,
  head: Head,
  session: ClientSession,
): Promise<boolean> {
  const options = { writeConcern: DURABLE, session }
  const heads: Collection<ChunkDocument> = sketches(db)
  if (before) {
    const { _id, version } = before
    return (await heads.replaceOne({ _id, version }, head, options)).matchedCount === 1
  }
  try {
    await heads.insertOne(head, options)
    return true
  } catch (error) {
    if ((error as { code?: number }).code === 11000) return false
    throw error
  }
}
