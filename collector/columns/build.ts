/** Makes a block of sessions and events, as they come. */
import { NONE } from '../rollup/index.ts'
import type { RawEvent, Session } from '../settle/index.ts'
import { hashOf, type Seed } from '../sketch/index.ts'
import { type Block, type Column, type ColumnName, EVENT_FIELDS, SESSION_FIELDS } from './block.ts'
import { Growing, NOTHING, narrowed } from './numbers.ts'
import { talliesOf } from './tally.ts'
import { propertyText } from './text.ts'

/** What of an event is kept. */
export type EventRead = Pick<RawEvent, 'ts' | 'meta'> & {
  session?: string
  visitor?: string
  path?: string
  host?: string
  consent?: string
  bot?: string
  goals?: string[]
  revenue?: number
  currency?: string
  props?: Record<string, unknown>
}
export type SessionRead = Pick<
  Session,
  '_id' | 'site' | 'visitor' | 'start' | 'end' | 'views' | 'events' | 'visits' | 'bot'
> & {
  [field in (typeof SESSION_FIELDS)[number]]?: string
}

interface Asked {
  site: string
  from: number
  to: number
  /** names of properties that become columns */
  properties: readonly string[]
  seed: Seed
}

/** Codes of texts, in the order in which they come. */
class Texts {
  readonly places = new Map<string, number>()
  readonly codes = new Growing()
  codeOf(text: string): number {
    const held = this.places.get(text)
    if (held !== undefined) return held
    this.places.set(text, this.places.size)
    return this.places.size - 1
  }
  column(order?: Uint32Array): Column {
    return { numbers: narrowed(this.codes.all(), order), texts: [...this.places.keys()] }
  }
}

const plain = (numbers: Column['numbers']): Column => ({ numbers, texts: [] })

export interface Builder {
  /** how many events it has */
  readonly events: number
  /** earliest begin of its sessions, ms; its end where there is none */
  readonly since: number
  addSession(session: SessionRead): void
  addEvent(event: EventRead): void
  done(): Block
}

export function startBlock({ site, from, to, properties, seed }: Asked): Builder {
  const prefix = `${site}:`
  const sessions = new Map<string, number>()
  const given: (SessionRead | undefined)[] = []
  const attributes = SESSION_FIELDS.map(field => [field, new Texts()] as const)
  const whos = new Texts()
  const fields = EVENT_FIELDS.map(field => [field, new Texts()] as const)
  const props = properties.map(name => [name, new Texts()] as const)
  // What is read without blocks may be longer than 32 bits of ms.
  const at = new Growing(to - from > 0xffff_ffff)
  const [sessionOf, whoOf, revenue] = [new Growing(), new Growing(), new Growing(true)]
  let since = to

  const placeOf = (id: string): number => {
    const held = sessions.get(id)
    if (held !== undefined) return held
    sessions.set(id, given.length)
    given.push(undefined)
    return given.length - 1
  }

  const textOf = (event: EventRead, field: (typeof EVENT_FIELDS)[number]): string => {
    if (field === 'name') return event.meta.name || NONE
    if (field === 'goals') return event.goals?.length ? JSON.stringify(event.goals) : '[]'
    if (field === 'currency') return event.currency ?? ''
    return event[field] || NONE
  }

  return {
    get events() {
      return at.length
    },
    get since() {
      return since
    },
    addSession(session) {
      given[placeOf(session._id.slice(prefix.length))] = session
      since = Math.min(since, +session.start)
    },
    addEvent(event) {
      at.push(+event.ts - from)
      sessionOf.push(event.session === undefined ? NOTHING : placeOf(event.session))
      const who = event.visitor ?? event.session
      whoOf.push(who === undefined ? NOTHING : whos.codeOf(who))
      for (const [field, texts] of fields) texts.codes.push(texts.codeOf(textOf(event, field)))
      for (const [name, texts] of props) texts.codes.push(texts.codeOf(propertyText(event.props?.[name])))
      revenue.push(event.currency === undefined ? 0 : (event.revenue ?? 0))
    },
    done() {
      const columns = new Map<ColumnName, Column>()
      const n = given.length
      const order = orderOf(sessionOf.all(), at.all(), n)
      const visits = visitsOf(given)
      const ids = [...sessions.keys()]
      const [bot, who, key, open] = [new Growing(), new Growing(), new Growing(true), new Growing()]
      for (const [i, session] of given.entries()) {
        for (const [field, texts] of attributes) texts.codes.push(texts.codeOf(session?.[field] || NONE))
        bot.push(session?.bot === undefined ? 0 : 1)
        // Of one that is not there nobody asks.
        who.push(session ? whos.codeOf(session.visitor ?? session._id) : NOTHING)
        key.push(hashOf(ids[i] ?? '', seed))
        open.push(!session || +session.start < from || +session.end >= to ? 1 : 0)
      }
      const starts = startsOf(sessionOf.all(), n)
      for (const [field, texts] of attributes) columns.set(`session.${field}`, texts.column())
      for (const [name, numbers] of Object.entries({ bot, who, key, open }))
        columns.set(`session.${name}`, plain(narrowed(numbers.all())))
      columns.set('session.events', plain(narrowed(starts)))
      columns.set('session.visits', plain(narrowed(visits.first.all())))
      for (const name of ['start', 'end', 'views', 'events', 'apart'] as const)
        columns.set(`visit.${name}`, plain(narrowed(visits[name].all())))
      const apart = visits.isApart
      if (apart)
        columns.set('event.visit', plain(narrowed(visitOfEvents(visits, sessionOf.all(), at.all(), from), order)))
      columns.set('event.at', plain(narrowed(at.all(), order)))
      columns.set('event.who', plain(narrowed(whoOf.all(), order)))
      columns.set('event.revenue', plain(narrowed(revenue.all(), order)))
      for (const [field, texts] of fields) columns.set(`event.${field}`, texts.column(order))
      for (const [name, texts] of props) columns.set(`event.props.${name}`, texts.column(order))
      for (const [name, column] of talliesOf(columns, n)) columns.set(name, column)
      const hashes = Float64Array.from(whos.places.keys(), text => hashOf(text, seed))
      columns.set('who.hash', plain(hashes))
      return { from, to, sessions: n, visits: visits.start.length, events: at.length, apart, columns }
    },
  }
}

