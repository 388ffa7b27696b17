/**
 * What the live page knows, as plain data, and how one message of the stream changes it. Nothing here reads a clock
 * or touches the page. Every collection is bounded: minutes by the window of 30, values a minute by
 * {@link BOUNDS.values}, seconds by the chart's window, events by {@link BOUNDS.recent}.
 */
import type { LiveDelta, LiveEvent, LiveSecond, LiveSnapshot, LiveTick } from '../../live/messages.ts'
import { applyToday, type Today } from './today.ts'

export const SECOND = 1_000
export const MINUTE = 60_000
/** The window of the counters: this minute and the 29 before it. */
export const WINDOW = 30 * MINUTE
/** The window of the chart, and of "active". */
export const CHART_WINDOW = 5 * MINUTE
/** How many seconds an average on the chart reaches back. */
export const MEAN_SECONDS = 10

export const BOUNDS = {
  /** events in the list */
  recent: 100,
  /** values a minute and dimension; what comes after goes to `(other)`, so the sums stay right */
  values: 2_000,
} as const

/** The value that takes what has no row of its own; the collector's rollups use the same word. */
export const OTHER = '(other)'

export interface Count {
  events: number
  views: number
}

/** One minute: its total, and its counts by event name and by page. */
export interface MinuteCounts {
  total: Count
  name: ReadonlyMap<string, Count>
  page: ReadonlyMap<string, Count>
}

export interface LiveState {
  site: LiveSnapshot['site']
  /** the collector's clock at the last message, ms */
  now: number
  /** this device's clock when that message came, ms */
  heardAt: number
  everSeen: boolean
  active: number
  minutes: ReadonlyMap<number, MinuteCounts>
  /** events received, by second (ms) */
  seconds: ReadonlyMap<number, number>
  /** newest first */
  recent: readonly LiveEvent[]
  /** events received since the page was opened, shown in the list or not: what a paused list has missed */
  arrived: number
  /** when the collector received the newest event (its clock, ms), or null */
  lastReceived: number | null
  today: Today
  /** grows whenever something was counted: what was asked before is older */
  counted: number
  /** how long after its receipt the newest event was sent to this page, ms, or null before the first tick */
  delay: number | null
}

export const minuteOf = (ms: number) => Math.floor(ms / MINUTE) * MINUTE
export const secondOf = (ms: number) => Math.floor(ms / SECOND) * SECOND

/** The collector's clock now, in ms: its last message plus what has passed here since. */
export const collectorNow = (state: LiveState, deviceNow: number) => state.now + Math.max(0, deviceNow - state.heardAt)

/** Does a minute belong to the last 30 at `now`? */
export const inWindow = (at: number, now: number) => at > minuteOf(now) - WINDOW

/** A snapshot starts over: whatever was known before may have missed something. */
export function applySnapshot(snapshot: LiveSnapshot, deviceNow: number, before: LiveState | null = null): LiveState {
  const recent = newestFirst(snapshot.recent, [])
  return {
    site: snapshot.site,
    now: snapshot.now,
    heardAt: deviceNow,
    everSeen: snapshot.everSeen,
    active: snapshot.active,
    minutes: addDeltas(new Map(), snapshot.deltas, snapshot.now),
    seconds: addSeconds(new Map(), snapshot.seconds, snapshot.now),
    recent,
    arrived: (before?.arrived ?? 0) + recent.length,
    lastReceived: latest(recent[0]?.received ?? null, snapshot.seconds),
    today: applyToday(null, snapshot.today),
    counted: (before?.counted ?? 0) + 1,
    delay: null,
  }
}

/** What happened since the last message is added; minutes and seconds that fell out of the window go. */
export function applyTick(state: LiveState, tick: LiveTick, deviceNow: number): LiveState {
  const now = Math.max(state.now, tick.now)
  const newest = tick.events.reduce((max, event) => Math.max(max, event.received), 0)
  return {
    ...state,
    now,
    heardAt: deviceNow,
    everSeen: state.everSeen || tick.events.length > 0 || tick.more > 0 || tick.deltas.some(delta => delta[3] > 0),
    active: tick.active,
    minutes: addDeltas(state.minutes, tick.deltas, now),
    seconds: addSeconds(state.seconds, tick.seconds, now),
    recent: newestFirst(tick.events, state.recent),
    arrived: state.arrived + tick.events.length + tick.more,
    lastReceived: newest ? Math.max(newest, state.lastReceived ?? 0) : latest(state.lastReceived, tick.seconds),
    today: tick.today ? applyToday(state.today, tick.today) : state.today,
    counted: state.counted + (tick.deltas.length > 0 || tick.today?.hours.length ? 1 : 0),
    delay: newest ? Math.max(0, tick.now - newest) : state.delay,
  }
}

function addDeltas(minutes: LiveState['minutes'], deltas: readonly LiveDelta[], now: number): LiveState['minutes'] {
  const kept = new Map([...minutes].filter(([at]) => inWindow(at, now)))
  // A minute's maps are copied once a message, however many of its deltas the message holds.
  const copied = new Map<number, { total: Count; name: Map<string, Count>; page: Map<string, Count> }>()
  for (const [at, dim, value, events, views] of deltas) {
    const minute = minuteOf(at)
    if (!inWindow(minute, now)) continue
    let own = copied.get(minute)
    if (!own) {
      const old = kept.get(minute)
      own = { total: old?.total ?? { events: 0, views: 0 }, name: new Map(old?.name), page: new Map(old?.page) }
      copied.set(minute, own)
      kept.set(minute, own)
    }
    if (dim === 'total') own.total = plus(own.total, events, views)
    else if (dim === 'name' || dim === 'page') {
      const map = own[dim]
      const key = map.has(value) || map.size < BOUNDS.values ? value : OTHER
      map.set(key, plus(map.get(key), events, views))
    }
  }
  return kept
}

function addSeconds(seconds: LiveState['seconds'], added: readonly LiveSecond[], now: number) {
  const oldest = secondOf(now) - CHART_WINDOW - MEAN_SECONDS * SECOND
  const kept = new Map([...seconds].filter(([at]) => at > oldest))
  for (const [at, events] of added) {
    const second = secondOf(at)
    if (second > oldest) kept.set(second, (kept.get(second) ?? 0) + events)
  }
  return kept
}

/**
 * The tail is shown as it arrives, before repeats are recognized, so the same event may come twice: it is listed once.
 * A caller's own id is unique for a site and name, hence the name in the key.
 */
function newestFirst(oldestFirst: readonly LiveEvent[], before: readonly LiveEvent[]): readonly LiveEvent[] {
  if (oldestFirst.length === 0) return before
  const listed = new Set<string>()
  const all = [...oldestFirst].reverse().concat(before)
  return all
    .filter(event => {
      const key = eventKey(event)
      return !listed.has(key) && listed.add(key)
    })
    .slice(0, BOUNDS.recent)
}

/** What makes a listed event the same event. */
export const eventKey = (event: LiveEvent) => `${event.name} ${event.id}`

const plus = (count: Count | undefined, events: number, views: number): Count => ({
  events: (count?.events ?? 0) + events,
  views: (count?.views ?? 0) + views,
})

/** An event that is counted but not listed still tells when something last came. */
const latest = (received: number | null, seconds: readonly LiveSecond[]) =>
  seconds.reduce<number | null>((max, [at]) => Math.max(max ?? 0, at), received)
