/**
 * Settle: makes the journal's pages countable, each once, whatever dies (DESIGN §1, “Settle, exactly”).
 * One settler works on one lane; its three stages (claim ids, store raw events, one transaction) repeat harmlessly.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ClientSession, Db, MongoClient } from 'mongodb'
import type { Delta, JournalEvent, JournalPage } from '../journal/index.ts'
import { sumDeltas } from './deltas.ts'
import { type Lane, LaneLost, LEASE_MS, lanes, readopt } from './lane.ts'
import { storeRaw, type Unstorable } from './raw.ts'
import { claim } from './seen.ts'
import { applyEvent, draftOf, openSession, type Session, sessionKey } from './sessions.ts'

/** Events that are settled together when it lags, and pages. */
const BATCH = { events: 4_000, pages: 200 } as const
/**
 * Under load, a batch begins no sooner than this after the one before, ms: three commits for many events instead of
 * three for a few. An event that comes alone does not wait.
 */
const GATHER_MS = 80
/** How often it looks for pages that nobody told it of, ms. */
const POLL_MS = 250

export interface Settler {
  /** There may be pages: look now. */
  wake(): void
  /** Settles what is there, then stops. */
  close(): Promise<void>
  /** events settled since the start */
  readonly settled: number
}

export interface SettlerOptions {
  client: MongoClient
  db: Db
  lane: Lane
  /** called for each failure; it goes on by itself */
  failed(error: unknown): void
  /** called when another collector holds the lane: this settler has ended */
  lost(error: LaneLost): void
}

export function startSettler({ client, db, lane, failed, lost }: SettlerOptions): Settler {
  const journal = db.collection<JournalPage>('journal')
  let settled = 0
  let closing = false
  let wakeUp: () => void = () => {}
  let woken = false
  let failures = 0
  let pagesAtOnce = BATCH.events / 500
  let begun = Number.NEGATIVE_INFINITY
  let filled = false

  const openPages = (): Promise<JournalPage[]> =>
    journal
      .find({ lane: lane.id, state: 'open' }, { readConcern: { level: 'majority' } })
      .sort({ _id: 1 })
      .limit(failures > 0 ? 1 : pagesAtOnce)
      .toArray()

  const settleBatch = async (pages: JournalPage[]): Promise<void> => {
    const kept = await claim(db, pages)
    // The lane was adopted anew after every failure, so a page of this epoch has not been tried.
    const fresh = pages.every(page => page.epoch === lane.epoch)
    const unstorable = await storeRaw(db, pages, kept, fresh)
    if (unstorable.length > 0) await park(db, unstorable)
    const parked = new Set(unstorable.map(({ event }) => event))
    const counted = kept.map(events => events.filter(event => !parked.has(event)))
    await client.withSession(session =>
      session.withTransaction(() => commit(session, pages, counted), {
        readConcern: { level: 'snapshot' },
        writeConcern: { w: 'majority', journal: true },
      }),
    )
    lane.settled += pages.length
    settled += counted.reduce((sum, events) => sum + events.length, 0)
  }

  const commit = async (session: ClientSession, pages: JournalPage[], counted: JournalEvent[][]): Promise<void> => {
    const { matchedCount } = await lanes(db).updateOne(
      { _id: lane.id, holder: lane.holder, epoch: lane.epoch },
      [{ $set: { settled: { $add: ['$settled', pages.length] }, expires: { $add: ['$$NOW', LEASE_MS] } } }],
      { session },
    )
    if (matchedCount !== 1) throw new LaneLost(`lane ${lane.id} has another holder`)
    const sessions = await readSessions(db, session, counted)
    const updates = pages.map((page, i) => ({
      updateOne: {
        filter: { _id: page._id, state: 'open' as const },
        update: {
          $set: {
            state: 'settled' as const,
            settled: lane.settled + i + 1,
            deltas: count(counted[i] ?? [], sessions),
          },
        },
      },
    }))
    const result = await journal.bulkWrite(updates, { session, ordered: false })
    if (result.matchedCount !== pages.length)
      throw new Error(`${pages.length - result.matchedCount} pages were settled by another epoch`)
    const replaced = [...sessions.values()].flatMap(({ after, changed }) =>
      after && changed ? { replaceOne: { filter: { _id: after._id }, replacement: after, upsert: true } } : [],
    )
    if (replaced.length > 0) await db.collection<Session>('sessions').bulkWrite(replaced, { session, ordered: false })
  }

  const work = async (): Promise<void> => {
    for (;;) {
      woken = false
      if (!filled && !closing) await pause(Math.max(0, begun + GATHER_MS - performance.now()))
      const pages = await openPages()
      if (pages.length > 0) {
        begun = performance.now()
        filled = pages.length === pagesAtOnce
        const events = pages.reduce((sum, page) => sum + page.n, 0)
        pagesAtOnce = Math.max(
          1,
          Math.min(BATCH.pages, Math.round((BATCH.events * pages.length) / Math.max(1, events))),
        )
        await settleBatch(pages)
        failures = 0
        continue
      }
      failures = 0
      if (closing) return
      if (woken) continue
      const timer = new AbortController()
      await Promise.race([
        pause(POLL_MS, undefined, { signal: timer.signal }).catch(() => {}),
        new Promise<void>(resolve => {
          wakeUp = resolve
        }),
      ])
      timer.abort()
    }
  }

  const run = async (): Promise<void> => {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        failures++
        if (error instanceof LaneLost) return lost(error)
        failed(error)
      }
      // Whatever happened, the outcome is unknown: a new epoch, so that nothing counts as fresh.
      if (!(await adoptAgain())) return
    }
  }

  const adoptAgain = async (): Promise<boolean> => {
    for (let wait = 50; ; wait = Math.min(wait * 2, 2_000)) {
      if (closing && failures > 5) return false
      await pause(wait)
      try {
        await readopt(db, lane)
        return true
      } catch (error) {
        failures++
        if (error instanceof LaneLost) {
          lost(error)
          return false
        }
        failed(error)
      }
    }
  }

  const running = run()
  const wake = () => {
    woken = true
    wakeUp()
  }
  return {
    wake,
    async close() {
      closing = true
      wake()
      await running
    },
    get settled() {
      return settled
    },
  }
}

