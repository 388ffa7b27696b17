/** Sessions made anew from their events, by the functions with which settle makes them. */
import type { Document } from 'mongodb'
import type { JournalEvent } from '../journal/index.ts'
import { applyEvent, openSession, type Session, sessionKey } from '../settle/index.ts'
import { readRecord } from './record.ts'
import type { Moment, Scope } from './scope.ts'

export interface Recounted {
  session: Session
  /** paths that may be its entry or exit: of the events at the first or last ms */
  entries: Set<string>
  exits: Set<string>
}

interface Places {
  first: Edge
  last: Edge
}
interface Edge {
  at: number
  paths: Set<string>
}

/** @param ids of sessions of the site @param fields all of them where the steps are wanted, too */
export async function recount(
  scope: Scope,
  { site, ids, from }: { site: string; ids: string[]; from: number },
  moment: Moment,
  fields?: Document,
): Promise<Map<string, Recounted>> {
  const drafts = new Map<string, { session: Session; any: Places; views: Places }>()
  const sessions = ids.map(id => id.slice(site.length + 1))
  for await (const event of readRecord(scope, { site, from, sessions }, moment, fields)) {
    const key = sessionKey(event) ?? ''
    let draft = drafts.get(key)
    if (!draft) {
      draft = { session: openSession(event, key), any: noPlaces(), views: noPlaces() }
      drafts.set(key, draft)
    }
    applyEvent(draft.session, event)
    if (!fields) draft.session.steps.length = 0
    note(draft.any, event)
    if (event.name === 'pageview') note(draft.views, event)
  }
  return new Map(
    [...drafts].map(([key, { session, any, views }]) => {
      const { first, last } = session.views > 0 ? views : any
      return [key, { session, entries: first.paths, exits: last.paths }]
    }),
  )
}

const noPlaces = (): Places => ({
  first: { at: Number.POSITIVE_INFINITY, paths: new Set() },
  last: { at: Number.NEGATIVE_INFINITY, paths: new Set() },
})

function note({ first, last }: Places, { ts, path }: JournalEvent): void {
  if (+ts < first.at) Object.assign(first, { at: +ts, paths: new Set() })
  if (+ts > last.at) Object.assign(last, { at: +ts, paths: new Set() })
  if (+ts === first.at) first.paths.add(path)
  if (+ts === last.at) last.paths.add(path)
}
