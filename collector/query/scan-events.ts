/** Events of the range, added up from the raw record, with the attributes of their sessions where these are asked for. */
import type { Document } from 'mongodb'
import type { Ask } from './engine.ts'
import { bucketOf, eventText, visitText } from './expressions.ts'
import {
  type Expression,
  type Filter,
  isEventLeaf,
  type Leaf,
  leafExpression,
  leavesOf,
  partsOf,
  toMatch,
} from './filter.ts'
import {
  type EventDimension,
  isEventDimension,
  isTimeDimension,
  isVisitDimension,
  type VisitDimension,
} from './names.ts'
import type { Done } from './scan.ts'
import { OF_VISITS, sumMatches } from './sum-matches.ts'

const IS_VIEW = { $cond: [{ $eq: ['$meta.name', 'pageview'] }, 1, 0] }
/** Currencies have an order, so that two of them tell whether there is one. */
const WORTH = {
  revenue: { $sum: '$revenue' },
  paid: { $sum: { $cond: [{ $gt: ['$currency', null] }, 1, 0] } },
  lowest: { $min: '$currency' },
  highest: { $max: '$currency' },
}
/** As settle divides a cookieless visitor's day: two events of one half hour are of one visit. */
const SLOT_MS = 30 * 60_000

function baseMatch({ site, range, bots }: Ask): Document {
  return {
    'meta.site': site.key,
    ts: { $gte: new Date(range.from), $lt: new Date(range.to) },
    ...(bots !== 'all' && { bot: { $exists: bots === 'only' } }),
  }
}

/** Names are what the time-series is divided by: buckets of other names need not be opened. */
function nameMatch(filters: readonly Filter[]): Document[] {
  return filters.flatMap(partsOf).flatMap(part => {
    const isName = part.kind === 'is' && part.attribute === 'event:name' && part.exactCase
    return isName ? [{ 'meta.name': { $in: part.values } }] : []
  })
}

/** All events of the range, in their buckets. */
export function sumsOfEvents(ask: Ask): Document[] {
  const { grid } = ask
  return [
    { $match: baseMatch(ask) },
    {
      $group: {
        _id: grid ? { b: bucketOf('$ts', grid) } : {},
        events: { $sum: 1 },
        pageviews: { $sum: IS_VIEW },
      },
    },
  ]
}

/** @param apart whether events were parted by goal: else it holds where one of their goals fits */
function eventCondition(leaf: Leaf, apart: boolean): Expression {
  const ofGoals = leaf.attribute === 'event:goal' && !apart
  if (!ofGoals) return leafExpression(leaf, eventText(leaf.attribute as EventDimension))
  const $map = { input: { $ifNull: ['$goals', []] }, as: 'goal', in: leafExpression(leaf, '$$goal') }
  return { $anyElementTrue: [{ $map }] }
}

const eventLeaf =
  (apart: boolean) =>
  (leaf: Leaf): Document => ({ $expr: eventCondition(leaf, apart) })

/** The ids of sessions with an event in the range that fits. */
export const doneEvents = (ask: Ask, filter: Filter): Document[] => [
  {
    $match: {
      $and: [
        { ...baseMatch(ask), session: { $exists: true } },
        ...nameMatch([filter]),
        toMatch(filter, eventLeaf(false), () => ({})),
      ],
    },
  },
  { $group: { _id: '$session' } },
]

/**
 * Events that fit, in three steps: by session and visitor; joined with the session, where that is needed; and added up so
 * that each visit and each visitor of a row counts once.
 * @param cookieless whether sessions of the range may be divided into visits
 */
