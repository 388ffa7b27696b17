/** The last step of a scan of events: groups of a row, a session, a visit and a visitor, added up to rows. */
import type { Document } from 'mongodb'
import type { Ask, Measure } from './engine.ts'
import { addUp, again } from './scan-visits.ts'

/** Measures for which it matters which visit an event is of. */
export const OF_VISITS: readonly Measure[] = ['visits', 'views', 'bounces', 'duration']

/** Of groups that have it already. */
const WORTH = {
  ...addUp(['revenue', 'paid']),
  lowest: { $min: '$lowest' },
  highest: { $max: '$highest' },
}

interface Sum {
  ask: Ask
  /** names of what a row is keyed by */
  rowKey: Document
  joins: boolean
  hasVisits: boolean
  hasVisitors: boolean
}

/**
 * Groups are of one row, session, visit and visitor. A session may have had more than one visitor, so its visit is counted
 * with the first of them, and each visitor by itself.
 */
export function sumMatches({ ask, rowKey, joins, hasVisits, hasVisitors }: Sum): Document[] {
  const row = again(rowKey)
  const isVisit = { $and: [{ $eq: ['$i', 1] }, { $eq: ['$c', 1] }, { $ne: ['$_id.s', null] }] }
  const once = (value: unknown) => ({ $sum: { $cond: [isVisit, value, 0] } })
  const visit: Document = {
    visits: once(1),
    views: once('$views'),
    bounces: once({ $cond: [{ $in: ['$views', [0, 1]] }, 1, 0] }),
    duration: once('$length'),
  }
  const sums = addUp(ask.measures.filter(measure => measure === 'events' || measure === 'pageviews'))
  const asked = ask.measures.filter(measure => OF_VISITS.includes(measure))
  const ofVisits = Object.fromEntries(asked.map(measure => [measure, visit[measure]]))
  const pages = { pageviews: { $sum: '$pageviews' }, ...(ask.measures.includes('revenue') && WORTH) }
  const visitKey = { ...row, s: '$_id.s', k: '$z.start' }
  const stages: Document[] = []
  if (hasVisits) {
    stages.push({
      $group: {
        _id: { ...visitKey, ...(hasVisitors && { v: '$_id.v' }) },
        ...addUp(['events', 'pageviews']),
        ...pages,
        c: { $max: '$c' },
        ...(joins && { views: { $first: '$z.views' }, length: { $first: lengthOf } }),
      },
    })
    if (hasVisitors) {
      stages.push({
        $setWindowFields: {
          partitionBy: { ...again(rowKey), s: '$_id.s', k: '$_id.k' },
          sortBy: { c: -1 },
          output: { i: { $documentNumber: {} } },
        },
      })
    } else stages.push({ $set: { i: 1 } })
  }
  if (!hasVisitors) return [...stages, { $group: { _id: row, ...sums, ...pages, ...ofVisits } }]
  return [
    ...stages,
    { $group: { _id: { ...row, v: '$_id.v' }, ...sums, ...pages, ...ofVisits, c: { $max: '$c' } } },
    {
      $group: {
        _id: row,
        visitors: { $sum: { $cond: [{ $and: [{ $eq: ['$c', 1] }, { $ne: ['$_id.v', null] }] }, 1, 0] } },
        ...sums,
        ...pages,
        ...addUp(asked),
      },
    },
  ]
}

const lengthOf = { $ifNull: ['$z.length', { $subtract: ['$z.end', '$z.start'] }] }
