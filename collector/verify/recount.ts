/** Sessions made anew from their events, by the functions with which settle makes them. */
import type { Document } from 'mongodb'
import { ATTRIBUTES, type JournalEvent } from '../journal/index.ts'
import { applyEvent, openSession, type Session, sessionKey } from '../settle/index.ts'
import { COUNTED, readRecord } from './record.ts'
import type { Moment, Scope } from './scope.ts'

export interface Recounted {
  session: Session
  /** events that may be the first or the last one: those at the first or last ms, of page views if there are any */
  firsts: JournalEvent[]
  lasts: JournalEvent[]
}

interface Places {
  first: Edge
  last: Edge
}
interface Edge {
  at: number
  events: JournalEvent[]
}

/** What a session is made of, but for its steps. `width` tells its screen, `props.ms` how long it was engaged. */
const FIELDS: Document = {
  ...COUNTED,
  ...Object.fromEntries(Object.keys(ATTRIBUTES).map(name => [name, 1])),
  width: 1,
  'props.ms': 1,
}

/** @param ids of sessions of the site @param steps whether they are wanted, too */
export async function recount(
  scope: Scope,
  { site, ids, from }: { site: string; ids: string[]; from: number },
  moment: Moment,
  steps = false,
): Promise<Map<string, Recounted>> {
  const drafts = new Map<string, { session: Session; any: Places; views: Places }>()
  const sessions = ids.map(id => id.slice(site.length + 1))
  for await (const event of readRecord(scope, { site, from, sessions }, moment, steps ? {} : FIELDS)) {
    const key = sessionKey(event) ?? ''
    let draft = drafts.get(key)
    if (!draft) {
      draft = { session: openSession(event, key), any: noPlaces(), views: noPlaces() }
      drafts.set(key, draft)
    }
    applyEvent(draft.session, event)
    if (!steps) draft.session.steps.length = 0
    note(draft.any, event)
    if (event.name === 'pageview') note(draft.views, event)
  }
  return new Map(
    [...drafts].map(([key, { session, any, views }]) => {
      const { first, last } = session.views > 0 ? views : any
      return [key, { session, firsts: first.events, lasts: last.events }]
    }),
  )
}

const noPlaces = (): Places => ({
  first: { at: Number.POSITIVE_INFINITY, events: [] },
  last: { at: Number.NEGATIVE_INFINITY, events: [] },
})

function note({ first, last }: Places, event: JournalEvent): void {
  const at = +event.ts
  if (at < first.at) Object.assign(first, { at, events: [] })
  if (at > last.at) Object.assign(last, { at, events: [] })
  if (at === first.at) first.events.push(event)
  if (at === last.at) last.events.push(event)
}
