/** A site that is being watched: its room, filled by one snapshot read, and those who watch. */
import type { Db, MongoClient, Timestamp } from 'mongodb'
import type { Site } from '../sites/index.ts'
import { loadRoom } from './load.ts'
import type { LiveSnapshot, LiveVisitors } from './messages.ts'
import { createRecord, type Record } from './record.ts'
import { createRoom, type Room } from './room.ts'
import type { LiveStream } from './stream.ts'
import type { Countable } from './visitors.ts'

export interface Viewer {
  /** @param id what the browser gives back as `Last-Event-ID` */
  send(event: 'snapshot' | 'tick', id: string, data: string): void
  /** There is nothing more to come: a browser joins anew by itself. */
  end(): void
}

export interface Watched extends Countable {
  viewers: Set<Viewer>
  /** Resolves when the room is filled; it may be filled anew by then. */
  ready: Promise<void>
  /** whether the room is being filled: nothing can be shown yet */
  readonly isFilling: boolean
  /** ms */
  emptySince: number
  /** Fills a room anew. @param failed called where it can't be, and is not being filled once more already */
  fill(failed: (error: unknown) => void): void
  /** Something happened at this time: it is in the room, or comes into it. */
  take(at: Timestamp, apply: (room: Room) => void): void
  /** What came after this message; `undefined` where that is not held. */
  missed: Record['after']
  sendSnapshot(viewer: Viewer): void
  /** Tells all of what changed. */
  sendTick(): void
}

export interface WatchedParts {
  client: MongoClient
  db: Db
  clock(): number
  stream(): Promise<LiveStream>
}

export function createWatched(site: Site, { client, db, clock, stream }: WatchedParts): Watched {
  let room = createRoom(site.timezone)
  let record = createRecord()
  /** what comes while the snapshot is read */
  let early: { at: Timestamp; apply(room: Room): void }[] | undefined
  /** cluster time of the snapshot, once it is read: the stream may tell later what is in it already */
  let from: Timestamp | undefined
  let seen = false
  /** of the day in this zone */
  let visitors: LiveVisitors | undefined
  let zone = site.timezone

  const watched: Watched = {
    site,
    isStale: true,
    restsUntil: 0,
    viewers: new Set(),
    ready: Promise.resolve(),
    emptySince: clock(),
    get isFilling() {
      return early !== undefined
    },
    fill(failed) {
      const { timezone } = watched.site
      const [own, waiting]: [Room, NonNullable<typeof early>] = [createRoom(timezone), []]
      if (timezone !== zone) visitors = undefined
      zone = timezone
      room = own
      early = waiting
      record = createRecord()
      watched.isStale = true
      watched.ready = (async () => {
        const { reached } = await stream()
        const { at, everSeen } = await loadRoom(client, db, watched.site, own, clock(), reached())
        for (const change of waiting) if (at.lt(change.at)) change.apply(own)
        if (visitors) own.visitors(visitors)
        // What is in the snapshot must not come again as a tick.
        own.tick(clock())
        seen ||= everSeen
        // Not where it is filled once more already, after another interruption.
        if (early === waiting) [early, from] = [undefined, at]
      })()
      watched.ready.catch(error => {
        if (early === waiting) failed(error)
      })
    },
    take(at, apply) {
      if (early) early.push({ at, apply })
      else if (from?.lt(at)) apply(room)
    },
    missed: id => record.after(id),
    counted(counted) {
      visitors = counted
      room.visitors(counted)
    },
    sendSnapshot(viewer) {
      // Flushed first, so that the snapshot and the next tick don't overlap.
      watched.sendTick()
      const now = clock()
      const view = room.view(now)
      const { key, domain, consent, timezone } = watched.site
      const everSeen = seen || view.recent.length > 0 || view.deltas.length > 0
      const snapshot: LiveSnapshot = { site: { key, domain, consent, timezone }, now, ...view, everSeen }
      viewer.send('snapshot', record.lastId(), JSON.stringify(snapshot))
    },
    sendTick() {
      const tick = early ? undefined : room.tick(clock())
      if (!tick) return
      const { today } = tick
      // Also where another day has begun.
      watched.isStale ||= today?.visitors === null || (today?.hours.some(([, dim]) => dim === 'visits') ?? false)
      const data = JSON.stringify(tick)
      const id = record.add(data)
      for (const viewer of watched.viewers) viewer.send('tick', id, data)
    },
  }
  return watched
}
