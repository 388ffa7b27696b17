/** Visits that start in the range, added up from sessions: each of a cookieless day's visits by itself. */
import type { Document } from 'mongodb'
import { beginningIn } from '../settle/index.ts'
import type { Ask } from './engine.ts'
import { bucketOf, visitText } from './expressions.ts'
import { leafExpression, toMatch } from './filter.ts'
import { isTimeDimension, type VisitDimension } from './names.ts'
import type { Done } from './scan.ts'

export function visitsPipeline(ask: Ask, done: Done): Document[] {
  const { site, range, dimensions, filters, grid, bots } = ask
  const span = { $gte: new Date(range.from), $lt: new Date(range.to) }
  const conditions = filters.map(filter =>
    toMatch(
      filter,
      leaf => ({ $expr: leafExpression(leaf, visitText(leaf.attribute as VisitDimension)) }),
      of => ({ _id: { $in: (done.get(of) ?? []).map(id => `${site.key}:${id}`) } }),
    ),
  )
  const values = dimensions.filter(name => !isTimeDimension(name)) as VisitDimension[]
  const key: Document = Object.fromEntries(values.map((name, i) => [`d${i}`, visitText(name)]))
  const visit = Object.fromEntries(['start', 'end', 'views', 'events'].map(field => [field, `$${field}`]))
  return [
    {
      $match: {
        $and: [beginningIn(site.key, span), ...(bots === 'none' ? [{ bot: { $exists: false } }] : []), ...conditions],
      },
    },
    {
      $project: {
        ...key,
        v: { $ifNull: ['$visitor', '$_id'] },
        visit: { $ifNull: ['$visits', [visit]] },
      },
    },
    { $unwind: '$visit' },
    { $match: { 'visit.start': span } },
    ...sumVisits(ask, {
      ...Object.fromEntries(values.map((_, i) => [`d${i}`, `$d${i}`])),
      ...(grid && { b: bucketOf('$visit.start', grid) }),
    }),
  ]
}

function sumVisits({ measures }: Ask, key: Document): Document[] {
  const sums: Document = {
    visits: { $sum: 1 },
    views: { $sum: '$visit.views' },
    pageviews: { $sum: '$visit.views' },
    events: { $sum: '$visit.events' },
    bounces: { $sum: { $cond: [{ $lte: ['$visit.views', 1] }, 1, 0] } },
    duration: { $sum: { $subtract: ['$visit.end', '$visit.start'] } },
  }
  const asked = measures.filter(measure => measure !== 'visitors')
  const first = Object.fromEntries(asked.map(measure => [measure, sums[measure]]))
  if (!measures.includes('visitors')) return [{ $group: { _id: key, ...first } }]
  return [
    { $group: { _id: { ...key, v: '$v' }, ...first } },
    { $group: { _id: again(key), visitors: { $sum: 1 }, ...addUp(asked) } },
  ]
}

/** The same key, of groups that have it already. */
export const again = (key: Document): Document =>
  Object.fromEntries(Object.keys(key).map(name => [name, `$_id.${name}`]))

export const addUp = (measures: readonly string[]): Document =>
  Object.fromEntries(measures.map(measure => [measure, { $sum: `$${measure}` }]))
