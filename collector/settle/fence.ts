/**
 * The session fence (DESIGN §1, step 2). All inserts into the time-series of one epoch go through one driver session
 * with the lane's `sid`, and their transaction numbers begin where those of the epoch before ended. So the server itself
 * refuses what a collector sends that slept past its lease, also after a `kill -9` of its own, and stores what the
 * driver sends twice once. No check on this side can promise that.
 *
 * What holds without it: counters, sessions and settle numbers are exact, by the epoch in the transaction. Only a raw
 * event can be doubled, and only where two collectors work on one lane at the same moment.
 *
 * Its limits: to the server a session belongs to the user who is logged in, so collectors of one deployment share a user.
 * And it forgets numbers that nobody refreshes for half an hour, so where no collector runs for that long, a sleeper is
 * not stopped any more.
 */
import {
  BSON,
  type BulkWriteOptions,
  type ClientSession,
  type Db,
  type FindOptions,
  MongoBulkWriteError,
  MongoError,
  MongoServerError,
  MongoServerSelectionError,
  ObjectId,
  UUID,
} from 'mongodb'
import { insertOf } from './bson.ts'
import { type Lane, LaneLost, lanes } from './lane.ts'
import { startSession, startTransactions } from './numbered.ts'

/** Transaction numbers of one epoch. With 2^32 they leave JavaScript's exact integers at epoch 2^21, and data is lost. */
export const NUMBERS = 2 ** 24
/** How many of them one batch may still need, with events that can't be stored in it, each found by halving. */
const RESERVE = 2 ** 18
/** `TransactionTooOld` */
const TOO_OLD = 225

/** Unordered: one event that can't be stored must not stop the others. */
const INSERT: BulkWriteOptions = { ordered: false, writeConcern: { w: 'majority', journal: true } }
const READ: FindOptions = { readConcern: { level: 'majority' } }

/** Of one epoch of one lane. */
export interface Fence {
  /**
   * Prepares an insert into the time-series, of documents as BSON, while another insert is at work. What it gives back sends
   * them: once, and one at a time, as of two at once the lower number could come second. That throws {@link LaneLost} when a
   * newer epoch has raised its fence.
   */
  prepare(events: Uint8Array[]): () => Promise<void>
  /** for reading what older epochs have stored: they can't add to it any more */
  readonly reading: FindOptions
  /** for the epoch's transactions, one after the other */
  readonly transactions: ClientSession
  /** whether its numbers are nearly used up: time for a new epoch */
  readonly spent: boolean
  end(): Promise<void>
}

/**
 * Makes the fence of an epoch that was just adopted.
 * @throws LaneLost when the lane has another holder or epoch. After any error adopt the lane anew.
 */
export type RaiseFence = (db: Db, lane: Lane) => Promise<Fence>

/** Lanes and the epoch for which their fence was raised. */
const raised = new WeakMap<Lane, number>()

export const raiseFence: RaiseFence = async (db, lane) => {
  const { id: _id, holder, epoch } = lane
  // The numbers would begin anew, and the server take each insert for one that it has stored.
  if (raised.get(lane) === epoch) throw new Error(`the fence of epoch ${epoch} was raised before: adopt the lane anew`)
  raised.set(lane, epoch)
  const first = epoch * NUMBERS
  const session = startSession(db, lane.sid, first)
  // Only a write that changes something is remembered by the server. It waits for an insert of an older epoch in flight.
  const { matchedCount } = await lanes(db)
    .updateOne({ _id, holder, epoch }, { $set: { fence: epoch } }, { session, ...INSERT })
    .catch(async error => {
      await session.endSession()
      throw explained(error, lane)
    })
  if (matchedCount !== 1) {
    await session.endSession()
    throw new LaneLost(`lane ${_id} has another holder`)
  }
  const transactions = startTransactions(db, lane.sid, first)
  return {
    transactions,
    prepare(events) {
      const insert = prepareInsert(db, events)
      return async () => {
        await insert.execute({ session }).catch(error => {
          throw explained(error, lane)
        })
      }
    },
    // In the same session, so causally after the write above.
    reading: { ...READ, session },
    get spent() {
      return session.serverSession.txnNumber - first >= NUMBERS - RESERVE
    },
    async end() {
      await Promise.all([session.endSession(), transactions.endSession()])
    },
  }
}

