/** A history into the database: in groups, several at the same time, each document once. */
import { type Db, type Document, ObjectId } from 'mongodb'
import { noteMended, type RollupDocument, type TouchedHour } from '../rollup/index.ts'
import {
  noteEvent,
  noteRevision,
  type RawEvent,
  type Revised,
  raiseRevisions,
  type Session,
  toRaw,
} from '../settle/index.ts'
import { startCounters } from './counters.ts'
import { startFlight } from './flight.ts'
import type { Minute } from './history.ts'

/** Documents written together. The larger a group of events, the fewer times the server opens a bucket of the time-series. */
const GROUP = { events: 5_000, sessions: 1_000, rollups: 500 } as const
/** Groups on their way. */
const MOST = 4
/** One member is enough for each: at the end a majority has to have all of it. */
const WRITE = { ordered: false, writeConcern: { w: 1 } } as const

export interface Stored {
  events: number
  sessions: number
  rollups: number
}

export interface Writer {
  write(minute: Minute): Promise<void>
  /** Writes what is left. */
  end(): Promise<void>
  /** documents, those on their way included */
  readonly stored: Stored
}

/** @param now rollups that have expired by then are not written, ms */
export function startWriter(
  db: Db,
  { lane, upto, zone, now, raw }: { lane: number; upto: number; zone: string; now: number; raw: boolean },
): Writer {
  const flight = startFlight(MOST)
  const counters = startCounters(lane, upto, zone)
  const stored: Stored = { events: 0, sessions: 0, rollups: 0 }
  const waiting = { events: [] as RawEvent[], sessions: [] as Session[], rollups: [] as RollupDocument[] }
  const revised: Revised = new Map()
  // The page of the journal that these events would have come with.
  let page = new ObjectId()
  const send = async (kind: keyof Stored, least: number): Promise<void> => {
    const documents = waiting[kind]
    if (documents.length < least || documents.length === 0) return
    waiting[kind] = []
    stored[kind] += documents.length
    await flight.send(() => db.collection(kind).insertMany(documents as Document[], WRITE))
  }
  const hours = new Map<number, TouchedHour>()
  const collect = (before: number): void => {
    for (const rollup of counters.take(before)) {
      if (+rollup.expires <= now) continue
      waiting.rollups.push(rollup)
      const { site, grain, at } = rollup
      if (grain === 'hour') hours.set(+at, { site, at: +at, lane, zone })
    }
  }
  return {
    stored,
    async write(minute) {
      for (const event of minute.events) {
        if (raw) waiting.events.push(toRaw(event, page))
        noteEvent(revised, event)
      }
      for (const session of minute.sessions) {
        waiting.sessions.push(session)
        noteRevision(revised, undefined, session)
      }
      counters.add(minute)
      collect(minute.at)
      if (waiting.events.length >= GROUP.events) page = new ObjectId()
      await send('events', GROUP.events)
      await send('sessions', GROUP.sessions)
      await send('rollups', GROUP.rollups)
    },
    async end() {
      collect(Number.POSITIVE_INFINITY)
      await send('events', 1)
      await send('sessions', 1)
      await send('rollups', 1)
      await flight.landed()
      // Days that were closed, also meanwhile, do not contain them.
      await noteMended(db, hours.values())
      await raiseRevisions(db, lane, revised)
    },
  }
}
