/** What rollups and sessions have to hold, counted from the raw events in plain JavaScript, with none of the product's code. */

/** What of a document of `events` is counted. */
export interface Raw {
  ts: Date
  meta: { site: string; name: string }
  id: string
  path: string
  source: string
  visitor?: string
  session?: string
  consent: string
  bot?: string
}

/** Length of a grain, ms; days are days in UTC, as the sites of these tests are. */
export const GRAINS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }
/** The value of an event in a dimension; `undefined` where it has none. */
const DIMENSIONS: Record<string, (event: Raw) => string | undefined> = {
  total: () => '',
  name: ({ meta }) => meta.name,
  page: ({ meta, path }) => (meta.name === 'pageview' ? path : undefined),
}

/** Counters in the order in which rollups hold them. */
export const COUNTERS = ['events', 'views', 'sessions', 'bounces', 'duration', 'bots'] as const

/** `<dimension> <start, ms> <value>` → counters. */
export type Rows = Map<string, number[]>

export function add(rows: Rows, key: string, counters: readonly number[]): void {
  const row = rows.get(key) ?? COUNTERS.map(() => 0)
  rows.set(
    key,
    row.map((n, c) => n + (counters[c] ?? 0)),
  )
}

export interface Visit {
  start: number
  end: number
  events: number
  views: number
  visitor: string | undefined
  /** where it may have begun and ended: events of the same ms have no order */
  entries: Set<string>
  exits: Set<string>
  sources: Set<string>
  /** `<time> <name> <path>`, sorted */
  steps: string[]
  /** what a cookieless visitor's day is divided into and counted as */
  visits: Pick<Visit, 'start' | 'end' | 'events' | 'views'>[] | undefined
}

/** A cookieless visitor's visit ends when nothing happens for longer, ms. */
const GAP = 1_800_000

export function countSessions(events: Raw[]): Map<string, Visit> {
  const bySession = new Map<string, Raw[]>()
  for (const event of events) {
    if (event.session === undefined) continue
    const list = bySession.get(event.session)
    if (list) list.push(event)
    else bySession.set(event.session, [event])
  }
  return new Map([...bySession].map(([session, list]) => [session, visitOf(list)]))
}

function visitOf(events: Raw[]): Visit {
  const views = events.filter(({ meta }) => meta.name === 'pageview')
  const telling = views.length > 0 ? views : events
  const times = events.map(({ ts }) => +ts)
  const first = Math.min(...telling.map(({ ts }) => +ts))
  const last = Math.max(...telling.map(({ ts }) => +ts))
  const at = (time: number) => telling.filter(({ ts }) => +ts === time)
  return {
    start: Math.min(...times),
    end: Math.max(...times),
    events: events.length,
    views: views.length,
    visitor: events[0]?.visitor,
    entries: new Set(at(first).map(({ path }) => path)),
    exits: new Set(at(last).map(({ path }) => path)),
    sources: new Set(at(first).map(({ source }) => source)),
    steps: events.map(({ ts, meta, path }) => `${+ts} ${meta.name} ${path}`).sort(),
    visits: events[0]?.consent === 'l' ? divide(events) : undefined,
  }
}

function divide(events: Raw[]): Visit['visits'] {
  const visits: NonNullable<Visit['visits']> = []
  for (const { ts, meta } of events.toSorted((a, b) => +a.ts - +b.ts)) {
    let last = visits.at(-1)
    if (!last || +ts - last.end > GAP) {
      last = { start: +ts, end: +ts, events: 0, views: 0 }
      visits.push(last)
    }
    last.end = +ts
    last.events++
    if (meta.name === 'pageview') last.views++
  }
  return visits
}

export function countRows(events: Raw[], sessions: Map<string, Visit>, grain: string): Rows {
  const rows: Rows = new Map()
  const length = GRAINS[grain]
  if (length === undefined) throw new Error(`there are rollups of the grain "${grain}", which the model does not know`)
  const startOf = (time: number) => Math.floor(time / length) * length
  for (const event of events) {
    const isView = event.meta.name === 'pageview'
    for (const [dim, valueIn] of Object.entries(DIMENSIONS)) {
      const value = valueIn(event)
      const counters = [1, isView ? 1 : 0, 0, 0, 0, event.bot === undefined ? 0 : 1]
      if (value !== undefined) add(rows, `${dim} ${startOf(+event.ts)} ${value}`, counters)
    }
  }
  for (const { start, end, views } of [...sessions.values()].flatMap(session => session.visits ?? session)) {
    add(rows, `total ${startOf(start)} `, [0, 0, 1, views <= 1 ? 1 : 0, end - start, 0])
  }
  return rows
}
