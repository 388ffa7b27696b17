/**
 * Builds the sketches of a finished day from its sessions and its events. There are no clocks and no transactions in it: the
 * revisions are read before these, so what changes meanwhile makes the sketches stale, and they are built anew; and the head
 * is swapped for the one that was there before, so of two that build the same day one wins and the other leaves nothing.
 */
import { Binary, type ClientSession, type Db, ObjectId } from 'mongodb'
import { readRevisions } from '../settle/index.ts'
import { KEPT } from '../store/index.ts'
import {
  ALL,
  type ChunkDocument,
  chunkId,
  chunksOf,
  EVENT_FIELDS,
  type HeadDocument,
  headId,
  heads,
  makeSeed,
  SKETCHED_FIELDS,
  type SketchedField,
  sketches,
  VISIT_FIELDS,
} from './documents.ts'
import { eventsIn, textsOf } from './events.ts'
import type { Seed } from './hash.ts'
import { addHash, emptySketch, packSketch, type Sketch } from './sketch.ts'
import { startValues, type Values } from './values.ts'
import { type Span, textOf, visitsIn } from './visits.ts'

/** More than the longest day, ms. */
const LONGEST_MS = 50 * 3_600_000
/** How long reading the sessions or the events of a day may take, ms. */
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
    const revision = (await readRevisions(db, site, { from, to }, { ...MAJORITY, session }))(from, to)
    const isSame = before?.revision === revision.visits && before.events?.revision === revision.events
    if (isSame && +before.to === to) return false
    // Of who has ended in the middle, and of who is at work and will find the head swapped.
    const old = await sketches(db).distinct('version', { site, dim: { $in: [...SKETCHED_FIELDS] }, at: new Date(from) })
    const shared = { site, at: new Date(from), version: new ObjectId(), expires: new Date(to + KEPT.events) }
    const write = async <Field extends SketchedField>(values: Values<Field>): Promise<Field[]> => {
      for (const [dim, sketched] of values.sketched()) {
        const chunks = chunksOf(sketched).map(
          (chunk, i): ChunkDocument => ({ _id: chunkId(site, from, dim, shared.version, i), ...shared, dim, ...chunk }),
        )
        if (chunks.length > 0) await sketches(db).insertMany(chunks, { writeConcern: DURABLE, session })
      }
      return values.missing()
    }
    const asked = { site, from, to, seed }
    const options = { ...LIMITS, ...MAJORITY, session, ...(signal && { signal }) }
    // One after the other, so that the first are let go before the second are held.
    const ofVisits = async () => {
      const { values, ...rest } = await sketchVisits(db, asked, options)
      return { ...rest, missing: await write(values) }
    }
    const ofEvents = async () => {
      const { values, ...rest } = await sketchEvents(db, asked, options)
      return { rest, missing: await write(values) }
    }
    const { total, visits, ...visited } = await ofVisits()
    const events = await ofEvents()
    const missing: SketchedField[] = [...visited.missing, ...events.missing]
    const head: HeadDocument = {
      _id,
      ...shared,
      dim: ALL,
      values: [''],
      sketches: [new Binary(packSketch(total))],
      to: new Date(to),
      revision: revision.visits,
      visits,
      events: { revision: revision.events, ...events.rest },
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

type Asked = Span & { site: string; seed: Seed }
type Options = Parameters<typeof visitsIn>[2]

async function sketchVisits(db: Db, asked: Asked, options: Options) {
  const total: Sketch = emptySketch(14)
  const values = startValues(VISIT_FIELDS)
  let visits = 0
  for await (const { hash, session } of visitsIn(db, { ...asked, told: VISIT_FIELDS }, options)) {
    visits++
    addHash(total, hash)
    for (const field of VISIT_FIELDS) values.add(field, textOf(session, field), hash)
  }
  return { total, visits, values }
}

async function sketchEvents(db: Db, asked: Asked, options: Options) {
  const values = startValues(EVENT_FIELDS)
  const [all, views] = [emptySketch(14), emptySketch(14)]
  let counted = 0
  for await (const { hash, event } of eventsIn(db, { ...asked, told: EVENT_FIELDS }, options)) {
    counted++
    addHash(all, hash)
    if (event.meta.name === 'pageview') addHash(views, hash)
    for (const field of EVENT_FIELDS) for (const value of textsOf(event, field)) values.add(field, value, hash)
  }
  return { values, counted, all: new Binary(packSketch(all)), views: new Binary(packSketch(views)) }
}
