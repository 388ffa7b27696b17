/**
 * Fan-out: one room a site that is being watched, one stream for all rooms. A room is filled by one snapshot read that is
 * not older than the stream, and takes only what comes after it (reading first and adding later was wrong in 31 of 100
 * tries, DESIGN §1); a viewer joins what the room holds, in one turn of the event loop.
 */
import type { Db, MongoClient } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import type { Log } from '../log.ts'
import type { Site } from '../sites/index.ts'
import { type Listener, type LiveStream, openStream } from './stream.ts'
import { type CountVisitors, createVisitorCounting } from './visitors.ts'
import { createWatched, type Viewer, type Watched } from './watched.ts'

/** At most this often a room sends a tick, ms. */
const TICK_MS = 50
/** Ticks of all rooms take at most this share of the time: with a thousand viewers there are fewer, and larger ones. */
const MOST_BUSY = 1 / 4
/** How long a room is kept after its last viewer left, ms: a reload finds it as it was. */
const LINGER_MS = 30_000

export interface Hub {
  /** Joins a site's viewers; the first message comes before it resolves. Call the result to leave. */
  join(site: Site, viewer: Viewer, lastEventId?: string): Promise<() => void>
  /** The snapshot as it is now, for a viewer that could not keep up. */
  refresh(site: Pick<Site, 'key'>, viewer: Viewer): void
  close(): Promise<void>
}

export interface HubParts {
  client: MongoClient
  db: Db
  log: Log
  /** ms since the epoch */
  clock?: () => number
  /** a site as it is now */
  siteOf?: (key: string) => Site | undefined
  /** of the site's own day; if absent, they are not told */
  countVisitors?: CountVisitors
}

export function createHub({
  client,
  db,
  log,
  clock = Date.now,
  siteOf = () => undefined,
  countVisitors,
}: HubParts): Hub {
  const watched = new Map<string, Watched>()
  const counting = countVisitors && createVisitorCounting(countVisitors, log, clock)
  let stream: Promise<LiveStream> | undefined
  let timer: NodeJS.Timeout | undefined

  const bySite = <T extends { site: string }>(items: T[]): Map<string, T[]> => {
    const map = new Map<string, T[]>()
    for (const item of items) if (watched.has(item.site)) getOrAdd<string, T[]>(map, item.site, () => []).push(item)
    return map
  }
  const listener: Listener = {
    inserted(events, received, at) {
      for (const [site, list] of bySite(events)) watched.get(site)?.take(at, room => room.inserted(list, +received))
    },
    settled(deltas, hours, at) {
      const [minutes, days] = [bySite(deltas), bySite(hours)]
      for (const site of new Set([...minutes.keys(), ...days.keys()]))
        watched.get(site)?.take(at, room => room.settled(minutes.get(site) ?? [], days.get(site) ?? []))
    },
    interrupted(error) {
      if (error) return log.warn({ err: error }, 'the live stream was interrupted')
      // Something may have been missed: read everything anew.
      for (const site of watched.values()) fillAnew(site)
    },
  }
  const openOnce = (): Promise<LiveStream> => {
    stream ??= openStream(db, listener)
    stream.catch(() => {
      stream = undefined
    })
    return stream
  }

  const fill = (site: Watched): void =>
    site.fill(error => {
      const { key } = site.site
      log.warn({ err: error, site: key }, 'a live view could not be filled')
      if (watched.get(key) === site) watched.delete(key)
      for (const viewer of site.viewers) viewer.end()
      site.viewers.clear()
    })
  /** While everybody watches: they are sent what is in it then. */
  const fillAnew = (site: Watched): void => {
    fill(site)
    void site.ready.then(
      () => {
        // After another interruption the room is filled once more, and is empty until then.
        if (!site.isFilling) for (const viewer of site.viewers) site.sendSnapshot(viewer)
      },
      () => {},
    )
  }

  const beat = (): void => {
    const begun = performance.now()
    for (const [key, site] of watched) {
      follow(site)
      site.sendTick()
      // While it is filled somebody may be waiting to join.
      if (site.viewers.size > 0 || site.isFilling) site.emptySince = clock()
      else if (clock() - site.emptySince > LINGER_MS) watched.delete(key)
    }
    counting?.next([...watched.values()].filter(({ viewers, isFilling }) => viewers.size > 0 && !isFilling))
    if (watched.size === 0) return void stop()
    const took = performance.now() - begun
    timer = setTimeout(beat, Math.max(TICK_MS, took / MOST_BUSY - took))
  }
  /** Takes the site as it is now. In another time zone its day is another, and its hours may be. */
  const follow = (site: Watched): void => {
    const now = siteOf(site.site.key) ?? site.site
    const isMoved = now.timezone !== site.site.timezone
    site.site = now
    if (isMoved) fillAnew(site)
  }
  const stop = async (): Promise<void> => {
    clearTimeout(timer)
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
      const joined = getOrAdd(watched, site.key, () => {
        const added = createWatched(site, { client, db, clock, stream: openOnce })
        fill(added)
        return added
      })
      timer ??= setTimeout(beat, TICK_MS)
      do await joined.ready
      while (joined.isFilling)
      const missed = lastEventId === undefined ? undefined : joined.missed(lastEventId)
      if (missed) for (const { id, data } of missed) viewer.send('tick', id, data)
      else joined.sendSnapshot(viewer)
      joined.viewers.add(viewer)
      return () => void joined.viewers.delete(viewer)
    },
    refresh({ key }, viewer) {
      const site = watched.get(key)
      // While it is filled anew, a snapshot is about to come anyway.
      if (site && !site.isFilling) site.sendSnapshot(viewer)
    },
    async close() {
      counting?.close()
      for (const { viewers } of watched.values()) for (const viewer of viewers) viewer.end()
      watched.clear()
      await stop()
    },
  }
}
