/**
 * Builds the blocks of a finished day, and puts them in the place of those that were there. All is read at one moment; columns
 * are written first, then the manifest is swapped, then the columns of others go. Of two that build the same, one wins and the
 * other leaves nothing. No clock decides whether it is right.
 */
import { type Db, ObjectId } from 'mongodb'
import { readTouches } from '../rollup/index.ts'
import { lanes, readChanges, readRevisions } from '../settle/index.ts'
import { backfillOf, type Goal, marksOf } from '../sites/index.ts'
import { makeSeed } from '../sketch/index.ts'
import { KEPT } from '../store/index.ts'
import type { Block, ColumnName } from './block.ts'
import { columns, documentsOf, LAYOUT, type ManifestDocument, manifestId, manifests, markOf } from './documents.ts'
import { readRaw, type Span, TooMuchRaw } from './read-raw.ts'
import { WINDOWS } from './visitors.ts'

/** Events and sessions of one block, about: one is made at a time without a pause. */
const OF_PART = 200_000
/** Of one day: more would take too much memory. */
export const MOST_OF_DAY = 4_000_000
/** Longer than this a snapshot may not last, ms (`minSnapshotHistoryWindowInSeconds` is 300). */
const MOST_MS = 240_000
/** More than the longest day, ms. */
const LONGEST_MS = 50 * 3_600_000
const DURABLE = { w: 'majority', journal: true } as const

/**
 * - `built`: it is there, as it was at one moment
 * - `overtaken`: somebody else has built it meanwhile
 * - `too-large`: it has more events than can be built
 */
export type Outcome = 'built' | 'overtaken' | 'too-large'

export interface DayAsked extends Span {
  site: string
  properties: readonly string[]
  /** of the site: events have them also where they came before */
  goals?: readonly Goal[] | undefined
}

/**
 * @param builtAt now, ms: from which on it is waited until it is built again
 * @param ofPart events of one block, at most about
 */
export async function buildBlocks(
  db: Db,
  day: DayAsked,
  builtAt: number,
  signal?: AbortSignal,
  ofPart = OF_PART,
): Promise<Outcome> {
  const { site, from, to, properties } = day
  const goals = marksOf(day.goals, from)
  const until = AbortSignal.any([AbortSignal.timeout(MOST_MS), ...(signal ? [signal] : [])])
  const shared = { site, at: new Date(from), version: new ObjectId(), expires: new Date(to + KEPT.events) }
  const own = { site, at: shared.at }
  // Of who has ended in the middle, and of who is at work and will find the manifest swapped.
  const old = await columns(db).distinct('version', own)
  let gone = [shared.version]
  try {
    const made = await db.client.withSession({ snapshot: true }, session =>
      readDay(db, day, ofPart, { session, signal: until }),
    )
    const missing = new Set<ColumnName>()
    let written = 0
    for (const [part, block] of made.blocks.entries()) {
      const documents = documentsOf(block, part, shared)
      for (const name of documents.missing) missing.add(name)
      await columns(db).insertMany(documents.documents, { writeConcern: DURABLE })
      written += documents.documents.length
    }
    const manifest: ManifestDocument = {
      _id: manifestId(site, from),
      layout: LAYOUT,
      ...shared,
      to: new Date(to),
      ...made.position,
      parts: made.blocks.map(({ sessions, visits, events, apart }) => ({ sessions, visits, events, apart })),
      properties: [...properties],
      ...(goals.length > 0 && { goals }),
      missing: [...missing],
      columns: written,
      builtAt: new Date(builtAt),
    }
    // Until it is answered nobody knows whose place it is: where that is never known, all columns stay.
    gone = []
    const isOurs = await swap(db, manifest, made.before)
    gone = isOurs ? old : [shared.version]
    if (!isOurs) return 'overtaken'
  } catch (error) {
    if (error instanceof TooMuchRaw) return 'too-large'
    throw error
  } finally {
    if (gone.length > 0) await columns(db).deleteMany({ ...own, version: { $in: gone } })
  }
  await removeOverlapping(db, day)
  return 'built'
}

type Reading = Parameters<typeof readRaw>[2]

async function readDay(db: Db, { site, from, to, properties, goals }: DayAsked, ofPart: number, options: Reading) {
  const { session } = options
  const upto: Record<string, number> = {}
  for await (const lane of lanes(db).find({}, { session })) if (lane.settled > 0) upto[lane._id] = lane.settled
  const before = await manifests(db).findOne(
    { _id: manifestId(site, from) },
    { session, projection: { built: 1, version: 1 } },
  )
  const counted = (await readRevisions(db, site, { from, to }, { session }))(from, to).events
  const seed = await makeSeed(db, site)
  // As many as divide the windows of visitors.
  const parts = Math.min(WINDOWS, 2 ** Math.ceil(Math.log2(Math.max(1, counted / ofPart))))
  const backfill = backfillOf(goals, from)
  const asked = { site, from, to, properties, backfill, seed, parts, most: MOST_OF_DAY }
  const { blocks, since } = await readRaw(db, asked, options)
  const touches = await readTouches(db, { site, from: since, to }, { session })
  for (const { lane, folded } of touches) upto[lane] = Math.max(upto[lane] ?? 0, folded)
  const position = {
    upto,
    mended: touches.reduce((sum, { mended = 0 }) => sum + mended, 0),
    since: new Date(since),
    revision: (await readRevisions(db, site, { from: since, to }, { session }))(since, to),
    seed: markOf(seed),
    changes: await readChanges(db, session),
    built: (before?.built ?? 0) + 1,
  }
  return { blocks: blocks satisfies Block[], position, before: before?.version }
}

/**
 * In the place of the one that was there at the moment of building; not of another one. By its version: how often it was built
 * begins anew where one was removed.
 */
async function swap(db: Db, manifest: ManifestDocument, before: ObjectId | undefined): Promise<boolean> {
  const { _id, version } = manifest
  try {
    const options = { upsert: before === undefined, writeConcern: DURABLE }
    const swapped = await manifests(db).replaceOne({ _id, version: before ?? version }, manifest, options)
    return swapped.matchedCount + swapped.upsertedCount === 1
  } catch (error) {
    // There is one already.
    if ((error as { code?: number }).code === 11000) return false
    throw error
  }
}

/**
 * Days of the time zone that the site had before: manifests first, so that who reads one finds all of its columns. Those of
 * who is at work stay, as it is not known whether they will be in a manifest.
 */
export async function removeOverlapping(
  db: Db,
  { site, from, to }: Omit<DayAsked, 'properties' | 'goals'>,
): Promise<void> {
  const at = { $gt: new Date(from - LONGEST_MS), $lt: new Date(to), $ne: new Date(from) }
  const others = await manifests(db)
    .find({ site, at, to: { $gt: new Date(from) } }, { projection: { at: 1, version: 1 } })
    .toArray()
  if (others.length === 0) return
  const [begins, versions] = [others.map(one => one.at), others.map(one => one.version)]
  await manifests(db).deleteMany({ site, at: { $in: begins }, version: { $in: versions } }, { writeConcern: DURABLE })
  await columns(db).deleteMany({ site, at: { $in: begins }, version: { $in: versions } })
}
