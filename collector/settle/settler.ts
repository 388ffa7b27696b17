/**
 * Settle: makes the journal's pages countable, each once, whatever dies (DESIGN §1, “Settle, exactly”).
 * One settler works on one lane: it takes open pages, oldest first, and adopts the lane anew after any failure.
 */
import type { Db, MongoClient } from 'mongodb'
import type { JournalPage } from '../journal/index.ts'
import { settleBatch } from './batch.ts'
import { type Fence, type RaiseFence, raiseFence } from './fence.ts'
import { holdFreshPages } from './fresh.ts'
import { type Lane, LaneLost, readopt } from './lane.ts'
import { createSleeper } from './sleeper.ts'

/** Events that are settled together when it lags, and pages. */
const BATCH = { events: 4_000, pages: 200 } as const
/**
 * A batch begins no sooner than this after the one before, ms: three commits for many events instead of three for a
 * few. An event that comes alone does not wait.
 */
const GATHER_MS = 80
/**
 * Where the pages that were written during a batch held more requests than this on average, requests wait in line for
 * the journal and come first: settle rests for ten times the time that the batch took, 4 s at most. What is
 * acknowledged is durable; counters may lag, but once they are half a minute behind there is no more rest.
 */
const CROWDED = { requests: 16, rest: 10, mostMs: 4_000, lookMs: 100, lagMs: 30_000 } as const
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
  client: MongoClient
  db: Db
  lane: Lane
  /** how inserts are fenced; {@link raiseFence} if absent */
  raise?: RaiseFence
  /** called for each failure; it goes on by itself */
  failed(error: unknown): void
  /** called when another collector holds the lane: this settler has ended */
  lost(error: LaneLost): void
}

export function startSettler({ client, db, lane, raise = raiseFence, failed, lost }: SettlerOptions): Settler {
  const sleeper = createSleeper()
  const freshPages = holdFreshPages()
  let settled = 0
  let closing = false
  /** when to stop though pages are open */
  let last = Number.POSITIVE_INFINITY
  /** what this process has written to the journal since the last batch began */
  let written = { pages: 0, requests: 0 }
  let failures = 0
  let atOnce = BATCH.events / 500
  /** of the present epoch */
  let fence: Fence | undefined

  const journal = db.collection<JournalPage>('journal')
  const openPages = async (): Promise<JournalPage[]> => {
    const open = await journal
      .find({ lane: lane.id, state: 'open' }, { projection: { _id: 1 }, readConcern: { level: 'majority' } })
      .sort({ _id: 1 })
      .limit(failures > 0 ? 1 : atOnce)
      .toArray()
    return await freshPages.take(
      journal,
      open.map(({ _id }) => _id),
    )
  }

  const work = async (): Promise<void> => {
    for (;;) {
      const begun = performance.now()
      if (begun >= last) return
      if (fence?.spent) await adopt()
      fence ??= await raise(db, lane)
      written = { pages: 0, requests: 0 }
      const pages = await openPages()
      if (pages.length > 0) {
        settled += await settleBatch({ client, db, lane, fence, pages })
        failures = 0
        if (!closing) await rest(performance.now() - begun, pages)
      } else if (closing) return
      else if (written.pages === 0) await sleeper.sleep(POLL_MS, true)
    }
  }

  const isCrowded = () => written.requests > written.pages * CROWDED.requests
  const rest = async (took: number, pages: JournalPage[]): Promise<void> => {
    const full = pages.length >= atOnce
    const events = pages.reduce((sum, page) => sum + page.n, 0)
    atOnce = Math.max(1, Math.min(BATCH.pages, Math.round((BATCH.events * pages.length) / Math.max(1, events))))
    const until = performance.now() + Math.min(CROWDED.mostMs, took * CROWDED.rest)
    const [oldest] = pages
    const lags = oldest !== undefined && Date.now() - +oldest.at > CROWDED.lagMs
    if (lags || !isCrowded()) return full ? undefined : await sleeper.sleep(GATHER_MS - took)
    while (!closing && isCrowded() && performance.now() < until) {
      written = { pages: 0, requests: 0 }
      await sleeper.sleep(CROWDED.lookMs)
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
      written.pages++
      written.requests += requests
      sleeper.wake()
    },
    async close(patience = PATIENCE_MS) {
      closing = true
      last = performance.now() + patience
      sleeper.wake()
      await running
    },
    get settled() {
      return settled
    },
  }
}