/** A session of a batch: as the page before left it, and a draft for the page at work. */
interface SessionChange {
  before: Session | undefined
  after: Session | undefined
  changed: boolean
}

async function readSessions(
  db: Db,
  session: ClientSession,
  counted: JournalEvent[][],
): Promise<Map<string, SessionChange>> {
  const changes = new Map<string, SessionChange>()
  for (const event of counted.flat()) {
    const key = sessionKey(event)
    if (key !== undefined && !changes.has(key))
      changes.set(key, { before: undefined, after: undefined, changed: false })
  }
  if (changes.size === 0) return changes
  const there = db.collection<Session>('sessions').find({ _id: { $in: [...changes.keys()] } }, { session })
  for await (const held of there) changes.set(held._id, { before: undefined, after: held, changed: false })
  return changes
}

/** Applies one page's events to the sessions of the batch and sums up what changed. */
function count(events: JournalEvent[], sessions: Map<string, SessionChange>): Delta[] {
  const sum = sumDeltas()
  const touched = new Set<SessionChange>()
  for (const event of events) {
    sum.event(event)
    const key = sessionKey(event)
    const change = key === undefined ? undefined : sessions.get(key)
    if (key === undefined || !change) continue
    if (!touched.has(change)) {
      touched.add(change)
      change.before = change.after
      change.after = change.before ? draftOf(change.before) : openSession(event, key)
      change.changed = true
    }
    if (change.after) applyEvent(change.after, event)
  }
  for (const { before, after } of touched) if (after) sum.session(before, after)
  return sum.deltas()
}

/** Sets aside events that can't be stored, so that the rest goes on; `doctor` counts them. */
async function park(db: Db, unstorable: Unstorable[]): Promise<void> {
  const documents = unstorable.map(({ event, page, error }) => ({
    _id: `${page.toHexString()}:${event.key}`,
    site: event.site,
    at: new Date(),
    page,
    error,
    event: JSON.stringify(event),
  }))
  const updates = documents.map(({ _id, ...rest }) => ({
    updateOne: { filter: { _id }, update: { $setOnInsert: rest }, upsert: true },
  }))
  await db
    .collection<{ _id: string }>('parked')
    .bulkWrite(updates, { ordered: false, writeConcern: { w: 'majority', journal: true } })
}
