/** Fills a room with one snapshot read: counters, active visitors, the newest events. */
import { setTimeout as pause } from 'node:timers/promises'
import { type ClientSession, type Db, type MongoClient, ObjectId, type Timestamp } from 'mongodb'
import { eventsOf, type StoredPage } from '../journal/index.ts'
import { readMinutes } from '../rollup/index.ts'
import { lanes, type Session } from '../settle/index.ts'
import { ACTIVE_MS, type Room, WINDOW_MS } from './room.ts'
import { eventFields } from './stream.ts'

/** Newest journal pages read to fill a room's seconds and events. */
const RECENT_PAGES = 100
const MOST_SESSIONS = 100_000
/** How long to wait until a snapshot shows what the stream has told already, ms. */
const PATIENCE_MS = 10_000

export interface Loaded {
  /** cluster time of the snapshot: what comes after it is not in the room yet */
  at: Timestamp
  /** whether the site has ever had a session */
  everSeen: boolean
}

/**
 * @param reached up to where the stream has told already. A snapshot is of what a majority is known to have, which on a
 *   replica set is behind the time at which a stream was opened, and after an election behind what was told before it:
 *   what lies between would be in neither, so an older snapshot is thrown away and another one read.
 * @throws when none is new enough in 10 s
 */
export async function loadRoom(
  client: MongoClient,
  db: Db,
  site: string,
  room: Room,
  now: number,
  reached: Timestamp,
): Promise<Loaded> {
  const start = performance.now()
  for (let wait = 20; ; wait = Math.min(2 * wait, 500)) {
    const loaded = await client.withSession({ snapshot: true }, session => load(db, site, room, now, reached, session))
    if (loaded) return loaded
    if (performance.now() - start > PATIENCE_MS) throw new Error('no majority has what the live stream has told')
    await pause(wait)
  }
}

/** @returns `undefined`, with nothing put in the room, where the snapshot is older than the stream */
async function load(
  db: Db,
  site: string,
  room: Room,
  now: number,
  reached: Timestamp,
  session: ClientSession,
): Promise<Loaded | undefined> {
  // The first read tells of when the snapshot is: any will do.
  await lanes(db).findOne({}, { session, projection: { _id: 1 } })
  const { snapshotTime: at } = session as unknown as { snapshotTime?: Timestamp }
  if (!at || at.lt(reached)) return undefined
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
  return { at, everSeen: seen !== null }
}
