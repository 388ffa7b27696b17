/**
 * Visits of a cookieless visitor. No device tells sessions apart there, so all that a visitor does on one day of the site is
 * one document, which is divided wherever nothing happened for half an hour. Whatever the order in which events arrive, the
 * same visits come out: each event is in the one that it is near enough to, and two become one when it is near to both.
 */
import type { Filter } from 'mongodb'
import type { JournalEvent } from '../journal/index.ts'
import type { Session } from './sessions.ts'

/** A visit ends when nothing happened for longer, ms: as the tag ends a session on the device. */
export const VISIT_GAP_MS = 30 * 60_000

export interface Visit {
  start: Date
  end: Date
  views: number
  events: number
  /** ms, as of a session; absent where it is none */
  engaged?: number
  /** conversions, as of a session; absent where there is none */
  goals?: number
}

/** Adds an event to the visits of its day, in place; they stay in the order of their time. At most 50 fit into a day. */
export function addToVisits(visits: Visit[], { ts, name, goals: met = [] }: JournalEvent, engaged: number): void {
  const goals = met.length
  const at = ts.getTime()
  const views = name === 'pageview' ? 1 : 0
  // The first that does not end too early to be near.
  let place = visits.length
  while (place > 0 && at - (visits[place - 1]?.end ?? ts).getTime() <= VISIT_GAP_MS) place--
  const visit = visits[place]
  if (!visit || visit.start.getTime() - at > VISIT_GAP_MS) {
    const optional = { ...(engaged > 0 && { engaged }), ...(goals > 0 && { goals }) }
    visits.splice(place, 0, { start: ts, end: ts, views, events: 1, ...optional })
    return
  }
  if (at < visit.start.getTime()) visit.start = ts
  if (at > visit.end.getTime()) visit.end = ts
  visit.views += views
  visit.events++
  if (engaged > 0) visit.engaged = (visit.engaged ?? 0) + engaged
  if (goals > 0) visit.goals = (visit.goals ?? 0) + goals
  const next = visits[place + 1]
  if (!next || +next.start - +visit.end > VISIT_GAP_MS) return
  visit.end = next.end
  visit.views += next.views
  visit.events += next.events
  if (next.engaged) visit.engaged = (visit.engaged ?? 0) + next.engaged
  if (next.goals) visit.goals = (visit.goals ?? 0) + next.goals
  visits.splice(place + 1, 1)
}

/** The longest day that a time zone can have, with an hour to spare, ms: a visit begins no later after the day's first one. */
const DAY_MS = 26 * 3_600_000

/**
 * Finds what begins in this time: sessions, and days of cookieless visitors with a visit that does. Each branch has its index:
 * that of visits holds no other sessions, and is only used where the filter says that there are visits.
 */
export const beginningIn = (site: string, range: { $gte: Date; $lt?: Date }): Filter<Session> => ({
  $or: [
    { site, start: range },
    {
      site,
      start: { ...range, $gte: new Date(+range.$gte - DAY_MS) },
      'visits.start': { $exists: true },
      visits: { $elemMatch: { start: range } },
    },
  ],
})
