/**
 * What one site's viewers see: counters of the last 30 minutes, events per second, active visitors, the newest events.
 * Pure state: documents go in, the messages of `messages.ts` come out. Everything in it has a bound.
 */
import { getOrAdd } from '../get-or-add.ts'
import { COUNTERS, type Delta, type Dimension } from '../journal/index.ts'
import { type Minutes, OTHER } from '../rollup/index.ts'
import { MINUTE_MS } from '../settle/index.ts'
import type { LiveDelta, LiveEvent, LiveTick } from './messages.ts'
import type { LiveFields } from './stream.ts'

export const WINDOW_MS = 30 * MINUTE_MS
export const ACTIVE_MS = 5 * MINUTE_MS
const SECONDS = 300
const RECENT = 50
/** Visitors held to count the active ones; with more, the longest quiet are let go early. */
const MOST_ACTIVE = 200_000
/** Rows of counters held; with more, new names and paths become `(other)`. */
const MOST_COUNTED = 200_000
/** Rows of a snapshot; with more, the smallest become `(other)`. */
const MOST_ROWS = 20_000

const EVENTS = COUNTERS.indexOf('events')
const VIEWS = COUNTERS.indexOf('views')

export interface Room {
  /** Takes the counters as read at one moment. */
  load(minutes: Map<Dimension, Minutes>): void
  inserted(events: LiveFields[], received: number): void
  settled(deltas: Delta[]): void
  /** A visitor was active. */
  active(visitor: string, at: number): void
  /** What changed since the last call; `undefined` when nothing did. */
  tick(now: number): LiveTick | undefined
  view(now: number): { deltas: LiveDelta[]; seconds: [number, number][]; active: number; recent: LiveEvent[] }
}

export function createRoom(): Room {
  // By minute, so that the old ones are let go without looking at every row at every tick.
  const counts = new Map<number, Map<string, LiveDelta>>()
  let counted = 0
  const seconds = new Map<number, number>()
  const visitors = new Map<string, number>()
  let recent: LiveEvent[] = []
  let pending = { events: [] as LiveEvent[], count: 0, seconds: new Map<number, number>(), deltas: [] as LiveDelta[] }
  let lastActive = 0

  const count = (delta: LiveDelta): void => {
    const [at, dim, value, events, views] = delta
    const rows = getOrAdd(counts, at, () => new Map<string, LiveDelta>())
    const held = rows.get(`${dim} ${value}`)
    if (held) {
      held[3] += events
      held[4] += views
    } else if (counted < MOST_COUNTED || value === '' || value === OTHER) {
      rows.set(`${dim} ${value}`, [...delta])
      counted++
    } else count([at, dim, OTHER, events, views])
  }
  const expire = (now: number): void => {
    for (const [at, rows] of counts) {
      if (at >= now - WINDOW_MS) continue
      counts.delete(at)
      counted -= rows.size
    }
    for (const [second] of seconds) if (second < now - SECONDS * 1000) seconds.delete(second)
    for (const [visitor, at] of visitors) {
      if (at >= now - ACTIVE_MS && visitors.size <= MOST_ACTIVE) break
      visitors.delete(visitor)
    }
  }
  const touch = (visitor: string, at: number): void => {
    // Deleted first, so that the map's order is the order of activity.
    visitors.delete(visitor)
    visitors.set(visitor, at)
  }

  return {
    load(minutes) {
      for (const [dim, byMinute] of minutes) {
        for (const [at, rows] of byMinute) {
          for (const [value, row] of rows) count([at, dim, value, row[EVENTS] ?? 0, row[VIEWS] ?? 0])
        }
      }
    },
    inserted(events, received) {
      const second = Math.floor(received / 1000) * 1000
      seconds.set(second, (seconds.get(second) ?? 0) + events.length)
      pending.seconds.set(second, (pending.seconds.get(second) ?? 0) + events.length)
      pending.count += events.length
      for (const event of events) {
        const visitor = event.visitor ?? event.session
        if (visitor !== undefined && +event.ts >= received - ACTIVE_MS) touch(visitor, received)
      }
      const shown = events.slice(-RECENT).map(event => toLive(event, received))
      recent = [...recent, ...shown].slice(-RECENT)
      pending.events = [...pending.events, ...shown].slice(-RECENT)
    },
    settled(deltas) {
      for (const { dim, at, values, counters } of deltas) {
        values.forEach((value, i) => {
          const delta: LiveDelta = [at, dim, value, counters[i]?.[EVENTS] ?? 0, counters[i]?.[VIEWS] ?? 0]
          if (delta[3] === 0 && delta[4] === 0) return
          count(delta)
          pending.deltas.push(delta)
        })
      }
    },
    active: touch,
    tick(now) {
      expire(now)
      const { events, count, seconds, deltas } = pending
      if (count === 0 && deltas.length === 0 && visitors.size === lastActive) return undefined
      pending = { events: [], count: 0, seconds: new Map(), deltas: [] }
      lastActive = visitors.size
      return { now, seconds: [...seconds], events, more: count - events.length, deltas, active: visitors.size }
    },
    view(now) {
      expire(now)
      const rows = [...counts.values()].flatMap(minute => [...minute.values()])
      return { deltas: largest(rows), seconds: [...seconds], active: visitors.size, recent }
    },
  }
}

function largest(rows: LiveDelta[]): LiveDelta[] {
  if (rows.length <= MOST_ROWS) return rows
  // A total is no value among others: it is never given up.
  const sorted = rows.toSorted((a, b) => Number(b[1] === 'total') - Number(a[1] === 'total') || b[3] - a[3])
  const others = new Map<string, LiveDelta>()
  for (const [at, dim, , events, views] of sorted.splice(MOST_ROWS)) {
    const other = others.get(`${at} ${dim}`) ?? [at, dim, OTHER, 0, 0]
    others.set(`${at} ${dim}`, [at, dim, OTHER, other[3] + events, other[4] + views])
  }
  return [...sorted, ...others.values()]
}

/** Leaves out what names a visitor. */
export function toLive(event: LiveFields, received: number): LiveEvent {
  const { id, name, ts, host, path, title, source, device, browser, os, bot, props } = event
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
    ...(bot !== undefined && { bot }),
    ...(props !== undefined && { properties: props }),
  }
}
