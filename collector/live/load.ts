/** Fills a room with one snapshot read: counters, active visitors, the newest events; and what met a goal before them. */
import { setTimeout as pause } from 'node:timers/promises'
import { type ClientSession, type Db, type MongoClient, ObjectId, type Timestamp } from 'mongodb'
import { DIMENSIONS, eventsOf, type StoredPage } from '../journal/index.ts'
import { readMinutes, readSums } from '../rollup/index.ts'
import { lanes, type Session } from '../settle/index.ts'
import { dayOf, type Site } from '../sites/index.ts'
import { ACTIVE_MS } from './active.ts'
import { WINDOW_MS } from './counts.ts'
import type { Room } from './room.ts'
import { eventFields, type LiveFields } from './stream.ts'
import { TODAY_DIMENSIONS } from './today.ts'

/** Newest journal pages read to fill a room's seconds and events. */
const RECENT_PAGES = 100
const MOST_SESSIONS = 100_000
/** How long to wait until a snapshot shows what the stream has told already, ms. */
const PATIENCE_MS = 10_000
const DAY_MS = 86_400_000
/** For how long, and of how many pages, conversions of before are looked for: as the journal is kept; ms. */
const CONVERTED = { ms: 15 * 60_000, pages: 50, maxTimeMS: 300 } as const

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
  site: Site,
  room: Room,
  now: number,
  reached: Timestamp,
): Promise<Loaded> {
  const start = performance.now()
  const converted = readConverted(db, site, now)
  for (let wait = 20; ; wait = Math.min(2 * wait, 500)) {
    const loaded = await client.withSession({ snapshot: true }, session => load(db, site, room, now, reached, session))
    if (loaded) {
      room.converted(await converted)
      return loaded
    }
    if (performance.now() - start > PATIENCE_MS) throw new Error('no majority has what the live stream has told')
    await pause(wait)
  }
}

/** @returns `undefined`, with nothing put in the room, where the snapshot is older than the stream */
async function load(
  db: Db,
  { key: site, timezone }: Site,
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
  const minutes = await readMinutes(db, { site, dims: DIMENSIONS, from: now - WINDOW_MS, to }, session)
  const day = dayOf(now, timezone)
  // The next day may begin while this is read.
  const hours = { site, dims: TODAY_DIMENSIONS, from: day.start, to: day.end + DAY_MS }
  room.load(minutes, await readSums(db, hours, session))
  const active = db
    .collection<Session>('sessions')
    .find(
      { site, end: { $gte: new Date(now - ACTIVE_MS) }, bot: { $exists: false } },
      { session, projection: { visitor: 1, end: 1, exit: 1, source: 1, country: 1 } },
    )
    .sort({ end: 1 })
    .limit(MOST_SESSIONS)
  for await (const { _id, visitor, end, exit: page, source, country } of active)
    room.active(visitor ?? _id.slice(site.length + 1), +end, { page, source, country })
  const pages = await db
    .collection<StoredPage>('journal')
    .find(
      { _id: { $gte: ObjectId.createFromTime((now - ACTIVE_MS) / 1000) }, 'envelopes.site': site },
      { session, projection: { at: 1, ...eventFields('envelopes') } },
    )
    .sort({ _id: -1 })
    .limit(RECENT_PAGES)
    .toArray()
  for (const page of pages.reverse()) room.inserted(eventsIn(page, site), +page.at)
  const seen = await db.collection<Session>('sessions').findOne({ site }, { projection: { _id: 1 } })
  return { at, everSeen: seen !== null }
}

const eventsIn = ({ envelopes }: StoredPage, site: string): LiveFields[] =>
  eventsOf(envelopes.filter(envelope => envelope.site === site))

/** The newest events that met a goal, oldest first: to be shown only, so that none is better than a long wait for them. */
async function readConverted(db: Db, site: Site, now: number): Promise<{ event: LiveFields; received: number }[]> {
  if (!site.goals?.length) return []
  const pages = await db
    .collection<StoredPage>('journal')
    .find(
      {
        _id: { $gte: ObjectId.createFromTime((now - CONVERTED.ms) / 1000) },
        envelopes: { $elemMatch: { site: site.key, 'events.goals': { $exists: true } } },
      },
      { maxTimeMS: CONVERTED.maxTimeMS, projection: { at: 1, ...eventFields('envelopes') } },
    )
    .sort({ _id: -1 })
    .limit(CONVERTED.pages)
    .toArray()
    .catch((): StoredPage[] => [])
  return pages.reverse().flatMap(page =>
    eventsIn(page, site.key)
      .filter(({ goals }) => goals?.length)
      .map(event => ({ event, received: +page.at })),
  )
}
