/** One batch of pages: claim ids, store raw events, one transaction. Each step repeats harmlessly (DESIGN §1, steps 4–6). */
import type { AnyBulkWriteOperation, ClientSession, Db } from 'mongodb'
import type { JournalEvent, JournalPage, StoredPage } from '../journal/index.ts'
import { KEPT } from '../store/index.ts'
import { sumDeltas } from './deltas.ts'
import type { Fence } from './fence.ts'
import { sumHours } from './hours.ts'
import { type Lane, LaneLost, LEASE_MS, lanes } from './lane.ts'
import { park } from './park.ts'
import { writeProofs } from './proof.ts'
import { prepareRaw } from './raw.ts'
import { noteEvent, noteRevision, type Revised, raiseRevisions } from './revisions.ts'
import { claim } from './seen.ts'
import { applyEvent, draftOf, openSession, type Session, sessionKey } from './sessions.ts'
import { readZones, type ZoneOf } from './zones.ts'

/** The age up to which a page that was tried has claims to show for it, ms: a day less than they are kept. */
const CLAIMS_LAST_MS = KEPT.seen - 86_400_000

export interface Batch {
  db: Db
  lane: Lane
  /** of the lane's epoch */
  fence: Fence
  /** open pages of the lane, oldest first */
  pages: JournalPage[]
  /** shared by the batches of an epoch that are at work at the same time; a batch by itself needs none */
  turns?: Turns
  /** the time zones of sites as this collector knows them; those of others are looked up */
  zoneOf?: ZoneOf | undefined
  /** called for each event that is not counted, as one with its id was counted before */
  repeated?: ((event: JournalEvent) => void) | undefined
}

/** What one batch at a time does: fenced inserts, and the transaction, as settle numbers have an order. */
export interface Turns {
  store: Turn
  commit: Turn
}
type Turn = <T>(action: () => Promise<T>) => Promise<T>

/** Actions begin in the order in which they were asked for, each when the one before is done. After a failure none does. */
export function createTurns(): Turns {
  const createTurn = (): Turn => {
    let last: Promise<unknown> = Promise.resolve()
    return action => {
      const next = last.then(action)
      last = next
      return next
    }
  }
  return { store: createTurn(), commit: createTurn() }
}

/**
 * Settles the pages, all or none; gives back how many events were counted.
 * @throws LaneLost when the lane has another holder or epoch. After any error the outcome is unknown.
 */
export async function settleBatch({
  db,
  lane,
  fence,
  pages,
  turns = createTurns(),
  zoneOf,
  repeated,
}: Batch): Promise<number> {
  const [{ kept, tried }, zones] = await Promise.all([claim(db, pages), readZones(db, pages, zoneOf)])
  // A page of this epoch may have been tried, too: read as open by a primary that was just elected, and settled long before.
  const fresh = (page: JournalPage) =>
    !tried.has(page) && (page.epoch === lane.epoch || Date.now() - +page.at < CLAIMS_LAST_MS)
  const storeRaw = prepareRaw(db, fence, pages, kept, fresh)
  const unstorable = await turns.store(storeRaw)
  if (unstorable.length > 0) await park(db, unstorable)
  const parked = new Set(unstorable.map(({ event }) => event))
  const counted = parked.size === 0 ? kept : kept.map(events => events.filter(event => !parked.has(event)))
  await turns.commit(async () => {
    const session = fence.transactions
    await session.withTransaction(() => commit(session, { db, lane, pages, kept, counted, zones }), {
      readConcern: { level: 'snapshot' },
      writeConcern: { w: 'majority', journal: true },
    })
    lane.settled += pages.length
  })
  if (repeated) for (const [i, { events }] of pages.entries()) dropped(events, kept[i] ?? []).forEach(repeated)
  return counted.reduce((sum, events) => sum + events.length, 0)
}

function dropped(events: JournalEvent[], kept: JournalEvent[]): JournalEvent[] {
  if (events.length === kept.length) return []
  const set = new Set(kept)
  return events.filter(event => !set.has(event))
}

interface Countable extends Pick<Batch, 'db' | 'lane' | 'pages'> {
  kept: JournalEvent[][]
  counted: JournalEvent[][]
  zones: Map<string, string>
}

