/**
 * What one site's viewers see: counters of the last 30 minutes and of the site's day, what arrives, active visitors. Pure
 * state: documents go in, the messages of `messages.ts` come out. Everything in it has a bound.
 */
import type { Delta, Dimension, HourDelta, HourDimension } from '../journal/index.ts'
import type { Hours, Minutes } from '../rollup/index.ts'
import { ACTIVE_MS, createActiveVisitors, type Traits } from './active.ts'
import { createArrivals } from './arrivals.ts'
import { createCounts } from './counts.ts'
import type { LiveSnapshot, LiveTick, LiveVisitors } from './messages.ts'
import type { LiveFields } from './stream.ts'
import { createToday } from './today.ts'

export interface Room {
  /** Takes the counters as read at one moment. */
  load(minutes: Map<Dimension, Minutes>, hours: Map<HourDimension, Hours>): void
  inserted(events: LiveFields[], received: number): void
  settled(deltas: Delta[], hours: HourDelta[]): void
  /** A visitor was active. */
  active(visitor: string, at: number, traits: Traits): void
  /** What met a goal before, oldest first. */
  converted(events: { event: LiveFields; received: number }[]): void
  /** Different visitors of the day, as counted anew. */
  visitors(counted: LiveVisitors): void
  /** What changed since the last call; `undefined` when nothing did. */
  tick(now: number): LiveTick | undefined
  view(now: number): Omit<LiveSnapshot, 'site' | 'now' | 'everSeen'>
}

/** @param timezone of the site */
export function createRoom(timezone: string): Room {
  const counts = createCounts()
  const today = createToday(timezone)
  const arrivals = createArrivals()
  const active = createActiveVisitors()
  let lastActive = 0
  const expire = (now: number): void => {
    for (const part of [counts, arrivals, active]) part.expire(now)
  }

  return {
    load(minutes, hours) {
      counts.load(minutes)
      today.load(hours)
    },
    inserted(events, received) {
      arrivals.inserted(events, received)
      for (const { visitor, session, ts, bot, path, source, country } of events) {
        const who = visitor ?? session
        if (who === undefined || bot !== undefined || +ts < received - ACTIVE_MS) continue
        active.touch(who, received, { page: path, source: source === 'internal' ? '' : source, country })
      }
    },
    settled(deltas, hours) {
      counts.settled(deltas)
      today.settled(hours)
    },
    active: active.touch,
    converted: arrivals.converted,
    visitors: today.visitors,
    tick(now) {
      expire(now)
      const { seconds, events, more } = arrivals.take(now)
      const deltas = counts.take()
      const activeBy = active.changed(now)
      const day = today.take(now)
      const isQuiet = events.length + more + deltas.length === 0 && active.count() === lastActive
      if (isQuiet && !activeBy && !day) return undefined
      lastActive = active.count()
      return {
        now,
        seconds,
        events,
        more,
        deltas,
        active: lastActive,
        ...(activeBy && { activeBy }),
        ...(day && { today: day }),
      }
    },
    view(now) {
      expire(now)
      return {
        deltas: counts.all(),
        ...arrivals.all(),
        active: active.count(),
        activeBy: active.lists(),
        today: today.all(now),
      }
    },
  }
}
