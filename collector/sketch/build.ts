/**
 * Builds the sketches of a finished day from its sessions. There are no clocks and no transactions in it: the revisions are
 * read before the sessions, so what changes meanwhile makes the sketches stale, and they are built anew; and the head is
 * swapped for the one that was there before, so of two that build the same day one wins and the other leaves nothing.
 */
import { Binary, type ClientSession, type Db, ObjectId } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { readRevisions } from '../settle/index.ts'
import { KEPT } from '../store/index.ts'
import {
  ALL,
  type ChunkDocument,
  chunkId,
  chunksOf,
  type HeadDocument,
  headId,
  heads,
  makeSeed,
  SKETCHED_FIELDS,
  type SketchedField,
  sketches,
} from './documents.ts'
import { addHash, emptySketch, packSketch, type Sketch } from './sketch.ts'
import { type Span, textOf, type VisitsAsked, visitsIn } from './visits.ts'

/** Of a dimension of a day: those with more are scanned. */
const MOST_VALUES = 10_000
/** What the sketches of a day may take while they are built, bytes: past it the dimension with most values is given up. */
const MOST_BYTES = 256 * 1024 * 1024
/** Of a sketch of few hashes, about, bytes. */
const FEW_BYTES = 500

/** More than the longest day, ms. */
const LONGEST_MS = 50 * 3_600_000
/** How long reading the sessions of a day may take, ms. */
const LIMITS = { maxTimeMS: 10 * 60_000, comment: 'livetag sketches' } as const

const DURABLE = { w: 'majority', journal: true } as const
const MAJORITY = { readConcern: { level: 'majority' } } as const

/**
 * @param builtAt now, ms: from which on it is waited until it is built again
 * @returns whether it was built: not where it holds already, and not where somebody else was quicker
 */
export async function buildDay(
  db: Db,
  site: string,
  { from, to }: Span,
  builtAt: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const seed = await makeSeed(db, site)
  return await db.client.withSession({ causalConsistency: true }, async session => {
    const _id = headId(site, from)
    const before = await heads(db).findOne({ _id }, { ...MAJORITY, session })
    const sum = await readRevisions(db, site, { from, to }, { ...MAJORITY, session })
    const revision = sum(from, to)
    if (before && before.revision === revision && +before.to === to) return false
    // Of who has ended in the middle, and of who is at work and will find the head swapped.
    const old = await sketches(db).distinct('version', { site, dim: { $in: [...SKETCHED_FIELDS] }, at: new Date(from) })
    const asked = { site, from, to, fields: SKETCHED_FIELDS, seed }
    const { visits, total, values } = await sketchVisits(db, asked, { session, ...(signal && { signal }) })
    const shared = { site, at: new Date(from), version: new ObjectId(), expires: new Date(to + KEPT.events) }
    const missing = SKETCHED_FIELDS.filter(field => !values.has(field))
    for (const [dim, sketched] of values) {
      const chunks = chunksOf(byVisits(sketched)).map(
        (chunk, i): ChunkDocument => ({ _id: chunkId(site, from, dim, shared.version, i), ...shared, dim, ...chunk }),
      )
      if (chunks.length > 0) await sketches(db).insertMany(chunks, { writeConcern: DURABLE, session })
    }
    const head: HeadDocument = {
      _id,
      ...shared,
      dim: ALL,
      values: [''],
      sketches: [new Binary(packSketch(total))],
      to: new Date(to),
      revision,
      visits,
      missing,
      builtAt: new Date(builtAt),
    }
    const isOurs = await swap(db, before, head, session)
    await sketches(db).deleteMany(
      { site, dim: { $in: [...SKETCHED_FIELDS] }, at: shared.at, version: { $in: isOurs ? old : [shared.version] } },
      { session },
    )
    if (isOurs) await removeOverlaps(db, site, { from, to }, session)
    return isOurs
  })
}

/** Days of the time zone that the site had before. */
async function removeOverlaps(db: Db, site: string, { from, to }: Span, session: ClientSession): Promise<void> {
  const at = { $gt: new Date(from - LONGEST_MS), $lt: new Date(to), $ne: new Date(from) }
  const begins = await heads(db).distinct('at', { site, dim: ALL, at, to: { $gt: new Date(from) } }, { session })
  if (begins.length === 0) return
  await sketches(db).deleteMany({ site, dim: { $in: [ALL, ...SKETCHED_FIELDS] }, at: { $in: begins } }, { session })
}

async function swap(db: Db, before: HeadDocument | null, head: HeadDocument, session: ClientSession): Promise<boolean> {
  const options = { writeConcern: DURABLE, session }
  if (before) {
    const { _id, version } = before
    return (await heads(db).replaceOne({ _id, version }, head, options)).matchedCount === 1
  }
  try {
    await heads(db).insertOne(head, options)
    return true
  } catch (error) {
    if ((error as { code?: number }).code === 11000) return false
    throw error
  }
}

interface Counted {
  sketch: Sketch
  visits: number
}
interface Values {
  all: Map<string, Counted>
  bytes: number
}

async function sketchVisits(
  db: Db,
  asked: VisitsAsked,
  options: { session: ClientSession; signal?: AbortSignal },
): Promise<{ visits: number; total: Sketch; values: Map<SketchedField, Values> }> {
  const total = emptySketch(14)
  const values = new Map(SKETCHED_FIELDS.map(field => [field, { all: new Map(), bytes: 0 } as Values]))
  let visits = 0
  for await (const visit of visitsIn(db, asked, { ...LIMITS, ...MAJORITY, ...options })) {
    visits++
    addHash(total, visit.hash)
    let bytes = 0
    for (const [field, of] of values) {
      count(of, textOf(visit.session, field), visit.hash)
      if (of.all.size > MOST_VALUES) values.delete(field)
      else bytes += of.bytes
    }
    if (bytes <= MOST_BYTES) continue
    const [largest] = [...values].toSorted(([, a], [, b]) => b.bytes - a.bytes)
    if (largest) values.delete(largest[0])
  }
  return { visits, total, values }
}

function count(of: Values, value: string, hash: number): void {
  const counted = getOrAdd(of.all, value, () => {
    of.bytes += FEW_BYTES
    return { sketch: emptySketch(12), visits: 0 }
  })
  const wasFew = counted.sketch.few !== undefined
  addHash(counted.sketch, hash)
  counted.visits++
  if (wasFew && counted.sketch.registers) of.bytes += counted.sketch.registers.length
}

const byVisits = ({ all }: Values): [string, Sketch][] =>
  [...all].toSorted(([, a], [, b]) => b.visits - a.visits).map(([value, { sketch }]) => [value, sketch])
