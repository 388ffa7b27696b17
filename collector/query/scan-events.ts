/** Events of the range, added up from the raw record, with the attributes of their sessions where these are asked for. */
import type { Document } from 'mongodb'
import { eventOf, type Goal, uncarried } from '../sites/index.ts'
import type { Ask } from './engine.ts'
import { bucketOf, eventText } from './expressions.ts'
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
import { goalStages } from './goal-expressions.ts'
import { type Join, joined, joinSessions, type Parts } from './join-sessions.ts'
import { type EventDimension, isEventDimension, isTimeDimension, isVisitDimension } from './names.ts'
import type { Done } from './scan.ts'
import { OF_VISITS, sumMatches } from './sum-matches.ts'

const IS_VIEW = { $cond: [{ $eq: ['$meta.name', 'pageview'] }, 1, 0] }
const IS_PAID = { $cond: [{ $gt: ['$currency', null] }, 1, 0] }
/** Currencies have an order, so that two of them tell whether there is one. */
const WORTH = {
  revenue: { $sum: '$revenue' },
  paid: { $sum: IS_PAID },
  lowest: { $min: '$currency' },
  highest: { $max: '$currency' },
}

/** The same of an event that was joined with its session. */
const WORTH_OF_ONE = { revenue: '$row.revenue', paid: '$row.paid', lowest: '$row.currency', highest: '$row.currency' }

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

const isOfGoals = (filter: Filter): boolean => leavesOf(filter).some(({ attribute }) => attribute === 'event:goal')

/** Goals that events of the range may not carry, where a question depends on them. */
const goalsToAdd = ({ site, range }: Ask, isAsked: boolean): Goal[] =>
  isAsked ? uncarried(site.goals, range.from) : []

