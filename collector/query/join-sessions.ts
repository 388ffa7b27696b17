/** Events, each with the attributes and the visit of its session. */
import type { Document } from 'mongodb'
import { NONE } from '../rollup/index.ts'
import type { Ask } from './engine.ts'
import { visitText } from './expressions.ts'
import { type Expression, type Filter, isEventLeaf, type Leaf, leafExpression, leavesOf, toMatch } from './filter.ts'
import { type Dimension, isVisitDimension, type VisitDimension } from './names.ts'

/** What is asked of each event, and what of its session. */
export interface Parts {
  /** filters of events */
  early: Filter[]
  /** of visits, and of both */
  late: Filter[]
  /** of `late` what an event says: looked up before the events are with their sessions */
  kept: Leaf[]
  values: Dimension[]
  hasVisits: boolean
  hasVisitors: boolean
  joins: boolean
}

/**
 * - `union`: sessions of the range come behind the events, and each takes its events together. Several times faster.
 * - `lookup`: each event looks its session up. For where one session has more events than a document takes.
 */
export type Join = 'union' | 'lookup'

/** Its name in `z`: two dimensions may be told by one field. */
const nameOf = (dimension: VisitDimension): string => dimension.slice('visit:'.length)
/** What a joined event has of its session, in `z`. */
const sessionText = (dimension: VisitDimension): Expression => ({ $ifNull: [`$z.${nameOf(dimension)}`, NONE] })

/** Gives each event its session, as `z`, and leaves out what the filters of both leave out. */
export function joinSessions(
  { site, range }: Ask,
  { late, kept, values, hasVisits }: Parts,
  done: (of: Filter) => Document,
  join: Join,
): Document[] {
  const leaf = (of: Leaf): Document => {
    const place = kept.indexOf(of)
    if (place >= 0) return { [`row.f${place}`]: true }
    return { $expr: leafExpression(of, sessionText(of.attribute as VisitDimension)) }
  }
  const toStage = (part: Filter): Document => ({ $match: toMatch(part, leaf, done) })
  const asked = [...values, ...late.flatMap(leavesOf).map(({ attribute }) => attribute)].filter(isVisitDimension)
  const ofSession = (prefix: string): Document => ({
    ...Object.fromEntries(asked.map(name => [nameOf(name), visitText(name, prefix)])),
    ...(hasVisits && Object.fromEntries(['start', 'end', 'views', 'visits'].map(name => [name, prefix + name]))),
  })
  if (join === 'lookup') {
    const key = { $cond: [{ $eq: [{ $type: '$_id' }, 'string'] }, { $concat: [`${site.key}:`, '$_id'] }, null] }
    return [
      { $set: { k: key } },
      // Without a pipeline of its own, which made it take almost twice as long.
      { $lookup: { from: 'sessions', localField: 'k', foreignField: '_id', as: 'z' } },
      { $set: { z: { $first: '$z' } } },
      { $set: { z: ofSession('$z.') } },
      ...late.map(toStage),
    ]
  }
  // A session with an event in the range is in the range with some of itself.
  const span = { site: site.key, end: { $gte: new Date(range.from) }, start: { $lt: new Date(range.to) } }
  const ofVisits = late.filter(part => !leavesOf(part).some(isEventLeaf))
  const id = { $substrBytes: ['$_id', Buffer.byteLength(site.key) + 1, -1] }
  return [
    {
      $unionWith: { coll: 'sessions', pipeline: [{ $match: span }, { $project: { _id: id, z: ofSession('$') } }] },
    },
    { $group: { _id: '$_id', z: { $max: '$z' }, row: { $push: '$row' } } },
    ...ofVisits.map(toStage),
    { $unwind: '$row' },
    ...late.filter(part => !ofVisits.includes(part)).map(toStage),
  ]
}

/** As `sumMatches` takes them: an event by itself, with its visit. */
export function joined({ values, hasVisits }: Parts, keys: string[]): Document {
  const inVisit = { $and: [{ $lte: ['$$one.start', '$row.t'] }, { $gte: ['$$one.end', '$row.t'] }] }
  const visit = {
    $cond: [
      { $isArray: '$z.visits' },
      { $first: { $filter: { input: '$z.visits', as: 'one', cond: inVisit } } },
      { start: null, length: { $subtract: ['$z.end', '$z.start'] }, views: '$z.views' },
    ],
  }
  return {
    _id: {
      ...Object.fromEntries(keys.map(name => [name, `$row.${name}`])),
      ...Object.fromEntries(
        values.flatMap((name, i) => (isVisitDimension(name) ? [[`d${i}`, sessionText(name)]] : [])),
      ),
      s: { $cond: [{ $eq: [{ $type: '$_id' }, 'string'] }, '$_id', null] },
    },
    events: { $literal: 1 },
    pageviews: '$row.p',
    c: '$row.c',
    ...(hasVisits && { z: visit }),
  }
}