/** Places of events, by session and then by time; of one ms in the order in which they came. */
function orderOf(sessions: ArrayLike<number>, at: ArrayLike<number>, count: number): Uint32Array {
  const next = startsOf(sessions, count)
  const starts = next.slice()
  const order = new Uint32Array(sessions.length)
  for (let i = 0; i < sessions.length; i++) {
    const place = Math.min(sessions[i] ?? count, count)
    const free = next[place] ?? 0
    order[free] = i
    next[place] = free + 1
  }
  for (let s = 0; s < count; s++) {
    const [from = 0, to = 0] = [starts[s], starts[s + 1]]
    if (to - from > 1) order.subarray(from, to).sort((a, b) => (at[a] ?? 0) - (at[b] ?? 0) || a - b)
  }
  return order
}

/** Where the events of each session begin, and behind the last where those without one do. */
function startsOf(sessions: ArrayLike<number>, count: number): Uint32Array {
  const starts = new Uint32Array(count + 1)
  for (let i = 0; i < sessions.length; i++) {
    const place = sessions[i] ?? NOTHING
    if (place < count) starts[place + 1] = (starts[place + 1] ?? 0) + 1
  }
  for (let s = 1; s <= count; s++) starts[s] = (starts[s] ?? 0) + (starts[s - 1] ?? 0)
  return starts
}

interface Visits {
  first: Growing
  start: Growing
  end: Growing
  views: Growing
  events: Growing
  apart: Growing
  isApart: boolean
}

/**
 * The visits of each session: itself, or those of a cookieless day. Behind these comes one that nothing is known of, for
 * events that are in none, as they are not settled yet; so it is of a session that is not there.
 */
function visitsOf(given: readonly (SessionRead | undefined)[]): Visits {
  const [first, views, events, apart] = [new Growing(), new Growing(), new Growing(), new Growing()]
  const made: Visits = { first, start: new Growing(true), end: new Growing(true), views, events, apart, isApart: false }
  const add = (start: number, end: number, seen: number, happened: number, isApart: boolean): void => {
    made.start.push(start)
    made.end.push(end)
    views.push(seen)
    events.push(happened)
    apart.push(isApart ? 1 : 0)
  }
  for (const session of given) {
    first.push(made.start.length)
    for (const visit of session?.visits ?? (session ? [session] : []))
      add(+visit.start, +visit.end, visit.views, visit.events, session?.visits !== undefined)
    if (!session || session.visits) add(Number.NaN, Number.NaN, NOTHING, NOTHING, false)
    made.isApart ||= session?.visits !== undefined
  }
  first.push(made.start.length)
  return made
}

/** The visit of each event: of a cookieless day the one in whose time it is. */
function visitOfEvents(
  { first, start, end }: Visits,
  sessions: ArrayLike<number>,
  at: ArrayLike<number>,
  from: number,
) {
  const visits = new Uint32Array(sessions.length)
  for (let i = 0; i < sessions.length; i++) {
    const session = sessions[i] ?? NOTHING
    if (session === NOTHING) {
      visits[i] = NOTHING
      continue
    }
    const last = first.get(session + 1) - 1
    const time = from + (at[i] ?? 0)
    let visit = first.get(session)
    while (visit < last && !(start.get(visit) <= time && end.get(visit) >= time)) visit++
    visits[i] = visit
  }
  return visits
}
