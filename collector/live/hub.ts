/**
 * Fan-out: one room a site that is being watched, one stream for all rooms. A room is filled by one snapshot read and
 * takes only deltas after its cluster time (reading first and adding later was wrong in 31 of 100 tries, DESIGN §1);
 * a viewer joins what the room holds, in one turn of the event loop.
 */
import { type Db, type MongoClient, ObjectId, type Timestamp } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import type { Delta, JournalPage } from '../journal/index.ts'
import type { Log } from '../log.ts'
import { readMinutes } from '../rollup/index.ts'
import type { Session } from '../settle/index.ts'
import type { Site } from '../sites/index.ts'
import type { LiveSnapshot } from './messages.ts'
import { createRecord, type Record } from './record.ts'
import { ACTIVE_MS, createRoom, type Room, WINDOW_MS } from './room.ts'
import { eventFields, type LiveFields, type LiveStream, openStream } from './stream.ts'

/** At most this often a room sends a tick, ms. */
const TICK_MS = 50
/** How long a room is kept after its last viewer left, ms: a reload finds it as it was. */
const LINGER_MS = 30_000
/** Newest journal pages read to fill a room's seconds and events. */
const RECENT_PAGES = 100
const MOST_SESSIONS = 100_000

export interface Viewer {
  /** @param id what the browser gives back as `Last-Event-ID` */
  send(event: 'snapshot' | 'tick', id: string, data: string): void
}

export interface Hub {
  /** Joins a site's viewers; the first message comes before it resolves. Call the result to leave. */
  join(site: Site, viewer: Viewer, lastEventId?: string): Promise<() => void>
  /** The snapshot as it is now, for a viewer that could not keep up. */
  refresh(site: Site, viewer: Viewer): void
  readonly viewers: number
  close(): Promise<void>
}

interface Watched {
  site: Site
  room: Room
  record: Record
  viewers: Set<Viewer>
  ready: Promise<void>
  /** what comes while the snapshot is read */
  early: { at: Timestamp; apply(): void }[] | undefined
  everSeen: boolean
  emptySince: number
}