const prepareInsert = (db: Db, events: Uint8Array[]) => insertOf(db.collection('events'), events, INSERT)

/** For servers and drivers with which {@link testFence} finds a fault. */
export const noFence: RaiseFence = async (db, { sid, epoch }) => {
  const transactions = startTransactions(db, sid, epoch * NUMBERS)
  return {
    transactions,
    prepare: events => {
      const insert = prepareInsert(db, events)
      return async () => void (await insert.execute())
    },
    reading: READ,
    spent: false,
    end: () => transactions.endSession(),
  }
}

/**
 * Keeps the server's memory of every lane's numbers, those of idle and released lanes too: a session's record expires
 * after 30 minutes, and is written only every 5. So call it every few minutes.
 */
export async function refreshFences(db: Db): Promise<void> {
  const sids = await lanes(db).distinct('sid')
  if (sids.length > 0) await db.command({ refreshSessions: sids.map(id => ({ id })) })
}

/** Site of the self-test's events. No site can have this key. */
export const TEST_SITE = '_fence'
/** What a self-test that was killed has left is removed by those that come so much later, ms: its name begins with its time. */
const LEFT_MS = 3_600_000
const timeText = (ms: number): string => ms.toString(36)

/**
 * The self-test, with a session of its own in the real collection: an insert sent twice with one number is stored once,
 * one with a lower number is refused. What it stored is removed, and what others left that were killed.
 *
 * @returns why inserts can't be fenced here; `undefined` when they can
 */
export async function testFence(db: Db): Promise<string | undefined> {
  const { msg } = await db.command({ hello: 1 })
  if (msg === 'isdbgrid') return 'the cluster is sharded: each shard knows only its own transaction numbers'
  const sid = new UUID()
  const session = startSession(db, sid, 0)
  const meta = { site: TEST_SITE, name: `${timeText(Date.now())} ${sid.toHexString()}` }
  const mine = { 'meta.site': meta.site, 'meta.name': meta.name }
  const events = db.collection('events')
  const insert = (number: number) => {
    session.serverSession.txnNumber = number - 1
    return prepareInsert(db, [BSON.serialize({ _id: new ObjectId(), ts: new Date(), meta })]).execute({ session })
  }
  try {
    await insert(NUMBERS + 2)
    await insert(NUMBERS + 2)
    const stored = await events.countDocuments(mine, { ...READ, session })
    if (stored !== 1) return `an insert that is sent twice is stored ${stored} times`
    await insert(NUMBERS + 1)
    return 'an insert with a lower transaction number is not refused'
  } catch (error) {
    if (isTooOld(error)) return undefined
    // That the server can't be reached or steps down says nothing about it.
    if (error instanceof MongoServerSelectionError || isPassing(error)) throw error
    return String(error)
  } finally {
    await session.endSession()
    await events.deleteMany(mine)
    await events.deleteMany({ 'meta.site': TEST_SITE, 'meta.name': { $lt: timeText(Date.now() - LEFT_MS) } })
  }
}

const isPassing = (error: unknown) => error instanceof MongoError && error.hasErrorLabel('RetryableWriteError')

const explained = (error: unknown, { id, epoch }: Lane): unknown =>
  isTooOld(error) ? new LaneLost(`lane ${id} was adopted by another collector after epoch ${epoch}`) : error

function isTooOld(error: unknown): boolean {
  if (error instanceof MongoBulkWriteError && [error.writeErrors].flat().some(({ code }) => code === TOO_OLD))
    return true
  return error instanceof MongoServerError && error.code === TOO_OLD
}
