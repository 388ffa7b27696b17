/** Counts a site's events where they are kept, to hold the places against each other. */
import type { Db } from 'mongodb'
import type { StoredPage } from '../../collector/journal/index.ts'
import { readMinutes } from '../../collector/rollup/index.ts'
import type { RawEvent, Session } from '../../collector/settle/index.ts'

/** Resolves when every page is settled and folded. */
export async function settledAndFolded(db: Db): Promise<boolean> {
  return (await db.collection<StoredPage>('journal').countDocuments({ foldedAt: null as never })) === 0
}

export interface Count {
  /** how often each id is in `events` */
  ids: Map<string, number>
  byName: Map<string, number>
  /** of the rollups, by name */
  rolledUp: Map<string, number>
  total: { events: number; views: number; sessions: number }
  sessions: { sessions: number; events: number; views: number }
}

export async function recount(db: Db, site: string): Promise<Count> {
  const ids = new Map<string, number>()
  const byName = new Map<string, number>()
  for await (const { id, meta } of db
    .collection<RawEvent>('events')
    .find({ 'meta.site': site }, { projection: { id: 1, meta: 1 } })) {
    ids.set(id, (ids.get(id) ?? 0) + 1)
    byName.set(meta.name, (byName.get(meta.name) ?? 0) + 1)
  }
  const session = db.client.startSession({ snapshot: true })
  // Not `db`, whose read concern of its own would stand in the place of the snapshot.
  const minutes = await readMinutes(
    db.client.db(db.databaseName),
    { site, dims: ['total', 'name'], from: 0, to: Number.MAX_SAFE_INTEGER / 1e3 },
    session,
  )
  await session.endSession()
  const rolledUp = new Map<string, number>()
  for (const rows of minutes.get('name')?.values() ?? []) {
    for (const [name, [events = 0]] of rows) rolledUp.set(name, (rolledUp.get(name) ?? 0) + events)
  }
  const total = { events: 0, views: 0, sessions: 0 }
  for (const rows of minutes.get('total')?.values() ?? []) {
    const [events = 0, views = 0, sessions = 0] = rows.get('') ?? []
    total.events += events
    total.views += views
    total.sessions += sessions
  }
  const sessions = { sessions: 0, events: 0, views: 0 }
  for await (const { events, views } of db.collection<Session>('sessions').find({ site })) {
    sessions.sessions++
    sessions.events += events
    sessions.views += views
  }
  return { ids, byName, rolledUp, total, sessions }
}
