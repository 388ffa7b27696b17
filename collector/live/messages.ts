/**
 * What `GET /api/v2/live?site=<key>` sends (`text/event-stream`): one `snapshot`, then a `tick` at most every 50 ms
 * while anything happens. Each message has an id; a browser that comes back with `Last-Event-ID` gets what it missed,
 * or a new `snapshot` where that is no longer held. A comment line is sent every 15 s so that proxies keep the line.
 *
 * Counters (`deltas`, `today.hours`) are exact: a snapshot and all ticks after it add up to what was counted, each event
 * once. What is shown as it arrives (`seconds`, `events`) may have an event twice that a page sent twice.
 */

/** An event as the live page shows it: nothing in it names a visitor. Times are ms since the epoch. */
export interface LiveEvent {
  id: string
  name: string
  /** when it happened (corrected) */
  at: number
  /** when the collector received it */
  received: number
  host: string
  path: string
  title?: string
  source: string
  device: string
  browser: string
  os: string
  /** ISO 3166-1, where it is known */
  country?: string
  bot?: string
  /** names of the goals that it meets, where it is no bot's: it is a conversion */
  goals?: string[]
  /** what it is worth, major units of a currency of ISO 4217 */
  revenue?: { value: number; currency: string }
  properties?: Record<string, unknown>
}

/**
 * Change of one counter row: minute (ms), dimension, value, events, page views, and how many of the events are bots',
 * absent where none is. May be negative. Dimensions are all events, names, paths of page views, what gave bots away, and
 * impressions and clicks by campaign, without bots. A room names the {@link MOST_CAMPAIGNS} campaigns that it knew first;
 * others are `(other)`.
 */
export type LiveDelta = [
  at: number,
  dim: 'total' | 'name' | 'page' | 'bot' | 'impression' | 'click',
  value: string,
  events: number,
  views: number,
  bots?: number,
]

/** Events received in a second (ms), bots too; and impressions and clicks among them, without bots, absent where both are 0. */
export type LiveSecond = [second: number, events: number, impressions?: number, clicks?: number]

/**
 * Change of one counter row of an hour (ms) of the site's own zone, without bots, as the query API counts: events in the
 * hour in which they happened (`total`, and `goal` by the goals that they meet), visits in the hour in which they began.
 * Counters are events, page views, visits, bounces, duration (ms), engaged time (ms), conversions; those at the end that
 * are 0 are left out. `total` and `goal` have the first two.
 */
export type LiveHour = [at: number, dim: 'total' | 'visits' | 'goal', value: string, ...counters: number[]]

/** Different visitors of the day: they can't be told by deltas, so they are counted anew every few seconds, for all. */
export interface LiveVisitors {
  count: number
  /** where it is estimated: the bound of the relative error, 95 of 100 times */
  error?: number
  /** what was settled before is contained, ms */
  at: number
}

/** The site's own day. */
export interface LiveToday {
  /** first and, not included, last ms: hours before it are no part of it any more */
  start: number
  end: number
  hours: LiveHour[]
}

/** Active visitors by what they are at, came from, and where they are. */
export const ACTIVE_BY = ['page', 'source', 'country'] as const
/** The most first, at most 20, then `(other)` for the rest; `(none)` is what is not known. Each visitor is in one row. */
export type LiveActiveBy = Record<(typeof ACTIVE_BY)[number], [value: string, visitors: number][]>

/** Campaigns that a site's view names at a time. */
export const MOST_CAMPAIGNS = 200

export interface LiveSnapshot {
  site: { key: string; domain: string; consent: string; timezone: string }
  /** the collector's clock, ms */
  now: number
  /** the last 30 minutes, counted exactly: minutes without events are left out */
  deltas: LiveDelta[]
  /** of the last 5 minutes as far as they are held */
  seconds: LiveSecond[]
  /** visitors (or sessions, where a visitor has no id) with an event in the last 5 minutes, without bots */
  active: number
  activeBy: LiveActiveBy
  /** the newest events, oldest first, at most 50 */
  recent: LiveEvent[]
  /** the newest that meet a goal, oldest first, at most 50: of the last 15 minutes, and as long as somebody watches */
  conversions: LiveEvent[]
  /** `hours` are the whole day so far; `visitors` are null until they are counted */
  today: LiveToday & { visitors: LiveVisitors | null }
  /** events ever counted for this site: 0 shows the empty state */
  everSeen: boolean
}

export interface LiveTick {
  now: number
  /** received since the last tick: to add */
  seconds: LiveSecond[]
  /** the newest of them, at most 50 a tick and, after that, 100 a second; conversions before others */
  events: LiveEvent[]
  /** how many more came than `events` shows */
  more: number
  /** exact counters, as settled */
  deltas: LiveDelta[]
  active: number
  /** lists that have changed, at most once a second */
  activeBy?: Partial<LiveActiveBy>
  /** what of it has changed: `hours` are to add; another `start` begins another day */
  today?: LiveToday & { visitors?: LiveVisitors | null }
}
