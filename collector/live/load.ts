/** Fills a room with one snapshot read: counters, active visitors, the newest events. */
import { type Db, type MongoClient, ObjectId, type Timestamp } from 'mongodb'
import { eventsOf, type StoredPage } from '../journal/index.ts'
import { readMinutes } from '../rollup/index.ts'
import type { Session } from '../settle/index.ts'
import { ACTIVE_MS, type Room, WINDOW_MS } from './room.ts'
import { eventFields } from './stream.ts'

/** Newest journal pages read to fill a room's seconds and events. */
const RECENT_PAGES = 100
const MOST_SESSIONS = 100_000

export interface Loaded {
  /** cluster time of the snapshot: what comes after it is not in the room yet */
  at: Timestamp | undefined
  /** whether the site has ever had a session */
  everSeen: boolean
}

export async function loadRoom(client: MongoClient, db: Db, site: string, room: Room, now: number): Promise<Loaded> {
  return await client.withSession({ snapshot: true }, async session => {
    const to = now + ACTIVE_MS
    room.load(await readMinutes(db, { site, dims: ['total', 'name', 'page'], from: now - WINDOW_MS, to }, session))
    const active = db
      .collection<Session>('sessions')
      .find({ site, end: { $gte: new Date(now - ACTIVE_MS) } }, { session, projection: { visitor: 1, end: 1 } })
      .sort({ end: 1 })
      .limit(MOST_SESSIONS)
    for await (const { _id, visitor, end } of active) room.active(visitor ?? _id.slice(site.length + 1), +end)
    const pages = await db
      .collection<StoredPage>('journal')
      .find(
        { _id: { $gte: ObjectId.createFromTime((now - ACTIVE_MS) / 1000) }, 'envelopes.site': site },
        { session, projection: { at: 1, ...eventFields('envelopes') } },
      )
      .sort({ _id: -1 })
      .limit(RECENT_PAGES)
      .toArray()
    for (const page of pages.reverse()) {
      room.inserted(eventsOf(page.envelopes.filter(envelope => envelope.site === site)), +page.at)
    }
    const seen = await db.collection<Session>('sessions').findOne({ site }, { projection: { _id: 1 } })
    const { snapshotTime } = session as unknown as { snapshotTime?: Timestamp }
    return { at: snapshotTime, everSeen: seen !== null }
  })
}
