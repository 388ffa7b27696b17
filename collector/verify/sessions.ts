/** Sessions: each is what its events say. Finds `session-missing` and `session-wrong`. */
import type { Document } from 'mongodb'
import type { RawEvent, Session } from '../settle/index.ts'
import { inGroups } from './groups.ts'
import { type Fault, type Found, hourOf } from './kinds.ts'
import { mendSession } from './mend-sessions.ts'
import { type Recounted, recount } from './recount.ts'
import { atOneMoment, LATE_MS, type Scope } from './scope.ts'

/** Sessions recounted together. */
const TOGETHER = 2_000

/** A session that differs from a first, quick count; `from` is its first event or start. */
interface Suspect {
  _id: string
  from: Date
}

export async function* checkSessions(scope: Scope, site: string): AsyncGenerator<Fault> {
  for await (const suspects of inGroups(findSuspects(scope, site), TOGETHER)) yield* await judge(scope, site, suspects)
}

const isView = { $eq: ['$meta.name', 'pageview'] }
const place = { ts: '$ts', path: '$path' }
const differs = (field: string, by: Document | string) => ({ $ne: [by, `$stored.${field}`] })

/** Counted by the server, which may use its disk. What is open and what is known to be wrong is left to `judge`. */
const findSuspects = ({ db }: Scope, site: string) =>
  db.collection<RawEvent>('events').aggregate<Suspect>(
    [
      { $match: { 'meta.site': site, session: { $type: 'string' } } },
      {
        $project: {
          _id: 0,
          key: { $concat: [`${site}:`, '$session'] },
          ts: 1,
          n: { $literal: 1 },
          view: { $cond: [isView, place, null] },
          views: { $cond: [isView, 1, 0] },
          any: place,
        },
      },
      {
        $unionWith: {
          coll: 'sessions',
          pipeline: [
            { $match: { site } },
            { $unset: 'steps' },
            { $project: { _id: 0, key: '$_id', stored: '$$ROOT' } },
          ],
        },
      },
      {
        $group: {
          _id: '$key',
          stored: { $max: '$stored' },
          start: { $min: '$ts' },
          end: { $max: '$ts' },
          events: { $sum: '$n' },
          views: { $sum: '$views' },
          firstView: { $min: '$view' },
          lastView: { $max: '$view' },
          first: { $min: '$any' },
          last: { $max: '$any' },
        },
      },
      {
        $match: {
          $expr: {
            $or: [
              ...['start', 'end', 'events', 'views'].map(field => differs(field, `$${field}`)),
              differs('entry', { $ifNull: ['$firstView.path', '$first.path'] }),
              differs('exit', { $ifNull: ['$lastView.path', '$last.path'] }),
              // Visits are not counted here: each day of a cookieless visitor is recounted.
              { $isArray: '$stored.visits' },
            ],
          },
        },
      },
      { $project: { from: { $min: ['$start', '$stored.start'] } } },
    ],
    { allowDiskUse: true, readConcern: { level: 'majority' } },
  )

const judge = (scope: Scope, site: string, suspects: Suspect[]): Promise<Fault[]> =>
  atOneMoment(scope, site, async moment => {
    const ids = suspects.map(({ _id }) => _id)
    const from = Math.min(...suspects.map(({ from }) => +from)) - LATE_MS
    const recounted = await recount(scope, { site, ids, from }, moment)
    const stored = new Map<string, Session>()
    const there = scope.db
      .collection<Session>('sessions')
      .find({ _id: { $in: ids } }, { session: moment.session, projection: { steps: 0 } })
    for await (const one of there) stored.set(one._id, one)
    return ids.flatMap(id => faultOf(scope, site, id, from, stored.get(id), recounted.get(id)) ?? [])
  })

const FIELDS = ['start', 'end', 'views', 'events', 'entry', 'exit', 'visits'] as const

function faultOf(
  scope: Scope,
  site: string,
  id: string,
  from: number,
  stored: Session | undefined,
  recounted: Recounted | undefined,
): Fault | undefined {
  const { truth } = scope
  const should = recounted?.session
  if (!stored && !should) return undefined
  const wrong = FIELDS.filter(field => !isSame(field, stored, recounted))
  if (wrong.length === 0) return undefined
  const pick = (one: Session | undefined) => one && Object.fromEntries(wrong.map(field => [field, one[field]]))
  const may = truth.gone.has(site) && (stored?.events ?? 0) > (should?.events ?? 0)
  const found: Found = {
    kind: stored ? 'session-wrong' : 'session-missing',
    site,
    hour: hourOf((should ?? stored)?.start ?? 0),
    id,
    ...(should && { expected: pick(should) }),
    ...(stored && { actual: pick(stored) }),
    repairable: !may,
    ...(may && { why: 'it has more events than the raw record, of which some are lost: it may be right' }),
  }
  if (may) return { found }
  const mend = () => mendSession(scope, { kind: found.kind, site, id, from })
  return { found, mend, stays: () => void truth.sessions.set(id, should) }
}

/** Events of one ms have no order: each of them may be the entry, and the exit. */
function isSame(
  field: (typeof FIELDS)[number],
  stored: Session | undefined,
  recounted: Recounted | undefined,
): boolean {
  if (!stored || !recounted) return false
  if (field === 'entry') return recounted.entries.has(stored.entry)
  if (field === 'exit') return recounted.exits.has(stored.exit)
  if (field === 'visits') return JSON.stringify(stored.visits) === JSON.stringify(recounted.session.visits)
  return +stored[field] === +recounted.session[field]
}
