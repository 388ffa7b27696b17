/** What reports of a history have to say: added up as it is told, by other means than rollups. */
import { getOrAdd } from '../get-or-add.ts'
import type { Session } from '../settle/index.ts'
import { GOALS } from './goals.ts'
import type { Minute } from './history.ts'

export interface Counts {
  events: number
  pageviews: number
  /** sessions, and each visit of a cookieless day */
  visits: number
  /** visits with at most one page view */
  bounces: number
}

export interface Totals {
  /** with bots */
  all: Counts
  /** without bots, as reports count */
  people: Counts & {
    /** different ones; a cookieless one once a day */
    visitors: number
    /** the sum of how long visits took, ms */
    duration: number
    purchases: number
    /** of the purchases, minor units */
    revenue: number
  }
  /** conversions of each goal, and what they are worth, minor units, without bots */
  goals: [goal: string, conversions: number, revenue: number][]
  /** the pages with the most page views, and the sources with the most visits, without bots */
  pages: [path: string, pageviews: number][]
  sources: [source: string, visits: number][]
  /** begin of the first and last minute in which something happened, ISO 8601; empty where nothing did */
  first: string
  last: string
}

/** So many pages and sources are named. */
const TOP = 10

export interface Tally {
  add(minute: Minute): void
  totals(): Totals
}

export function startTally(): Tally {
  const none = (): Counts => ({ events: 0, pageviews: 0, visits: 0, bounces: 0 })
  const all = none()
  const people: Totals['people'] = { ...none(), visitors: 0, duration: 0, purchases: 0, revenue: 0 }
  const pages = new Map<string, number>()
  const sources = new Map<string, number>()
  const goals = new Map<string, [conversions: number, revenue: number]>(GOALS.map(({ name }) => [name, [0, 0]]))
  let [first, last] = ['', '']
  const addSession = (session: Session): void => {
    for (const { start, end, views } of session.visits ?? [session]) {
      const bounced = views <= 1 ? 1 : 0
      all.visits++
      all.bounces += bounced
      if (session.bot !== undefined) continue
      people.visits++
      people.bounces += bounced
      people.duration += +end - +start
      count(sources, session.source)
    }
  }
  return {
    add({ at, events, sessions, visitors }) {
      last = new Date(at).toISOString()
      first ||= last
      people.visitors += visitors
      for (const { name, path, bot, goals: met = [], revenue = 0 } of events) {
        const view = name === 'pageview' ? 1 : 0
        all.events++
        all.pageviews += view
        if (bot !== undefined) continue
        people.events++
        people.pageviews += view
        if (view) count(pages, path)
        people.revenue += revenue
        if (name === 'purchase') people.purchases++
        for (const goal of met) {
          const [conversions, sum] = goals.get(goal) ?? [0, 0]
          goals.set(goal, [conversions + 1, sum + revenue])
        }
      }
      sessions.forEach(addSession)
    },
    totals: () => ({
      all,
      people,
      goals: [...goals].map(([goal, [conversions, sum]]) => [goal, conversions, sum]),
      pages: top(pages),
      sources: top(sources),
      first,
      last,
    }),
  }
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, getOrAdd(map, key, () => 0) + 1)
}

const top = (map: Map<string, number>): [string, number][] =>
  [...map].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, TOP)
