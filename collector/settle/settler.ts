/**
 * Settle: makes the journal's pages countable, each once, whatever dies (DESIGN §1, “Settle, exactly”).
 * One settler works on one lane: it takes open pages, oldest first, and adopts the lane anew after any failure.
 */
import type { Db } from 'mongodb'
import type { JournalEvent, JournalPage, StoredPage } from '../journal/index.ts'
import { createTurns, settleBatch } from './batch.ts'
import { type Fence, type RaiseFence, raiseFence } from './fence.ts'
import { holdFreshPages } from './fresh.ts'
import { type Lane, LaneLost, readopt } from './lane.ts'
import { createPace } from './pace.ts'
import { createSleeper } from './sleeper.ts'
import type { ZoneOf } from './zones.ts'

/** So many batches are at work at the same time when it lags: one claims ids, one stores events, one commits. */
const OVERLAPPING = 3
/** How often it looks for pages that nobody told it of, ms. */
const POLL_MS = 250
/** Pause before the lane is adopted again, growing from failure to failure, ms. */
const RETRY = { first: 50, most: 2_000 } as const
/** How long it goes on when closing, ms: less than the collector has for all of its closing. */
const PATIENCE_MS = 5_000
/** When closing, it gives up after so many failures in a row: the next holder goes on. */
const LAST_TRIES = 5

export interface Settler {
  /** A page was written: settle it soon. */
  written(page: JournalPage, bytes: number, requests: number): void
  /** Settles what is there for at most so many ms, then stops: what is left open is the next holder's. */
  close(patience?: number): Promise<void>
  /** events settled since the start */
  readonly settled: number
}

export interface SettlerOptions {
  db: Db
  lane: Lane
  /** how inserts are fenced; {@link raiseFence} if absent */
  raise?: RaiseFence
  /** the time zones of sites as this collector knows them */
  zoneOf?: ZoneOf | undefined
  /** called for each event that is not counted, as one with its id was counted before */
  repeated?: ((event: JournalEvent) => void) | undefined
  /** called for each failure; it goes on by itself */
  failed(error: unknown): void
  /** called when another collector holds the lane: this settler has ended */
  lost(error: LaneLost): void
}

export function startSettler({
  db,
  lane,
  raise = raiseFence,
  zoneOf,
  repeated,
  failed,
  lost,
}: SettlerOptions): Settler {
  const sleeper = createSleeper()
  const pace = createPace(sleeper)
  const freshPages = holdFreshPages()
  let settled = 0
  let closing = false
  /** when to stop though pages are open */
  let last = Number.POSITIVE_INFINITY
  let failures = 0
  /** of the present epoch */
  let fence: Fence | undefined

  const journal = db.collection<StoredPage>('journal')
  /** @param taken ids of pages at work */
  const openPages = async (taken: Set<string>): Promise<JournalPage[]> => {
    // A batch may end while this is asked, and its pages be open in the answer all the same. So may pages that were settled
    // before, where the primary was just elected: what a majority has, it learns a little later. The transaction refuses these.
    const before = new Set(taken)
    const open = await journal
      .find({ lane: lane.id, state: 'open' }, { projection: { _id: 1 }, readConcern: { level: 'majority' } })
      .sort({ _id: 1 })
      .limit(failures > 0 ? 1 : pace.atOnce + taken.size)
      .toArray()
    const ids = open.map(({ _id }) => _id).filter(id => !before.has(id.toHexString()))
    return await freshPages.take(journal, ids.slice(0, pace.atOnce))
  }

  const work = async (): Promise<void> => {
    const turns = createTurns()
    const batches = new Set<Promise<void>>()
    const taken = new Set<string>()
    const begin = (pages: JournalPage[]): void => {
      const ids = pages.map(({ _id }) => _id.toHexString())
      for (const id of ids) taken.add(id)
      const settle = async () => {
        const counted = await settleBatch({ db, lane, fence: fence as Fence, pages, turns, zoneOf, repeated })
        settled += counted
        failures = 0
        for (const id of ids) taken.delete(id)
        batches.delete(batch)
      }
      const batch = settle()
      batches.add(batch)
      // Whoever waits for it hears of it; meanwhile it is no error that nobody does.
      batch.catch(() => {})
    }
    try {
      for (;;) {
        const begun = performance.now()
        if (begun >= last) return
        if (fence?.spent) {
          await Promise.all(batches)
          await adopt()
        }
        fence ??= await raise(db, lane)
        pace.begin()
        const pages = await openPages(taken)
        if (pages.length > 0) begin(pages)
        if (pace.hurries(pages) && failures === 0) {
          if (batches.size >= OVERLAPPING) await Promise.race(batches)
          continue
        }
        await Promise.all(batches)
        if (closing && pages.length === 0) return
        if (pages.length > 0) {
          if (!closing) await pace.rest(performance.now() - begun, pages)
        } else if (pace.quiet) await sleeper.sleep(POLL_MS, true)
      }
    } finally {
      await Promise.allSettled(batches)
    }
  }

  const run = async (): Promise<void> => {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (error instanceof LaneLost) return lost(error)
        failures++
        failed(error)
      }
      // Whatever happened, the outcome is unknown: a new epoch, so that nothing counts as fresh.
      if (!(await adoptAgain())) return
    }
  }

  const adopt = async (): Promise<void> => {
    await fence?.end()
    fence = undefined
    await readopt(db, lane)
  }

  const adoptAgain = async (): Promise<boolean> => {
    for (let wait: number = RETRY.first; !closing || failures < LAST_TRIES; wait = Math.min(wait * 2, RETRY.most)) {
      await sleeper.sleep(wait)
      try {
        await adopt()
        return true
      } catch (error) {
        if (error instanceof LaneLost) {
          lost(error)
          return false
        }
        failures++
        failed(error)
      }
    }
    return false
  }

  const running = run().finally(() => fence?.end())
  return {
    written(page, bytes, requests) {
      freshPages.add(page, bytes)
      pace.written(requests)
      sleeper.wake()
    },
    async close(patience = PATIENCE_MS) {
      closing = true
      pace.hurry()
      last = performance.now() + patience
      sleeper.wake()
      await running
    },
    get settled() {
      return settled
    },
  }
}
