/**
 * A site's made-up history, minute by minute. Visits are drawn in the order in which they begin, each with all of its
 * events, so that only what is not over yet has to be held: a visit's next minutes, and the later visits of a cookieless
 * day. Pure: the same plan gives the same history.
 */
import { getOrAdd } from '../get-or-add.ts'
import type { JournalEvent } from '../journal/index.ts'
import { applyEvent, MINUTE_MS, minuteOf, openSession, type Session, sessionKey } from '../settle/index.ts'
import { dayOf, type Site } from '../sites/index.ts'
import { type Draw, drawFrom, hashOf } from './draw.ts'
import { botPerson, cookielessPerson, type Person, personOf } from './people.ts'
import { seasonOf } from './season.ts'
import { visit } from './visit.ts'

export interface Plan {
  site: Site
  seed: number
  /** how many of them, all together */
  events: number
  /** begin of the first day of the site, and end of the last one, ms */
  from: number
  to: number
  /** the share of visitors of whom the device keeps nothing */
  cookieless: number
}

/** What happened in one minute. */
export interface Minute {
  /** its begin, ms */
  at: number
  /** in the order of their time */
  events: JournalEvent[]
  /** that begin in it, with all of their events, also those that come later */
  sessions: Session[]
  /** visitors who are met for the first time, without bots */
  visitors: number
}

/** Shares of all visits. */
const BOTS = 0.03
const AGAIN = 0.36
/** A cookieless visitor's further visits on the day: each in this share, between one and nine hours after the last. */
const LATER = { share: 0.2, least: 3_600_000, most: 9 * 3_600_000 } as const

/** @param stopped once it is true no visit begins any more; those that have begun are told to their end */
export function* historyOf(plan: Plan, stopped: () => boolean = () => false): Generator<Minute> {
  const { events: most, from, to } = plan
  // The site is left out: the same seed is the same history everywhere.
  const name = [plan.seed, most, from, to, plan.cookieless].join()
  const draw = drawFrom(name)
  const season = seasonOf(from, to, plan.site.timezone, draw)
  const drawVisits = visitsOf(plan, draw, hashOf(name))
  const later = new Map<number, JournalEvent[]>()
  let told = 0
  for (const [m, share] of season.entries()) {
    const at = from + m * MINUTE_MS
    const minute: Minute = { at, events: [], sessions: [], visitors: 0 }
    while (told < Math.round(share * most) && !stopped()) {
      const { events, isNew } = drawVisits(at + draw.whole(0, MINUTE_MS - 1))
      if (events.length > most - told) events.length = most - told
      told += events.length
      const session = sessionOf(events)
      if (session) minute.sessions.push(session)
      if (isNew) minute.visitors++
      for (const event of events) getOrAdd<number, JournalEvent[]>(later, minuteOf(event.ts), () => []).push(event)
    }
    minute.events = (later.get(at) ?? []).sort((a, b) => a.ts.getTime() - b.ts.getTime())
    later.delete(at)
    if (minute.events.length > 0) yield minute
    if (later.size === 0 && stopped()) return
  }
}

/** As settle makes it of the same events. */
function sessionOf(events: JournalEvent[]): Session | undefined {
  const [first] = events
  const key = first && sessionKey(first)
  if (!first || key === undefined) return undefined
  const session = openSession(first, key)
  for (const event of events) applyEvent(session, event)
  return session
}

interface Drawn {
  /** of one session, in the order of their time */
  events: JournalEvent[]
  isNew: boolean
}

function visitsOf({ site, to, cookieless }: Plan, draw: Draw, basis: number): (start: number) => Drawn {
  /** visitors with ids, by their number */
  let met = 0
  const go = (person: Person, start: number, until: number, again: boolean) =>
    visit(site, draw, { person, session: draw.id(), again }, start, until)
  /** Somebody who was met before, rather lately; not the very newest, who may still be there. */
  const again = (): number => {
    const known = Math.floor(met * 0.99)
    return known - Math.floor(known ** draw.share())
  }
  return start => {
    if (draw.chance(BOTS)) return { events: go(botPerson(draw), start, to, false), isNew: false }
    if (draw.chance(cookieless)) {
      const person = cookielessPerson(draw)
      const until = Math.min(dayOf(start, site.timezone).end, to)
      const events = go(person, start, until, false)
      for (let at = start; draw.chance(LATER.share); ) {
        at = (events.at(-1)?.ts.getTime() ?? at) + draw.whole(LATER.least, LATER.most)
        if (at < until) events.push(...go(person, at, until, true))
      }
      return { events, isNew: true }
    }
    if (met > 100 && draw.chance(AGAIN)) return { events: go(personOf(basis, again()), start, to, true), isNew: false }
    return { events: go(personOf(basis, met++), start, to, false), isNew: true }
  }
}
