/** Reads a time of a site from its sessions and events, into blocks. */
import type { Abortable, ClientSession, Db, FindOptions } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { beginningIn, type RawEvent, type Session } from '../settle/index.ts'
import type { Backfill } from '../sites/index.ts'
import { hashOf, type Seed } from '../sketch/index.ts'
import { type Block, SESSION_FIELDS } from './block.ts'
import { type Builder, type EventRead, type SessionRead, startBlock } from './build.ts'
import { WINDOWS, windowOf } from './visitors.ts'

export interface Span {
  /** ms since the epoch; the end is not included */
  from: number
  to: number
}

export interface RawAsked extends Span {
  site: string
  properties: readonly string[]
  /** adds goals that events do not carry; absent where they carry all */
  backfill?: Backfill | undefined
  seed: Seed
  /** into how many blocks it is divided, by the windows of its sessions' visitors; 1 if absent */
  parts?: number
  /** events and sessions that are read before it gives up */
  most: number
}

export type Options = { session: ClientSession } & Pick<FindOptions, 'maxTimeMS' | 'comment'> & Abortable

/** There is more to read than was allowed. */
export class TooMuchRaw extends Error {
  override name = 'TooMuchRaw'
}

export interface RawRead {
  blocks: Block[]
  /** earliest begin of the sessions that it has something of, and its own at the latest, ms */
  since: number
}

/** Read at once: some ms of this process. */
const TOGETHER = 2_000
const FOUND_AT_ONCE = 1_000
const OF_SESSIONS = Object.fromEntries(
  ['visitor', 'site', 'start', 'end', 'views', 'events', 'bot', ...SESSION_FIELDS].map(field => [field, 1]),
)
const OF_VISITS = Object.fromEntries(['start', 'end', 'views', 'events'].map(field => [`visits.${field}`, 1]))
const OF_EVENTS = Object.fromEntries(
  [...['ts', 'meta.name', 'session', 'visitor', 'path', 'host', 'consent', 'bot', 'goals', 'revenue', 'currency']].map(
    field => [field, 1],
  ),
)

/** All at the moment of the session's snapshot. @throws TooMuchRaw */
export async function readRaw(
  db: Db,
  { site, from, to, properties, backfill, seed, parts = 1, most }: RawAsked,
  options: Options,
): Promise<RawRead> {
  const builders = Array.from({ length: parts }, () => startBlock({ site, from, to, properties, seed }))
  const builderOf = (who: string): Builder =>
    builders[Math.floor((windowOf(hashOf(who, seed)) * parts) / WINDOWS)] as Builder
  const prefix = site.length + 1
  let read = 0
  const count = (): void => {
    if (++read > most) throw new TooMuchRaw('more events than may be read')
  }
  /** by session, without the site */
  const places = new Map<string, Builder>()
  const add = (session: SessionRead): void => {
    const builder = builderOf(session.visitor ?? session._id)
    places.set(session._id.slice(prefix), builder)
    builder.addSession(session)
  }
  /** events of sessions that are not known yet, as these began before, or are not settled */
  const waiting = new Map<string, EventRead[]>()
  const find = async (): Promise<void> => {
    const _id = { $in: [...waiting.keys()].map(id => `${site}:${id}`) }
    for await (const session of sessions.find({ _id }, { ...options, projection })) add(session as SessionRead)
    for (const [id, events] of waiting) {
      const builder = getOrAdd(places, id, () => builderOf(`${site}:${id}`))
      for (const event of events) builder.addEvent(event)
    }
    waiting.clear()
  }

  const range = { $gte: new Date(from), $lt: new Date(to) }
  const sessions = db.collection<Session>('sessions')
  const projection = { ...OF_SESSIONS, ...OF_VISITS }
  const begun = sessions.find(beginningIn(site, range), { ...options, projection, batchSize: TOGETHER })
  for await (const session of begun) {
    count()
    add(session as SessionRead)
  }
  const asked = { _id: 0, ...OF_EVENTS, ...((backfill || properties.length > 0) && { props: 1 }) }
  const happened = db
    .collection<RawEvent>('events')
    .find({ 'meta.site': site, ts: range }, { ...options, projection: asked, batchSize: TOGETHER })
  for await (const stored of happened) {
    count()
    const { session } = stored as EventRead
    const event = backfill ? backfill(stored as EventRead) : (stored as EventRead)
    // What is nobody's lies in the first one.
    const ofOther = event.visitor === undefined ? builders[0] : builderOf(event.visitor)
    const builder = session === undefined ? ofOther : places.get(session)
    if (builder) builder.addEvent(event)
    else getOrAdd(waiting, session as string, () => []).push(event)
    if (waiting.size === FOUND_AT_ONCE) await find()
  }
  await find()
  return {
    since: Math.min(from, ...builders.map(({ since }) => since)),
    blocks: builders.map(builder => builder.done()),
  }
}