async function commit(session: ClientSession, { db, lane, pages, kept, counted, zones }: Countable): Promise<void> {
  const { matchedCount } = await lanes(db).updateOne(
    { _id: lane.id, holder: lane.holder, epoch: lane.epoch },
    [{ $set: { settled: { $add: ['$settled', pages.length] }, expires: { $add: ['$$NOW', LEASE_MS] } } }],
    { session },
  )
  if (matchedCount !== 1) throw new LaneLost(`lane ${lane.id} has another holder`)
  const sessions = await readSessions(db, session, counted)
  const revised: Revised = new Map()
  const updates = pages.map((page, i) => ({
    updateOne: {
      filter: { _id: page._id, state: 'open' as const },
      update: {
        $set: {
          state: 'settled' as const,
          settled: lane.settled + i + 1,
          ...count(counted[i] ?? [], sessions, zones, revised),
        },
      },
    },
  }))
  const result = await db.collection<StoredPage>('journal').bulkWrite(updates, { session, ordered: false })
  if (result.matchedCount !== pages.length) {
    throw new Error(`${pages.length - result.matchedCount} pages were settled by another epoch`)
  }
  await writeSessions(db, session, [...sessions.values()])
  await raiseRevisions(db, lane.id, revised, session)
  await writeProofs(db, session, pages, kept)
}

/** A session of a batch: as the page before left it, and a draft for the page at work. */
interface SessionChange {
  /** not in the collection yet */
  opened: boolean
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
  let last: JournalEvent | undefined
  for (const event of counted.flat()) {
    // Events of a session come together, and a key takes time to make.
    if (last?.session === event.session && last?.site === event.site) continue
    last = event
    const key = sessionKey(event)
    if (key !== undefined && !changes.has(key))
      changes.set(key, { opened: true, before: undefined, after: undefined, changed: false })
  }
  if (changes.size === 0) return changes
  const there = db.collection<Session>('sessions').find({ _id: { $in: [...changes.keys()] } }, { session })
  for await (const held of there)
    changes.set(held._id, { opened: false, before: undefined, after: held, changed: false })
  return changes
}

/**
 * New sessions are inserted, which costs a third of an upsert: where another lane has just opened the same one, the
 * transaction conflicts and is tried again.
 */
async function writeSessions(db: Db, session: ClientSession, changes: SessionChange[]): Promise<void> {
  const opened: Session[] = []
  const replaced: AnyBulkWriteOperation<Session>[] = []
  for (const { opened: isNew, after, changed } of changes) {
    if (!after || !changed) continue
    if (isNew) opened.push(after)
    else replaced.push({ replaceOne: { filter: { _id: after._id }, replacement: after } })
  }
  const collection = db.collection<Session>('sessions')
  if (opened.length > 0) await collection.insertMany(opened, { session, ordered: false })
  if (replaced.length > 0) await collection.bulkWrite(replaced, { session, ordered: false })
}

/** Applies one page's events to the sessions of the batch, sums up what changed, and notes which hours are revised. */
function count(
  events: JournalEvent[],
  sessions: Map<string, SessionChange>,
  zones: Map<string, string>,
  revised: Revised,
): Pick<JournalPage, 'deltas' | 'hours'> {
  const sum = sumDeltas()
  const hours = sumHours(site => zones.get(site) ?? 'UTC')
  const changed = new Set<SessionChange>()
  let last: JournalEvent | undefined
  let change: SessionChange | undefined
  for (const event of events) {
    sum.event(event)
    hours.event(event)
    noteEvent(revised, event)
    if (!last || last.session !== event.session || last.site !== event.site) {
      last = event
      const key = sessionKey(event)
      change = key === undefined ? undefined : sessions.get(key)
      if (key !== undefined && change && !changed.has(change)) {
        changed.add(change)
        change.before = change.after
        change.after = change.before ? draftOf(change.before) : openSession(event, key)
        change.changed = true
      }
    }
    if (change?.after) applyEvent(change.after, event)
  }
  for (const { before, after } of changed) {
    if (!after) continue
    noteRevision(revised, before, after)
    sum.session(before, after)
    hours.session(before, after)
  }
  return { deltas: sum.deltas(), hours: hours.deltas() }
}
