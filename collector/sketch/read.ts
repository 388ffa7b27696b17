/** Reading sketches: which days have them, and those of a dimension. All at the moment of the session's snapshot. */
import type { Abortable, ClientSession, Db, FindOptions } from 'mongodb'
import { readRevisions } from '../settle/index.ts'
import { ALL, fromBinary, type HeadDocument, heads, readSeed, type SketchedField, sketches } from './documents.ts'
import type { Seed } from './hash.ts'
import type { Sketch } from './sketch.ts'
import type { Span } from './visits.ts'

/** A day that has sketches. */
export interface SketchedDay extends Span {
  /** of all its visits */
  total: Sketch
  /** visits of the day that have changed since: each count is off by so many at most */
  pending: number
}

/** Of a day's visits so many may have changed before its sketches are not taken any more. */
const TOLERATED = 0.001

/** Whether a day's sketches still answer, though so many of its visits have changed since. */
export const isTolerated = (pending: number, { visits }: Pick<HeadDocument, 'visits'>): boolean =>
  pending >= 0 && pending <= visits * TOLERATED

type Options = { session: ClientSession } & Pick<FindOptions, 'maxTimeMS' | 'comment'> & Abortable

interface DaysAsked extends Span {
  site: string
  /** the dimension that is going to be read */
  field?: SketchedField | undefined
  /** whether what lies in this time is counted together */
  fits(span: Span): boolean
}

/** Days that lie in this time, in its order, whatever the zone in which they are days. None without a seed. */
export async function readDays(
  db: Db,
  { site, from, to, field, fits }: DaysAsked,
  options: Options,
): Promise<{ days: SketchedDay[]; seed: Seed | undefined }> {
  const seed = await readSeed(db, site, options.session)
  if (!seed) return { days: [], seed }
  const revisions = await readRevisions(db, site, { from, to }, options)
  const at = { $gte: new Date(from), $lt: new Date(to) }
  const found = heads(db).find({ site, dim: ALL, at }, { ...options, sort: { at: 1 }, batchSize: 1_000 })
  const days: SketchedDay[] = []
  for await (const head of found) {
    const span = { from: +head.at, to: +head.to }
    const pending = revisions(span.from, span.to) - head.revision
    const [total] = head.sketches
    if (!total || span.to > to || (field && head.missing.includes(field)) || !fits(span)) continue
    // Days of two zones may overlap. Of fewer revisions than there were, some have expired.
    if (span.from < (days.at(-1)?.to ?? span.from) || !isTolerated(pending, head)) continue
    days.push({ ...span, pending, total: fromBinary(total) })
  }
  return { days, seed }
}

interface ValuesAsked {
  site: string
  field: SketchedField
  days: readonly SketchedDay[]
}

const filterOf = ({ site, field, days }: ValuesAsked) => ({
  site,
  dim: field,
  at: { $in: days.map(({ from }) => new Date(from)) },
})

/** All values of a dimension. */
export async function readNames(db: Db, asked: ValuesAsked, options: Options): Promise<Set<string>> {
  const names = new Set<string>()
  const found = sketches(db).find(filterOf(asked), { ...options, projection: { values: 1 } })
  for await (const { values } of found) for (const value of values) names.add(value)
  return names
}

/** Of these days, each value with its sketch: not to be changed. */
export async function* readValues(
  db: Db,
  asked: ValuesAsked,
  options: Options,
): AsyncGenerator<{ at: number; value: string; sketch: Sketch }> {
  for await (const { at, values, sketches: packed } of sketches(db).find(filterOf(asked), options)) {
    for (const [i, value] of values.entries()) {
      const one = packed[i]
      if (one) yield { at: +at, value, sketch: fromBinary(one) }
    }
  }
}
