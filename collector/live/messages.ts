/**
 * What `GET /api/v2/live?site=<key>` sends (`text/event-stream`): one `snapshot`, then a `tick` at most every 50 ms
 * while anything happens. Each message has an id; a browser that comes back with `Last-Event-ID` gets what it missed,
 * or a new `snapshot` where that is no longer held. A comment line is sent every 15 s so that proxies keep the line.
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
  bot?: string
  properties?: Record<string, unknown>
}

/** Change of one counter row: minute (ms), dimension, value, events, page views. May be negative. */
export type LiveDelta = [at: number, dim: 'total' | 'name' | 'page', value: string, events: number, views: number]

export interface LiveSnapshot {
  site: { key: string; domain: string; consent: string; timezone: string }
  /** the collector's clock, ms */
  now: number
  /** the last 30 minutes, counted exactly: minutes without events are left out */
  deltas: LiveDelta[]
  /** events received per second, [second (ms), events], of the last 5 minutes as far as they are held */
  seconds: [number, number][]
  /** visitors (or sessions, where a visitor has no id) with an event in the last 5 minutes */
  active: number
  /** the newest events, oldest first, at most 50 */
  recent: LiveEvent[]
  /** events ever counted for this site: 0 shows the empty state */
  everSeen: boolean
}

export interface LiveTick {
  now: number
  /** events received since the last tick, [second (ms), events] to add */
  seconds: [number, number][]
  /** the newest of them, at most 50 a tick */
  events: LiveEvent[]
  /** how many more came than `events` shows */
  more: number
  /** exact counters, as settled */
  deltas: LiveDelta[]
  active: number
}