export function matchesPipeline(ask: Ask, done: Done, cookieless: boolean): Document[] {
  const { measures, dimensions, filters, grid, pagesOnly } = ask
  const parts = filters.flatMap(partsOf)
  const early = parts.filter(part => leavesOf(part).every(isEventLeaf))
  const late = parts.filter(part => !early.includes(part))
  const values = dimensions.filter(name => !isTimeDimension(name))
  const hasVisits = measures.some(measure => OF_VISITS.includes(measure))
  const hasVisitors = measures.includes('visitors')
  const needsVisit = measures.some(measure => measure !== 'visits' && OF_VISITS.includes(measure))
  const joins = late.length > 0 || values.some(isVisitDimension) || needsVisit || (hasVisits && cookieless)

  const doneMatch = (field: string) => (of: Filter) => ({ [field]: { $in: done.get(of) ?? [] } })
  const apart = dimensions.includes('event:goal')
  const first = [baseMatch(ask), ...nameMatch(early), ...(apart ? [{ goals: { $exists: true } }] : [])]
  const conditions = early.map(part => toMatch(part, eventLeaf(apart), doneMatch('session')))
  const match = apart
    ? [{ $match: { $and: first } }, { $unwind: '$goals' }, { $match: { $and: [{}, ...conditions] } }]
    : [{ $match: { $and: [...first, ...conditions] } }]
  // Of parts that ask both event and session, what the event says is kept for after the join.
  const kept = late.flatMap(leavesOf).filter(isEventLeaf)
  const eventKey: Document = {
    ...Object.fromEntries(values.flatMap((name, i) => (isEventDimension(name) ? [[`d${i}`, eventText(name)]] : []))),
    ...(grid && { b: bucketOf('$ts', grid) }),
  }
  const counted = pagesOnly ? IS_VIEW : { $literal: 1 }
  const sums = { events: { $sum: 1 }, pageviews: { $sum: IS_VIEW }, ...(measures.includes('revenue') && WORTH) }
  const rowsOfPages = pagesOnly ? [{ $match: { pageviews: { $gt: 0 } } }] : []
  if (!hasVisits && !hasVisitors && !joins) return [...match, { $group: { _id: eventKey, ...sums } }, ...rowsOfPages]

  const byVisitor = hasVisitors ? { v: { $ifNull: ['$visitor', '$session', null] } } : {}
  const byLeaf = Object.fromEntries(kept.map((leaf, i) => [`f${i}`, eventCondition(leaf, apart)]))
  const bySession = hasVisits || joins
  const slot = { $cond: [{ $eq: ['$consent', 'l'] }, { $floor: { $divide: [{ $toLong: '$ts' }, SLOT_MS] } }, 0] }
  const rowKey = Object.fromEntries([...values.map((_, i) => [`d${i}`, 0]), ...(grid ? [['b', 0]] : [])])
  const sessionKey = { s: { $ifNull: ['$session', null] }, ...(cookieless && { l: slot }) }
  return [
    ...match,
    {
      $group: {
        _id: { ...eventKey, ...byLeaf, ...byVisitor, ...(bySession && sessionKey) },
        ...sums,
        c: { $max: counted },
        t: { $min: '$ts' },
      },
    },
    ...(joins ? joinStages(ask, values, late, kept, doneMatch('_id.s')) : []),
    ...sumMatches({ ask, rowKey, joins, hasVisits, hasVisitors }),
    ...rowsOfPages,
  ]
}

/** Adds to a group its session's attributes and its visit, and leaves out what the filters of both leave out. */
function joinStages(
  { site }: Ask,
  values: readonly string[],
  late: Filter[],
  kept: Leaf[],
  done: (of: Filter) => Document,
): Document[] {
  const leaf = (of: Leaf): Document => {
    const place = kept.indexOf(of)
    if (place >= 0) return { [`_id.f${place}`]: true }
    return { $expr: leafExpression(of, visitText(of.attribute as VisitDimension, '$z.')) }
  }
  const inVisit = { $and: [{ $lte: ['$$one.start', '$t'] }, { $gte: ['$$one.end', '$t'] }] }
  return [
    { $set: { k: { $concat: [`${site.key}:`, '$_id.s'] } } },
    // Without a pipeline of its own, which made it take almost twice as long.
    { $lookup: { from: 'sessions', localField: 'k', foreignField: '_id', as: 'z' } },
    { $set: { z: { $first: '$z' } } },
    ...late.map(part => ({ $match: toMatch(part, leaf, done) })),
    {
      $set: {
        ...Object.fromEntries(
          values.flatMap((name, i) => (isVisitDimension(name) ? [[`_id.d${i}`, visitText(name, '$z.')]] : [])),
        ),
        z: {
          $cond: [
            { $isArray: '$z.visits' },
            { $first: { $filter: { input: '$z.visits', as: 'one', cond: inVisit } } },
            { start: null, length: { $subtract: ['$z.end', '$z.start'] }, views: '$z.views' },
          ],
        },
      },
    },
  ]
}
