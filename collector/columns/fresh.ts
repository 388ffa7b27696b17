/** Whether blocks still hold: nothing of what they were made of has changed since. */
import type { ClientSession, Db, FindOptions } from 'mongodb'
import { fewUnfolded, isStale, readTouches } from '../rollup/index.ts'
import { readChanges, readRevisions } from '../settle/index.ts'
import { type Goal, marksOf } from '../sites/index.ts'
import { readSeed } from '../sketch/index.ts'
import { LAYOUT, type ManifestDocument, manifests, markOf } from './documents.ts'
import type { Span } from './read-raw.ts'

/** More than the longest day, ms. */
const LONGEST_MS = 50 * 3_600_000

type Options = Pick<FindOptions, 'projection'> & {
  session?: ClientSession
  maxTimeMS?: number
  comment?: unknown
  signal?: AbortSignal | undefined
}

/** All that overlap with a time, in the order of time, whether they hold or not. */
export const readManifests = async (db: Db, site: string, { from, to }: Span, options: Options) =>
  await manifests(db)
    .find({ site, at: { $gt: new Date(from - LONGEST_MS), $lt: new Date(to) }, to: { $gt: new Date(from) } }, options)
    .sort({ at: 1 })
    .toArray()

/** Whether its events have these goals of the site, and no others that would have to be added: those that they carry they have. */
export function hasGoals({ at, goals = [] }: ManifestDocument, asked: readonly Goal[] | undefined): boolean {
  const marks = marksOf(asked, +at)
  return marks.length === goals.length && marks.every((mark, i) => mark === goals[i])
}

export type Holds = (manifest: ManifestDocument) => boolean

/**
 * Finds out which of these hold. A reader asks at one moment, so that what is settled is either folded, and in a touch, or a
 * page that is not folded yet.
 * @returns for each whether it does
 */
export async function readHolds(
  db: Db,
  site: string,
  asked: readonly ManifestDocument[],
  options: Options & { session: ClientSession },
): Promise<Holds> {
  if (asked.length === 0) return () => false
  const from = Math.min(...asked.map(({ since }) => +since))
  const to = Math.max(...asked.map(one => +one.to))
  const [touches, revisions, changes, seed, unfolded] = await Promise.all([
    readTouches(db, { site, from, to }, options),
    readRevisions(db, site, { from, to }, options),
    readChanges(db, options.session),
    readSeed(db, site, options.session),
    // Also of the hour in which the first session begins.
    fewUnfolded(db, { site, from: from - HOUR_MS, to }, options),
  ])
  const mark = seed && markOf(seed)
  return manifest => {
    const span = { from: +manifest.since, to: +manifest.to }
    if (manifest.layout !== LAYOUT || manifest.changes !== changes || isStale(manifest, span, touches)) return false
    const { visits, events } = revisions(span.from, span.to)
    const { revision } = manifest
    if (manifest.seed !== mark || revision.visits !== visits || revision.events !== events) return false
    // Where folding lags that much nothing is known of it.
    return (unfolded ?? [undefined]).every(page => {
      if (!page) return false
      const { lane, settled = 0, hours = [] } = page
      if (settled <= (manifest.upto[lane] ?? 0)) return true
      return !hours.some(hour => hour.site === site && hour.at < span.to && hour.at + HOUR_MS > span.from)
    })
  }
}

/** More than the longest hour: what begins so long before may reach into it. */
const HOUR_MS = 2 * 3_600_000