export function createHub(client: MongoClient, db: Db, log: Log, clock: () => number = Date.now): Hub {
  const watched = new Map<string, Watched>()
  let stream: Promise<LiveStream> | undefined
  let timer: NodeJS.Timeout | undefined

  const bySite = <T extends { site: string }>(items: T[]): Map<string, T[]> => {
    const map = new Map<string, T[]>()
    for (const item of items) if (watched.has(item.site)) getOrAdd<string, T[]>(map, item.site, () => []).push(item)
    return map
  }
  const take = (site: string, at: Timestamp, apply: (room: Room) => void): void => {
    const entry = watched.get(site)
    if (entry?.early) entry.early.push({ at, apply: () => apply(entry.room) })
    else if (entry) apply(entry.room)
  }
  const listener = {
    inserted(events: LiveFields[], received: Date, at: Timestamp) {
      for (const [site, list] of bySite(events)) take(site, at, room => room.inserted(list, +received))
    },
    settled(deltas: Delta[], at: Timestamp) {
      for (const [site, list] of bySite(deltas)) take(site, at, room => room.settled(list))
    },
    interrupted(error: unknown) {
      if (error) return log.warn({ err: error }, 'the live stream was interrupted')
      // Something may have been missed: read everything anew.
      for (const entry of watched.values()) {
        fill(entry)
        void entry.ready.then(
          () => {
            for (const viewer of entry.viewers) sendSnapshot(entry, viewer)
          },
          () => {},
        )
      }
    },
  }

  const fill = (entry: Watched): void => {
    entry.room = createRoom()
    entry.record = createRecord()
    entry.early = []
    entry.ready = (async () => {
      stream ??= openStream(db, listener)
      stream.catch(() => {
        stream = undefined
      })
      await stream
      const at = await load(client, db, entry, clock())
      for (const change of entry.early ?? []) if (!at || change.at.gt(at)) change.apply()
      entry.early = undefined
      // What is in the snapshot must not come again as a tick.
      entry.room.tick(clock())
    })()
    entry.ready.catch(error => {
      log.warn({ err: error, site: entry.site.key }, 'a live view could not be filled')
      if (watched.get(entry.site.key) === entry) watched.delete(entry.site.key)
    })
  }

  const snapshot = (entry: Watched): string => {
    const now = clock()
    const view = entry.room.view(now)
    const { key, domain, consent, timezone } = entry.site
    const everSeen = entry.everSeen || view.recent.length > 0 || view.deltas.length > 0
    return JSON.stringify({ site: { key, domain, consent, timezone }, now, ...view, everSeen } satisfies LiveSnapshot)
  }
  /** Flushes the tick first, so that the snapshot and the next tick don't overlap. */
  const sendSnapshot = (entry: Watched, viewer: Viewer): void => {
    sendTick(entry)
    viewer.send('snapshot', entry.record.lastId(), snapshot(entry))
  }
  const sendTick = (entry: Watched): void => {
    const tick = entry.early ? undefined : entry.room.tick(clock())
    if (!tick) return
    const data = JSON.stringify(tick)
    const id = entry.record.add(data)
    for (const viewer of entry.viewers) viewer.send('tick', id, data)
  }
  const beat = (): void => {
    for (const [key, entry] of watched) {
      sendTick(entry)
      if (entry.viewers.size > 0) entry.emptySince = clock()
      else if (clock() - entry.emptySince > LINGER_MS) watched.delete(key)
    }
    if (watched.size === 0) stop()
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
    const ending = stream
    stream = undefined
    void ending?.then(
      open => open.close(),
      () => {},
    )
  }

  return {
    async join(site, viewer, lastEventId) {
      let entry = watched.get(site.key)
      if (!entry) {
        entry = {
          site,
          room: createRoom(),
          record: createRecord(),
          viewers: new Set(),
          ready: Promise.resolve(),
          early: undefined,
          everSeen: false,
          emptySince: clock(),
        }
        watched.set(site.key, entry)
        fill(entry)
        timer ??= setInterval(beat, TICK_MS)
      }
      await entry.ready
      entry.site = site
      const missed = lastEventId === undefined ? undefined : entry.record.after(lastEventId)
      if (missed) for (const { id, data } of missed) viewer.send('tick', id, data)
      else sendSnapshot(entry, viewer)
      entry.viewers.add(viewer)
      const { viewers } = entry
      return () => void viewers.delete(viewer)
    },
    refresh(site, viewer) {
      const entry = watched.get(site.key)
      if (entry) sendSnapshot(entry, viewer)
    },
    get viewers() {
      return [...watched.values()].reduce((sum, { viewers }) => sum + viewers.size, 0)
    },
    async close() {
      watched.clear()
      const ending = stream
      stop()
      await ending?.then(
        open => open.close(),
        () => {},
      )
    },
  }
}

/** Fills a room with one snapshot read; gives back the cluster time of that snapshot. */
async function load(client: MongoClient, db: Db, entry: Watched, now: number): Promise<Timestamp | undefined> {
  const site = entry.site.key
  return await client.withSession({ snapshot: true }, async session => {
    const to = now + ACTIVE_MS
    entry.room.load(
      await readMinutes(db, { site, dims: ['total', 'name', 'page'], from: now - WINDOW_MS, to }, session),
    )
    const active = db
      .collection<Session>('sessions')
      .find({ site, end: { $gte: new Date(now - ACTIVE_MS) } }, { session, projection: { visitor: 1, end: 1 } })
      .sort({ end: 1 })
      .limit(MOST_SESSIONS)
    for await (const { _id, visitor, end } of active) entry.room.active(visitor ?? _id.slice(site.length + 1), +end)
    const pages = await db
      .collection<JournalPage>('journal')
      .find(
        { _id: { $gte: ObjectId.createFromTime((now - ACTIVE_MS) / 1000) }, 'events.site': site },
        { session, projection: { at: 1, ...eventFields('events') } },
      )
      .sort({ _id: -1 })
      .limit(RECENT_PAGES)
      .toArray()
    const { snapshotTime } = session as unknown as { snapshotTime?: Timestamp }
    for (const page of pages.reverse()) {
      const events = page.events.filter(event => event.site === site)
      entry.room.inserted(events, +page.at)
    }
    entry.everSeen = (await db.collection<Session>('sessions').findOne({ site }, { projection: { _id: 1 } })) !== null
    return snapshotTime
  })
}
