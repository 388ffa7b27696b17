/** What totals are made of, of the day that the live stream tells. */
import type { Today } from '../live/today.ts'

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

export const NO_SUMS: DaySums = { events: 0, pageviews: 0, visits: 0, views: 0, bounces: 0, duration: 0 }

/** By the begin of an hour, ms. Of visits the stream tells events, page views, visits, bounces, duration; of events the first two. */
export function sumsByHour({ hours }: Today): Map<number, DaySums> {
  const sums = new Map<number, DaySums>()
  for (const [key, [events = 0, views = 0, visits = 0, bounces = 0, duration = 0]] of hours) {
    const [at, dim] = key.split(' ')
    const before = sums.get(Number(at)) ?? NO_SUMS
    if (dim === 'total') sums.set(Number(at), add(before, { ...NO_SUMS, events, pageviews: views }))
    if (dim === 'visits') sums.set(Number(at), add(before, { ...NO_SUMS, views, visits, bounces, duration }))
  }
  return sums
}

export const sumsOf = (today: Today): DaySums => [...sumsByHour(today).values()].reduce(add, NO_SUMS)

export const add = (a: DaySums, b: DaySums): DaySums =>
  Object.fromEntries(Object.entries(a).map(([name, n]) => [name, n + b[name as keyof DaySums]])) as unknown as DaySums
