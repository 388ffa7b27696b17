/** Events as sketches and scans count their visitors: whose each is, and what it is told apart by. */
import type { Abortable, Db, FindOptions } from 'mongodb'
import { NONE } from '../rollup/index.ts'
import type { RawEvent } from '../settle/index.ts'
import type { EventField } from './documents.ts'
import { hashOf, type Seed } from './hash.ts'
import type { Span } from './visits.ts'

export interface SketchedEvent {
  at: number
  /** of the visitor, or else of the session: who has neither is nobody */
  hash: number
  event: Pick<RawEvent, 'meta'> & { path?: string; host?: string; goals?: string[] }
}

export interface EventsAsked extends Span {
  site: string
  told: readonly (EventField | 'events' | 'views')[]
  seed: Seed
}

/** Read at once: some ms of this process. */
const TOGETHER = 2_000
const STORED: Record<string, string> = { goal: 'goals', page: 'path', pageHost: 'host' }

const isOfViews = (told: EventField | 'events' | 'views'): boolean =>
  told === 'views' || told === 'page' || told === 'pageHost'

/** Without bots. */
export async function* eventsIn(
  db: Db,
  { site, from, to, told, seed }: EventsAsked,
  options: FindOptions & Abortable,
): AsyncGenerator<SketchedEvent> {
  const asked = ['ts', 'meta.name', 'visitor', 'session', ...told.flatMap(one => STORED[one] ?? [])]
  const filter = {
    'meta.site': site,
    ...(told.every(isOfViews) && { 'meta.name': 'pageview' }),
    ts: { $gte: new Date(from), $lt: new Date(to) },
    bot: { $exists: false },
    // Who has neither is nobody.
    $or: [{ visitor: { $exists: true } }, { session: { $exists: true } }],
  }
  const found = db
    .collection<SketchedEvent['event'] & { ts: Date; visitor?: string; session?: string }>('events')
    .find(filter as object, {
      ...options,
      projection: { _id: 0, ...Object.fromEntries(asked.map(field => [field, 1])) },
      batchSize: TOGETHER,
    })
  for await (const { ts, visitor, session, ...event } of found) {
    const who = visitor ?? session
    if (who !== undefined) yield { at: +ts, hash: hashOf(who, seed), event }
  }
}

/** Those of an event: none where it is not of the kind that is told apart. Empty is as if absent. */
export function textsOf(
  { meta, path, host, goals = [] }: SketchedEvent['event'],
  told: EventField | 'events' | 'views',
): readonly string[] {
  if (told === 'goal') return goals
  if (told === 'name') return [meta.name]
  if (told === 'events') return ['']
  if (meta.name !== 'pageview') return []
  return told === 'views' ? [''] : [(told === 'page' ? path : host) || NONE]
}
