/** Reading sketches: which days and weeks have them, and those of a dimension. All at the moment of the session's snapshot. */
import type { Abortable, ClientSession, Db, FindOptions, ObjectId } from 'mongodb'
import { type Revision, readRevisions } from '../settle/index.ts'
import { once } from '../store/index.ts'
import {
  ALL,
  bytesOf,
  type ChunkDocument,
  chunkDim,
  type HeadDocument,
  headId,
  heads,
  isOf,
  isOfEvents,
  readSeed,
  type SketchedField,
  type SketchedGrain,
  sketches,
  type Told,
  type Total,
  totalOf,
  WEEK,
  weekId,
  weeks,
} from './documents.ts'
import type { Seed } from './hash.ts'
import type { Span } from './visits.ts'

/** A day or week that has sketches. */
export interface SketchedSpan extends Span {
  grain: SketchedGrain
  /** of its sketches by value */
  version: ObjectId
  /** which names these */
  name: string
  /** visits or events of it that have changed since: each count is off by so many at most */
  pending: number
}

/** A week is made of no fewer. */
const LEAST_DAYS = 7
/** Of a day's visits, or of its events, so many may have changed before its sketches are not taken any more. */
const TOLERATED = 0.001

/** What was counted for the sketches of a head, and how much of that has changed since. */
interface Changed {
  counted: number
  pending: number
}

type Changeable = Pick<HeadDocument, 'revision' | 'visits'> & {
  events?: Pick<NonNullable<HeadDocument['events']>, 'revision' | 'counted'>
}
/** What of a head {@link changedSince} asks for. */
export const CHANGEABLE = { revision: 1, visits: 1, 'events.revision': 1, 'events.counted': 1 } as const

/** @returns `undefined` where the head has none of this */
export function changedSince(head: Changeable, { visits, events }: Revision, told: Told): Changed | undefined {
  if (!isOfEvents(told)) return { counted: head.visits, pending: visits - head.revision }
  return head.events && { counted: head.events.counted, pending: events - head.events.revision }
}

/** Whether sketches still answer. Of fewer revisions than there were, some have expired. */
export const isTolerated = ({ counted, pending }: Changed): boolean => pending >= 0 && pending <= counted * TOLERATED

export type Options = { session: ClientSession } & Pick<FindOptions, 'maxTimeMS' | 'comment'> & Abortable

interface SpansAsked extends Span {
  site: string
  /** what is going to be read */
  told: Told
  /** whether what lies in this time is counted together */
  fits(span: Span): boolean
}

/**
 * Days that lie in this time, in its order, whatever the zone in which they are days, and in their place weeks that are made
 * of them. None without a seed.
 */
export async function readSpans(
  db: Db,
  { site, from, to, told, fits }: SpansAsked,
  options: Options,
): Promise<{ spans: SketchedSpan[]; seed: Seed | undefined }> {
  const seed = await readSeed(db, site, options.session)
  if (!seed) return { spans: [], seed }
  const revisions = await once(options, `revisions ${site} ${from} ${to}`, shared =>
    readRevisions(db, site, { from, to }, shared),
  )
  const at = { $gte: new Date(from), $lt: new Date(to) }
  const projection = { at: 1, to: 1, version: 1, missing: 1, ...CHANGEABLE }
  const found = await once(options, `heads ${site} ${from} ${to}`, shared =>
    heads(db)
      .find({ site, dim: ALL, at }, { ...shared, projection, sort: { at: 1 }, batchSize: 1_000 })
      .toArray(),
  )
  const days: SketchedSpan[] = []
  for (const head of found) {
    const span = { from: +head.at, to: +head.to }
    const changed = changedSince(head, revisions(span.from, span.to), told)
    if (span.to > to || (head.missing as Told[]).includes(told) || !fits(span)) continue
    // Days of two zones may overlap.
    if (span.from < (days.at(-1)?.to ?? span.from) || !changed || !isTolerated(changed)) continue
    days.push({ ...span, grain: 'day', version: head.version, name: nameOf(head), pending: changed.pending })
  }
  return { spans: await withWeeks(db, days, { site, from, to, told, fits }, options), seed }
}

/** Asked for by each of a dashboard's questions. */
const names = new WeakMap<object, string>()
function nameOf(head: Pick<HeadDocument, 'version'>): string {
  const name = names.get(head) ?? head.version.toHexString()
  names.set(head, name)
  return name
}

