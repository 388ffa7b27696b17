/** How much settle does at once, and when it rests. */
import type { JournalPage } from '../journal/index.ts'
import type { Sleeper } from './sleeper.ts'

/** Events that are settled together when it lags, and pages. */
const BATCH = { events: 8_000, pages: 200 } as const
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

export interface Pace {
  /** how many pages the next batch takes */
  readonly atOnce: number
  /** whether nothing was written since the last batch began */
  readonly quiet: boolean
  /** A batch begins. */
  begin(): void
  /** A page was written, and answers so many requests. */
  written(requests: number): void
  /** Whether the next batch should begin while this one is at work. Learns from it how many pages fit into one. */
  hurries(pages: JournalPage[]): boolean
  /** Rests after a batch that took so many ms. */
  rest(took: number, pages: JournalPage[]): Promise<void>
  /** Ends long rests, for good. */
  hurry(): void
}

export function createPace(sleeper: Sleeper): Pace {
  let written = { pages: 0, requests: 0 }
  let atOnce = BATCH.events / 500
  let closing = false

  const isCrowded = () => written.requests > written.pages * CROWDED.requests
  const lags = ([oldest]: JournalPage[]) => oldest !== undefined && Date.now() - +oldest.at > CROWDED.lagMs
  return {
    get atOnce() {
      return atOnce
    },
    get quiet() {
      return written.pages === 0
    },
    begin() {
      written = { pages: 0, requests: 0 }
    },
    written(requests) {
      written.pages++
      written.requests += requests
    },
    hurries(pages) {
      const full = pages.length >= atOnce
      const events = pages.reduce((sum, page) => sum + page.n, 0)
      const fitting = Math.round((BATCH.events * pages.length) / Math.max(1, events))
      if (pages.length > 0) atOnce = Math.max(1, Math.min(BATCH.pages, fitting))
      return full && (lags(pages) || !isCrowded())
    },
    async rest(took, pages) {
      if (lags(pages) || !isCrowded()) return await sleeper.sleep(GATHER_MS - took)
      const until = performance.now() + Math.min(CROWDED.mostMs, took * CROWDED.rest)
      while (!closing && isCrowded() && performance.now() < until) {
        written = { pages: 0, requests: 0 }
        await sleeper.sleep(CROWDED.lookMs)
      }
    },
    hurry() {
      closing = true
    },
  }
}
