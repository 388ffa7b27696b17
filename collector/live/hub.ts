/**
 * Fan-out: one room a site that is being watched, one stream for all rooms. A room is filled by one snapshot read that is
 * not older than the stream, and takes only what comes after it (reading first and adding later was wrong in 31 of 100
 * tries, DESIGN §1); a viewer joins what the room holds, in one turn of the event loop.
 */
import type { Db, MongoClient, Timestamp } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import type { Delta } from '../journal/index.ts'
import type { Log } from '../log.ts'
import type { Site } from '../sites/index.ts'
import { loadRoom } from './load.ts'
import type { LiveSnapshot } from './messages.ts'
import { createRecord, type Record } from './record.ts'
import { createRoom, type Room } from './room.ts'
import { type LiveFields, type LiveStream, openStream } from './stream.ts'

/** At most this often a room sends a tick, ms. */
const TICK_MS = 50
/** How long a room is kept after its last viewer left, ms: a reload finds it as it was. */
const LINGER_MS = 30_000

export interface Viewer {
  /** @param id what the browser gives back as `Last-Event-ID` */
  send(event: 'snapshot' | 'tick', id: string, data: string): void
  /** There is nothing more to come: a browser joins anew by itself. */
  end(): void
}

export interface Hub {
  /** Joins a site's viewers; the first message comes before it resolves. Call the result to leave. */
  join(site: Site, viewer: Viewer, lastEventId?: string): Promise<() => void>
  /** The snapshot as it is now, for a viewer that could not keep up. */
  refresh(site: Site, viewer: Viewer): void
  close(): Promise<void>
}

interface Watched {
  site: Site
  room: Room
  record: Record
  viewers: Set<Viewer>
  ready: Promise<void>
  /** what comes while the snapshot is read */
  early: { at: Timestamp; apply(room: Room): void }[] | undefined
  /** cluster time of the snapshot, once it is read: the stream may tell later what is in it already */
  from: Timestamp | undefined
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
    if (entry?.early) entry.early.push({ at, apply })
    else if (entry?.from?.lt(at)) apply(entry.room)
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
            // After another interruption the room is filled once more, and is empty until then.
            if (!entry.early) for (const viewer of entry.viewers) sendSnapshot(entry, viewer)
          },
          () => {},
        )
      }
    },
  }

  const fill = (entry: Watched): void => {
    const room = createRoom()
    const early: Watched['early'] = []
    Object.assign(entry, { room, early, record: createRecord() })
    entry.ready = (async () => {
      stream ??= openStream(db, listener)
      stream.catch(() => {
        stream = undefined
      })
      const { reached } = await stream
      const { at, everSeen } = await loadRoom(client, db, entry.site.key, room, clock(), reached())
      for (const change of early) if (at.lt(change.at)) change.apply(room)
      // What is in the snapshot must not come again as a tick.
      room.tick(clock())
      entry.everSeen ||= everSeen
      // Not where it is filled once more already, after another interruption.
      if (entry.early === early) Object.assign(entry, { early: undefined, from: at })
    })()
    entry.ready.catch(error => {
      // It is filled once more already.
      if (entry.early !== early) return
      log.warn({ err: error, site: entry.site.key }, 'a live view could not be filled')
      if (watched.get(entry.site.key) === entry) watched.delete(entry.site.key)
      for (const viewer of entry.viewers) viewer.end()
      entry.viewers.clear()
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
      // While it is filled somebody may be waiting to join.
      if (entry.viewers.size > 0 || entry.early) entry.emptySince = clock()
      else if (clock() - entry.emptySince > LINGER_MS) watched.delete(key)
    }
    if (watched.size === 0) void stop()
  }
  const stop = async (): Promise<void> => {
    clearInterval(timer)
    timer = undefined
    const ending = stream
    stream = undefined
    await ending?.then(
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
          from: undefined,
          everSeen: false,
          emptySince: clock(),
        }
        watched.set(site.key, entry)
        fill(entry)
        timer ??= setInterval(beat, TICK_MS)
      }
      do await entry.ready
      while (entry.early)
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
      // While it is filled anew, a snapshot is about to come anyway.
      if (entry && !entry.early) sendSnapshot(entry, viewer)
    },
    async close() {
      for (const { viewers } of watched.values()) for (const viewer of viewers) viewer.end()
      watched.clear()
      await stop()
    },
  }
}
