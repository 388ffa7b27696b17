/**
 * What the live page knows, as plain data, and how one message of the stream changes it. Nothing here reads a clock
 * or touches the page. Every collection is bounded: minutes by the window of 30, values a minute by
 * {@link BOUNDS.values}, seconds by the chart's window, events by {@link BOUNDS.recent}.
 */
import type { LiveActiveBy, LiveDelta, LiveEvent, LiveSecond, LiveSnapshot, LiveTick } from '../../live/messages.ts'
import { addHours, type Today } from './today.ts'

export const SECOND = 1_000
export const MINUTE = 60_000
/** The window of the counters: this minute and the 29 before it. */
export const WINDOW = 30 * MINUTE
/** The window of the chart, and of "active". */
export const CHART_WINDOW = 5 * MINUTE
/** How many seconds an average on the chart reaches back. */
export const MEAN_SECONDS = 10

export const BOUNDS = {
  /** events held for the list: a filter looks through all of them */
  recent: 500,
  conversions: 50,
  /** values a minute and dimension; what comes after goes to `(other)`, so the sums stay right */
  values: 2_000,
} as const

/** The value that takes what has no row of its own; the collector's rollups use the same word. */
export const OTHER = '(other)'

export interface Count {
  events: number
  views: number
}

type Counts = ReadonlyMap<string, Count>
/** One minute, without bots: its total, its counts by event name and by page, and of campaigns; and its bots by rule. */
export interface MinuteCounts {
  total: Count
  name: Counts
  page: Counts
  impression: Counts
  click: Counts
  bot: Counts
}

export interface LiveState {
  site: LiveSnapshot['site']
  /** the collector's clock at the last message, ms */
  now: number
  /** this device's clock when that message came, ms */
  heardAt: number
  everSeen: boolean
  active: number
  activeBy: LiveActiveBy
  today: Today
  minutes: ReadonlyMap<number, MinuteCounts>
  /** events received, by second (ms) */
  seconds: ReadonlyMap<number, number>
  /** the same of impressions and of clicks, where there are any */
  ads: ReadonlyMap<number, readonly [impressions: number, clicks: number]>
  /** newest first */
  recent: readonly LiveEvent[]
  /** those that met a goal */
  conversions: readonly LiveEvent[]
  /** events received since the page was opened, shown in the list or not: what a paused list has missed */
  arrived: number
  /** when the collector received the newest event (its clock, ms), or null */
  lastReceived: number | null
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
  const recent = newestFirst(snapshot.recent, [], BOUNDS.recent)
  return {
    site: snapshot.site,
    now: snapshot.now,
    heardAt: deviceNow,
    everSeen: snapshot.everSeen,
    active: snapshot.active,
    activeBy: snapshot.activeBy,
    today: addHours(before?.today ?? null, snapshot.today, true),
    minutes: addDeltas(new Map(), snapshot.deltas, snapshot.now),
    seconds: addSeconds(new Map(), snapshot.seconds, snapshot.now),
    ads: addAds(new Map(), snapshot.seconds, snapshot.now),
    recent,
    conversions: newestFirst(snapshot.conversions, [], BOUNDS.conversions),
    arrived: (before?.arrived ?? 0) + recent.length,
    lastReceived: latest(recent[0]?.received ?? null, snapshot.seconds),
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
    activeBy: tick.activeBy ? { ...state.activeBy, ...tick.activeBy } : state.activeBy,
    today: tick.today ? addHours(state.today, tick.today) : state.today,
    minutes: addDeltas(state.minutes, tick.deltas, now),
    seconds: addSeconds(state.seconds, tick.seconds, now),
    ads: addAds(state.ads, tick.seconds, now),
    recent: newestFirst(tick.events, state.recent, BOUNDS.recent),
    conversions: newestFirst(tick.events.filter(isConversion), state.conversions, BOUNDS.conversions),
    arrived: state.arrived + tick.events.length + tick.more,
    lastReceived: newest ? Math.max(newest, state.lastReceived ?? 0) : latest(state.lastReceived, tick.seconds),
    counted: state.counted + (tick.deltas.length > 0 || tick.today?.hours.length ? 1 : 0),
    delay: newest ? Math.max(0, tick.now - newest) : state.delay,
  }
}

const isConversion = ({ goals }: LiveEvent): boolean => goals !== undefined

const NONE: Count = { events: 0, views: 0 }
const EMPTY: MinuteCounts = {
  total: NONE,
  name: new Map(),
  page: new Map(),
  impression: new Map(),
  click: new Map(),
  bot: new Map(),
}

function addDeltas(minutes: LiveState['minutes'], deltas: readonly LiveDelta[], now: number): LiveState['minutes'] {
  const kept = new Map([...minutes].filter(([at]) => inWindow(at, now)))
  // What a message changes is copied once, however many of its deltas that takes.
  const copied = new Set<Counts>()
  for (const [at, dim, value, events, views, bots = 0] of deltas) {
    const minute = minuteOf(at)
    if (!inWindow(minute, now)) continue
    const own = { ...(kept.get(minute) ?? EMPTY) }
    kept.set(minute, own)
    if (dim === 'total') {
      own.total = plus(own.total, events - bots, views)
      continue
    }
    // A total says how many of its events are bots', and their rules how many of its page views.
    if (dim === 'bot') own.total = plus(own.total, 0, -views)
    const map = copied.has(own[dim]) ? (own[dim] as Map<string, Count>) : new Map(own[dim])
    copied.add(map)
    own[dim] = map
    const key = map.has(value) || map.size < BOUNDS.values ? value : OTHER
    const robots = dim === 'bot' ? 0 : bots
    map.set(key, plus(map.get(key), events - robots, views > 0 ? views - robots : views))
  }
  return kept
}

const oldest = (now: number): number => secondOf(now) - CHART_WINDOW - MEAN_SECONDS * SECOND

function addSeconds(seconds: LiveState['seconds'], added: readonly LiveSecond[], now: number) {
  const kept = new Map([...seconds].filter(([at]) => at > oldest(now)))
  for (const [at, events] of added) {
    const second = secondOf(at)
    if (second > oldest(now)) kept.set(second, (kept.get(second) ?? 0) + events)
  }
  return kept
}

function addAds(ads: LiveState['ads'], added: readonly LiveSecond[], now: number) {
  const kept = new Map([...ads].filter(([at]) => at > oldest(now)))
  for (const [at, , impressions = 0, clicks = 0] of added) {
    const second = secondOf(at)
    const [i, c] = kept.get(second) ?? [0, 0]
    if (impressions + clicks > 0 && second > oldest(now)) kept.set(second, [i + impressions, c + clicks])
  }
  return kept
}

/**
 * The tail is shown as it arrives, before repeats are recognized, so the same event may come twice: it is listed once.
 * A caller's own id is unique for a site and name, hence the name in the key.
 */
function newestFirst(
  oldestFirst: readonly LiveEvent[],
  before: readonly LiveEvent[],
  most: number,
): readonly LiveEvent[] {
  if (oldestFirst.length === 0) return before
  const listed = new Set<string>()
  const all = [...oldestFirst].reverse().concat(before)
  return all
    .filter(event => {
      const key = eventKey(event)
      return !listed.has(key) && listed.add(key)
    })
    .slice(0, most)
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
