/** Sessions: each is what its events say. Finds `session-missing` and `session-wrong`. */
import type { Document } from 'mongodb'
import { ATTRIBUTES, type Attribute, type JournalEvent, SCREENS } from '../journal/index.ts'
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

const COUNTS = ['start', 'end', 'views', 'events', 'engaged', 'goals'] as const
const isView = { $eq: ['$meta.name', 'pageview'] }
const ATTRIBUTE_NAMES = Object.keys(ATTRIBUTES) as Attribute[]
/** What a session has of its first event, beside the path. */
const BEGUN = ['host', 'bot', ...ATTRIBUTE_NAMES] as const
/** As `screenOf` says it. */
const screen = SCREENS.reduceRight<Document | string>(
  (wider, [name, bound]) => (Number.isFinite(bound) ? { $cond: [{ $lt: ['$width', bound] }, name, wider] } : name),
  '',
)
/** Empty is as if absent. */
const unlessEmpty = (field: string) => ({ $cond: [{ $eq: [`$${field}`, ''] }, '$$REMOVE', `$${field}`] })
const last = { ts: '$ts', path: '$path' }
const first = {
  ...last,
  host: '$host',
  bot: '$bot',
  ...Object.fromEntries(ATTRIBUTE_NAMES.map(name => [name, unlessEmpty(name)])),
  screen: { $cond: [{ $gt: ['$width', 0] }, screen, '$$REMOVE'] },
}
/** As settle counts it. */
const engaged = {
  $cond: [
    { $and: [{ $eq: ['$meta.name', 'engagement'] }, { $gt: ['$props.ms', 0] }, { $lte: ['$props.ms', 86_400_000] }] },
    { $floor: { $add: ['$props.ms', 0.5] } },
    0,
  ],
}
const goals = { $size: { $ifNull: ['$goals', []] } }
const differs = (field: string, by: Document | string) => ({ $ne: [by, `$stored.${field}`] })

const storedValue = (field: string) =>
  field === 'host' || field === 'bot' ? `$stored.${field}` : unlessEmpty(`stored.${field}`)

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
          firstView: { $cond: [isView, first, null] },
          lastView: { $cond: [isView, last, null] },
          views: { $cond: [isView, 1, 0] },
          first,
          last,
          engaged,
          goals,
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
          firstView: { $min: '$firstView' },
          lastView: { $max: '$lastView' },
          first: { $min: '$first' },
          last: { $max: '$last' },
          engaged: { $sum: '$engaged' },
          goals: { $sum: '$goals' },
        },
      },
      {
        $match: {
          $expr: {
            $or: [
              ...COUNTS.map(field => differs(field, `$${field}`)),
              differs('entry', { $ifNull: ['$firstView.path', '$first.path'] }),
              differs('exit', { $ifNull: ['$lastView.path', '$last.path'] }),
              ...BEGUN.map(field => ({
                $ne: [{ $cond: ['$firstView', `$firstView.${field}`, `$first.${field}`] }, storedValue(field)],
              })),
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

const FIELDS = [...COUNTS, 'entry', ...BEGUN, 'exit', 'visits'] as const

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

/** Events of one ms have no order: each of them may be the first, and the last. */
function isSame(
  field: (typeof FIELDS)[number],
  stored: Session | undefined,
  recounted: Recounted | undefined,
): boolean {
  if (!stored || !recounted) return false
  const { session, firsts, lasts } = recounted
  if (field === 'exit') return lasts.some(({ path }) => path === stored.exit)
  if (field === 'visits') return partsOf(stored) === partsOf(session)
  if (isCount(field)) return +stored[field] === +session[field]
  return stored[field] === session[field] || firsts.some(event => isBegunBy(stored, event))
}

/** A visit's fields come in the order in which it got them. */
const partsOf = ({ visits }: Session): string | undefined =>
  visits &&
  JSON.stringify(
    visits.map(({ start, end, views, events, engaged = 0, goals = 0 }) => [start, end, views, events, engaged, goals]),
  )

const isCount = (field: string): field is (typeof COUNTS)[number] => (COUNTS as readonly string[]).includes(field)

const isBegunBy = (stored: Session, event: JournalEvent): boolean =>
  stored.entry === event.path &&
  stored.host === event.host &&
  stored.bot === event.bot &&
  ATTRIBUTE_NAMES.every(name => (stored[name] || undefined) === (ATTRIBUTES[name](event) || undefined))