/** Events that carry a goal, or that may meet one of these. */
const mayMeet = (goals: readonly Goal[]): Document => {
  const carried = { goals: { $exists: true } }
  return goals.length === 0 ? carried : { $or: [carried, { 'meta.name': { $in: goals.map(eventOf) } }] }
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

const CARRIED: Expression = { $ifNull: ['$goals', []] }

/** @param apart whether events were parted by goal: else it holds where one of their goals fits */
function eventCondition(leaf: Leaf, apart: boolean, goals = CARRIED): Expression {
  const ofGoals = leaf.attribute === 'event:goal' && !apart
  if (!ofGoals) return leafExpression(leaf, eventText(leaf.attribute as EventDimension))
  const $map = { input: goals, as: 'goal', in: leafExpression(leaf, '$$goal') }
  return { $anyElementTrue: [{ $map }] }
}

/** The condition of a leaf. @param goals of an event; those that it carries if absent */
export const eventLeaf =
  (apart: boolean, goals?: Expression) =>
  (leaf: Leaf): Document => ({ $expr: eventCondition(leaf, apart, goals) })

/** The ids of sessions with an event in the range that fits. */
export function doneEvents(ask: Ask, filter: Filter): Document[] {
  const first = [{ ...baseMatch(ask), session: { $exists: true } }, ...nameMatch([filter])]
  const condition = toMatch(filter, eventLeaf(false), () => ({}))
  const added = goalStages(goalsToAdd(ask, isOfGoals(filter)))
  return [...matchAround(first, added, [condition]), { $group: { _id: '$session' } }]
}

/** What holds of events as they are stored, and then what holds after these stages: at once where there are none. */
const matchAround = (first: Document[], stages: Document[], then: Document[]): Document[] =>
  stages.length === 0
    ? [{ $match: { $and: [...first, ...then] } }]
    : [{ $match: { $and: first } }, ...stages, { $match: { $and: [{}, ...then] } }]

function partsOfAsk({ measures, dimensions, filters }: Ask, cookieless: boolean): Parts {
  const parts = filters.flatMap(partsOf)
  const early = parts.filter(part => leavesOf(part).every(isEventLeaf))
  const late = parts.filter(part => !early.includes(part))
  const values = dimensions.filter(name => !isTimeDimension(name))
  const hasVisits = measures.some(measure => OF_VISITS.includes(measure))
  const needsVisit = measures.some(measure => measure !== 'visits' && OF_VISITS.includes(measure))
  return {
    early,
    late,
    kept: late.flatMap(leavesOf).filter(isEventLeaf),
    values,
    hasVisits,
    hasVisitors: measures.includes('visitors'),
    joins: late.length > 0 || values.some(isVisitDimension) || needsVisit || (hasVisits && cookieless),
  }
}

/**
 * Events that fit: joined with their sessions where that is needed, and added up so that each visit and each visitor of a
 * row counts once.
 * @param cookieless whether sessions of the range may be divided into visits
 * @param join how, where it is needed
 */
export function matchesPipeline(ask: Ask, done: Done, cookieless: boolean, join: Join): Document[] {
  const { dimensions, grid, measures, filters, pagesOnly } = ask
  const parts = partsOfAsk(ask, cookieless)
  const { early, values, hasVisits, hasVisitors, joins, kept } = parts
  const doneMatch = (field: string) => (of: Filter) => ({ [field]: { $in: done.get(of) ?? [] } })
  const apart = dimensions.includes('event:goal')
  const toAdd = goalsToAdd(ask, apart || filters.some(isOfGoals) || measures.includes('revenue'))
  const added = [...goalStages(toAdd), ...(apart ? [{ $unwind: '$goals' }] : [])]
  const first = [baseMatch(ask), ...nameMatch(early), ...(apart ? [mayMeet(toAdd)] : [])]
  const conditions = early.map(part => toMatch(part, eventLeaf(apart), doneMatch('session')))
  const match = matchAround(first, added, conditions)
  const eventKey: Document = {
    ...Object.fromEntries(values.flatMap((name, i) => (isEventDimension(name) ? [[`d${i}`, eventText(name)]] : []))),
    ...(grid && { b: bucketOf('$ts', grid) }),
    ...(hasVisitors && { v: { $ifNull: ['$visitor', '$session', null] } }),
  }
  const counted = pagesOnly ? IS_VIEW : { $literal: 1 }
  const asksWorth = measures.includes('revenue')
  const sums = { events: { $sum: 1 }, pageviews: { $sum: IS_VIEW }, ...(asksWorth && WORTH) }
  const rowsOfPages = pagesOnly ? [{ $match: { pageviews: { $gt: 0 } } }] : []
  if (!hasVisits && !hasVisitors && !joins) return [...match, { $group: { _id: eventKey, ...sums } }, ...rowsOfPages]

  const rowKey = Object.fromEntries([...values.map((_, i) => [`d${i}`, 0]), ...(grid ? [['b', 0]] : [])])
  const last = [...sumMatches({ ask, rowKey, joins, hasVisits, hasVisitors }), ...rowsOfPages]
  if (!joins) {
    const _id = { ...eventKey, ...(hasVisits && { s: { $ifNull: ['$session', null] } }) }
    return [...match, { $group: { _id, ...sums, c: { $max: counted } } }, ...last]
  }
  const worth = { revenue: '$revenue', paid: IS_PAID, currency: '$currency' }
  const leaves = kept.map((leaf, i) => [`f${i}`, eventCondition(leaf, apart)])
  const row = { ...eventKey, ...Object.fromEntries(leaves), p: IS_VIEW, c: counted, t: '$ts', ...(asksWorth && worth) }
  return [
    ...match,
    // What has no session is by itself: all of it would be too much for one.
    { $project: { _id: { $ifNull: ['$session', '$ts'] }, row } },
    ...joinSessions(ask, parts, doneMatch('_id'), join),
    { $project: { ...joined(parts, Object.keys(eventKey)), ...(asksWorth && WORTH_OF_ONE) } },
    ...last,
  ]
}
