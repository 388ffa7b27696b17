/**
 * One change stream on the journal, however many viewers there are: a page's insert is the live tail, its `settled`
 * update carries the exact deltas. Open only while somebody watches.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ChangeStreamInsertDocument, ChangeStreamUpdateDocument, Db, Timestamp } from 'mongodb'
import { type Delta, eventsOf, type HourDelta, type JournalEvent, type StoredPage } from '../journal/index.ts'

type Change = ChangeStreamInsertDocument<StoredPage> | ChangeStreamUpdateDocument<StoredPage>

/** Fields of an event that a live view can show or count. */
export type LiveFields = Omit<JournalEvent, 'own' | 'url' | 'ref' | 'channel'>

// biome-ignore format: one line
const SHARED = ['site', 'visitor', 'session', 'host', 'path', 'source', 'title', 'device', 'browser', 'os', 'country', 'bot']
const OWN = ['name', 'id', 'ts', 'props', 'goals', 'revenue', 'currency']
/** For a projection, of what lies under this path: the envelopes of a page. */
export const eventFields = (path: string): Record<string, 1> =>
  Object.fromEntries([...SHARED, ...OWN.map(field => `events.${field}`)].map(field => [`${path}.${field}`, 1]))

const PIPELINE = [
  {
    $match: {
      $or: [
        { operationType: 'insert' },
        { operationType: 'update', 'updateDescription.updatedFields.state': 'settled' },
      ],
    },
  },
  {
    $project: {
      operationType: 1,
      clusterTime: 1,
      'fullDocument.at': 1,
      ...eventFields('fullDocument.envelopes'),
      'updateDescription.updatedFields.deltas': 1,
      'updateDescription.updatedFields.hours': 1,
    },
  },
]

export interface Listener {
  /** events of a page, just durable, as of this cluster time */
  inserted(events: LiveFields[], received: Date, at: Timestamp): void
  /** exact counters, as of this cluster time */
  settled(deltas: Delta[], hours: HourDelta[], at: Timestamp): void
  /** the stream could not go on where it was: what was held may lack something */
  interrupted(error: unknown): void
}

export interface LiveStream {
  /** Cluster time up to which all was told: where it was opened, then that of the newest change. */
  reached(): Timestamp
  close(): Promise<void>
}

/** Resolves when nothing that happens from now on will be missed. */
export async function openStream(db: Db, listener: Listener): Promise<LiveStream> {
  let closed = false
  let reached: Timestamp
  // Opening takes a second where nothing happens; a point in time to start from takes no wait.
  const open = async () => {
    const { operationTime } = await db.command({ ping: 1 })
    reached = operationTime as Timestamp
    return db
      .collection<StoredPage>('journal')
      .watch<StoredPage, Change>(PIPELINE, { startAtOperationTime: operationTime })
  }
  const take = (change: Change): void => {
    // Of a stream that is let go, some may be on their way while another one is opened.
    if (closed || !change.clusterTime) return
    reached = change.clusterTime
    if (change.operationType === 'insert')
      listener.inserted(eventsOf(change.fullDocument.envelopes), change.fullDocument.at, change.clusterTime)
    else {
      const { deltas = [], hours = [] } = change.updateDescription.updatedFields ?? {}
      listener.settled(deltas, hours, change.clusterTime)
    }
  }
  let stream = await open()
  const run = async (): Promise<void> => {
    while (!closed) {
      try {
        for await (const change of stream) take(change)
      } catch (error) {
        // The driver resumes by itself after a lost connection; what comes here can't be resumed.
        if (!closed) listener.interrupted(error)
      }
      await stream.close().catch(() => {})
      await reopen()
    }
  }
  const reopen = async (): Promise<void> => {
    while (!closed) {
      await pause(500)
      try {
        stream = await open()
        return listener.interrupted(undefined)
      } catch {
        // Said already; tried again.
      }
    }
  }
  const running = run()
  return {
    reached: () => reached,
    async close() {
      closed = true
      await stream.close().catch(() => {})
      await running
    },
  }
}