/** Weeks instead of days, where all of these hold and are those that the week was made of. */
async function withWeeks(
  db: Db,
  days: SketchedSpan[],
  { site, from, to, told, fits }: SpansAsked,
  options: Options,
): Promise<SketchedSpan[]> {
  if (days.length < LEAST_DAYS) return days
  const at = { $gte: new Date(from), $lt: new Date(to) }
  const projection = { at: 1, to: 1, version: 1, of: 1, missing: 1 }
  const found = await once(options, `weeks ${site} ${from} ${to}`, shared =>
    weeks(db)
      .find({ site, dim: WEEK, at }, { ...shared, projection, sort: { at: 1 } })
      .toArray(),
  )
  const spans = [...days]
  for (const week of found) {
    const span = { from: +week.at, to: +week.to }
    const first = spans.findIndex(day => day.from === span.from)
    const own = spans.slice(first, first + week.of.length)
    if (first < 0 || own.at(-1)?.to !== span.to || !isOf(week.of, own)) continue
    if ((week.missing as Told[]).includes(told) || !fits(span)) continue
    const pending = own.reduce((sum, day) => sum + day.pending, 0)
    spans.splice(first, own.length, { ...span, grain: 'week', version: week.version, name: nameOf(week), pending })
  }
  return spans
}

const TOTALS: Record<Total, string> = { visits: 'sketches', events: 'events.all', views: 'events.views' }

/** What names the sketches of a day or week. */
export type Sketched = Pick<SketchedSpan, 'grain' | 'from' | 'version' | 'name'>

/** Of these days and weeks, the sketch of all visits, events or page views, packed. */
export async function* readTotals(
  db: Db,
  { site, told, spans }: { site: string; told: Total; spans: readonly Sketched[] },
  options: Options,
): AsyncGenerator<{ version: ObjectId; packed: Uint8Array }> {
  const idsOf = (grain: SketchedGrain, idOf: typeof headId): string[] =>
    spans.filter(span => span.grain === grain).map(({ from }) => idOf(site, from))
  const days = idsOf('day', headId)
  if (days.length > 0) {
    const filter = { _id: { $in: days }, dim: ALL } as const
    for await (const head of heads(db).find(filter, { ...options, projection: { version: 1, [TOTALS[told]]: 1 } })) {
      const total = totalOf(head, told)
      if (total) yield { version: head.version, packed: bytesOf(total) }
    }
  }
  const of = idsOf('week', weekId)
  if (of.length === 0) return
  const projection = { version: 1, [`totals.${told}`]: 1 }
  for await (const { version, totals } of weeks(db).find({ _id: { $in: of }, dim: WEEK }, { ...options, projection }))
    yield { version, packed: bytesOf(totals[told]) }
}

/** Values that the database is asked for by name. */
const MOST_ASKED = 1_000

export interface ValuesAsked {
  site: string
  field: SketchedField
  spans: readonly Omit<Sketched, 'name'>[]
  /** only these are wanted; all if absent */
  wanted?: ReadonlySet<string> | undefined
}

const filterOf = ({ site, field, spans, wanted }: ValuesAsked) => ({
  site,
  dim: { $in: [...new Set(spans.map(({ grain }) => chunkDim(grain, field)))] },
  at: { $in: spans.map(({ from }) => new Date(from)) },
  // Those of who has ended in the middle, or is at work, are of another; so are those of the first day of a week.
  version: { $in: spans.map(({ version }) => version) },
  // Of many almost every document has some, and a message takes 16 MB.
  ...(wanted && wanted.size <= MOST_ASKED && { values: { $in: [...wanted] } }),
})

/** All values of a dimension, or some more than so many. */
export async function readNames(db: Db, asked: ValuesAsked, most: number, options: Options): Promise<Set<string>> {
  const names = new Set<string>()
  const found = sketches(db).find(filterOf(asked), { ...options, projection: { values: 1 } })
  for await (const { values } of found) {
    for (const value of values) names.add(value)
    if (names.size > most) break
  }
  return names
}

/** Of these days and weeks, each wanted value with its sketch, packed. */
export async function* readValues(
  db: Db,
  asked: ValuesAsked,
  options: Options,
): AsyncGenerator<{ at: number; value: string; packed: Uint8Array }> {
  for await (const { at, values, sketches: packed } of readChunks(db, asked, options)) {
    for (const [i, value] of values.entries()) {
      const one = packed[i]
      if (one && (!asked.wanted || asked.wanted.has(value))) yield { at: +at, value, packed: bytesOf(one) }
    }
  }
}

/** Of these days and weeks, the chunks that hold some wanted value. */
export const readChunks = (db: Db, asked: ValuesAsked, options: Options): AsyncIterable<ChunkDocument> =>
  sketches(db).find(filterOf(asked), options)
