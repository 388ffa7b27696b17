/** What arrives, as it arrives: events by second, and the newest ones to be shown. Pure state, of bounded size. */
import { isImpressionOrClick } from '../journal/index.ts'
import { toMajor } from '../sites/index.ts'
import type { LiveEvent, LiveSecond } from './messages.ts'
import type { LiveFields } from './stream.ts'

const SECONDS_MS = 300_000
/** Events held, and the most of a tick. */
const RECENT = 50
/** Of events told in ticks beyond that, a second: more than anybody reads, times all who watch. */
const A_SECOND = 100

export interface Arrivals {
  inserted(events: LiveFields[], received: number): void
  expire(now: number): void
  /** What came since the last call. */
  take(now: number): { seconds: LiveSecond[]; events: LiveEvent[]; more: number }
  all(): { seconds: LiveSecond[]; recent: LiveEvent[]; conversions: LiveEvent[] }
  /** Those of before, oldest first; none of them is counted. */
  converted(events: { event: LiveFields; received: number }[]): void
}

interface Arrival {
  /** in the order of arrival */
  place: number
  event: LiveEvent
}
interface Newest {
  all: Arrival[]
  conversions: Arrival[]
}

export function createArrivals(): Arrivals {
  const seconds = new Map<number, LiveSecond>()
  const recent: Newest = { all: [], conversions: [] }
  let pending = { seconds: new Map<number, LiveSecond>(), count: 0, newest: { all: [], conversions: [] } as Newest }
  let arrived = 0
  let allowed = RECENT
  let takenAt: number | undefined

  const note = (newest: Newest, arrivals: Arrival[]): void => {
    newest.all = [...newest.all, ...arrivals.slice(-RECENT)].slice(-RECENT)
    const conversions = arrivals.filter(({ event }) => event.goals).slice(-RECENT)
    if (conversions.length > 0) newest.conversions = [...newest.conversions, ...conversions].slice(-RECENT)
  }

  return {
    inserted(events, received) {
      const second = secondOf(events, Math.floor(received / 1000) * 1000)
      add(seconds, second)
      add(pending.seconds, second)
      pending.count += events.length
      const shown = events.filter(({ goals }, i) => goals?.length || i >= events.length - RECENT)
      const arrivals = shown.map(event => ({ place: arrived++, event: toLive(event, received) }))
      note(recent, arrivals)
      note(pending.newest, arrivals)
    },
    converted(events) {
      const arrivals = events.map(({ event, received }) => ({ place: arrived++, event: toLive(event, received) }))
      const met = arrivals.filter(({ event }) => event.goals)
      const before = [...met, ...recent.conversions].map(arrival => [keyOf(arrival.event), arrival] as const)
      recent.conversions = [...new Map(before).values()].slice(-RECENT)
    },
    expire(now) {
      for (const [second] of seconds) if (second < now - SECONDS_MS) seconds.delete(second)
    },
    take(now) {
      allowed = Math.min(RECENT, allowed + (Math.max(0, now - (takenAt ?? now)) * A_SECOND) / 1000)
      takenAt = now
      const { newest, count } = pending
      const most = Math.floor(allowed)
      const first = most > 0 ? newest.conversions.slice(-most) : []
      const left = most - first.length
      const others = left > 0 ? newest.all.filter(({ event }) => !event.goals).slice(-left) : []
      const events = [...first, ...others].sort((a, b) => a.place - b.place).map(({ event }) => event)
      allowed -= events.length
      const taken = { seconds: [...pending.seconds.values()], events, more: count - events.length }
      pending = { seconds: new Map(), count: 0, newest: { all: [], conversions: [] } }
      return taken
    },
    all: () => ({
      seconds: [...seconds.values()],
      recent: recent.all.map(({ event }) => event),
      conversions: recent.conversions.map(({ event }) => event),
    }),
  }
}

const keyOf = ({ name, id }: LiveEvent): string => `${name} ${id}`

function secondOf(events: readonly LiveFields[], at: number): LiveSecond {
  const shown = events.filter(({ name, bot }) => bot === undefined && isImpressionOrClick(name))
  const impressions = shown.filter(({ name }) => name === 'impression').length
  return shown.length > 0 ? [at, events.length, impressions, shown.length - impressions] : [at, events.length]
}

function add(seconds: Map<number, LiveSecond>, [at, events, impressions = 0, clicks = 0]: LiveSecond): void {
  const [, e, i = 0, c = 0] = seconds.get(at) ?? [at, 0]
  const ads = [i + impressions, c + clicks] as const
  seconds.set(at, ads[0] + ads[1] > 0 ? [at, e + events, ...ads] : [at, e + events])
}

/** Leaves out what names a visitor. */
function toLive(event: LiveFields, received: number): LiveEvent {
  const { id, name, ts, host, path, title, source, device, browser, os, country, bot, props } = event
  const { goals, revenue: value, currency } = event
  return {
    id,
    name,
    at: +ts,
    received,
    host,
    path,
    source,
    device,
    browser,
    os,
    ...(title !== undefined && { title }),
    ...(country && { country }),
    ...(bot !== undefined && { bot }),
    ...(goals && goals.length > 0 && bot === undefined && { goals }),
    ...(value !== undefined &&
      currency !== undefined && { revenue: { value: toMajor({ value, currency }), currency } }),
    ...(props !== undefined && { properties: props }),
  }
}
