/** The site's own day as the live stream tells it: a snapshot, then exact deltas by hour. Plain data. */
import type { LiveHour, LiveToday, LiveVisitors } from '../../live/messages.ts'

/** Sums that a day's totals are made of. */
export interface DaySums {
  events: number
  pageviews: number
  visits: number
  /** page views of these visits */
  views: number
  /** visits of one page view at most */
  bounces: number
  /** ms */
  duration: number
}

export interface Today {
  /** ms; the end is not included */
  start: number
  end: number
  /** by the begin of an hour, ms */
  hours: ReadonlyMap<number, DaySums>
  visitors: LiveVisitors | null
}

export const NO_SUMS: DaySums = { events: 0, pageviews: 0, visits: 0, views: 0, bounces: 0, duration: 0 }

/** @param before null where the message is a snapshot */
export function applyToday(
  before: Today | null,
  { start, end, hours, visitors }: LiveToday & { visitors?: LiveVisitors | null },
): Today {
  const isSame = before?.start === start
  const sums = new Map(isSame ? before.hours : [])
  for (const hour of hours) {
    const [at, dim] = hour
    if (at >= start && at < end && dim !== 'goal') sums.set(at, plus(sums.get(at) ?? NO_SUMS, hour))
  }
  return { start, end, hours: sums, visitors: visitors === undefined ? (isSame ? before.visitors : null) : visitors }
}

/** Of visits the stream tells events, page views, visits, bounces, duration; of events the first two. */
function plus(
  sums: DaySums,
  [, dim, , events = 0, views = 0, visits = 0, bounces = 0, duration = 0]: LiveHour,
): DaySums {
  return dim === 'total'
    ? { ...sums, events: sums.events + events, pageviews: sums.pageviews + views }
    : {
        ...sums,
        visits: sums.visits + visits,
        views: sums.views + views,
        bounces: sums.bounces + bounces,
        duration: sums.duration + duration,
      }
}

export function sumsOf({ hours }: Pick<Today, 'hours'>): DaySums {
  const all = { ...NO_SUMS }
  for (const sums of hours.values()) for (const name of Object.keys(all) as (keyof DaySums)[]) all[name] += sums[name]
  return all
}
