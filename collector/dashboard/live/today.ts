/** The site's own day, from its hours as the stream tells them: exact, but for visitors, which are counted anew now and then. */
import type { LiveHour, LiveToday, LiveVisitors } from '../../live/messages.ts'

export interface Today {
  /** first and, not included, last ms */
  start: number
  end: number
  /** `<hour, ms> <dimension> <value>` → counters, as {@link LiveHour} has them */
  hours: ReadonlyMap<string, readonly number[]>
  visitors: LiveVisitors | null
}

/** What the day has in all. */
export interface TodaySums {
  views: number
  events: number
  visits: number
  conversions: number
  /** events that met it, by goal */
  goals: ReadonlyMap<string, number>
  /** null until they are counted */
  visitors: number | null
  isEstimated: boolean
}

type Told = LiveToday & { visitors?: LiveVisitors | null }

/**
 * What is known after a message.
 * @param isWhole whether it has all of the day, as a snapshot has; else what changed. A collector that has just begun does not
 *   know how many visitors there are: then those of before are, as long as it is the same day.
 */
export function addHours(before: Today | null, told: Told, isWhole = before === null): Today {
  const { start, end } = told
  const hours = new Map(isWhole ? [] : before?.hours)
  for (const key of hours.keys()) if (Number.parseInt(key, 10) < start) hours.delete(key)
  for (const [at, dim, value, ...counters] of told.hours) {
    const key = `${at} ${dim} ${value}`
    hours.set(key, sum(hours.get(key) ?? [], counters))
  }
  const held = before?.start === start ? before.visitors : null
  const isToldOf = told.visitors !== undefined && !(isWhole && told.visitors === null)
  return { start, end, hours, visitors: isToldOf ? (told.visitors ?? null) : held }
}

const sum = (a: readonly number[], b: readonly number[]): number[] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0))

/** @param now the collector's clock, ms: a day that is over has nothing of the next one */
export function sumToday({ end, hours, visitors }: Today, now: number): TodaySums {
  let [views, events, visits, conversions] = [0, 0, 0, 0]
  const goals = new Map<string, number>()
  for (const [key, [n = 0, viewed = 0, begun = 0]] of now < end ? hours : []) {
    const [, dim, ...words] = key.split(' ') as [string, LiveHour[1], ...string[]]
    if (dim === 'total') [events, views] = [events + n, views + viewed]
    else if (dim === 'visits') visits += begun
    else {
      const goal = words.join(' ')
      goals.set(goal, (goals.get(goal) ?? 0) + n)
      conversions += n
    }
  }
  const count = now < end && visitors ? Math.min(visitors.count, Math.max(visits, 0)) : null
  return { views, events, visits, conversions, goals, visitors: count, isEstimated: visitors?.error !== undefined }
}
