/**
 * A request is answered in a bounded time, also while mongod is frozen or a primary is elected: the driver would wait
 * for most of a minute. What was refused so may still become durable; whoever sends it again sends a repeat, which is
 * dropped, and what a beacon brought is not lost by it.
 */
import { type Journal, JournalError } from '../journal/index.ts'

/** How long a request waits for the journal, ms: elections that go well are over by then. */
const PATIENCE_MS = 5_000
const LOOK_MS = 250

export interface PatientJournal extends Pick<Journal, 'append'> {
  close(): void
}

/** @param refuses whether nothing can be taken now, whatever the journal says */
export function withPatience(journal: Pick<Journal, 'append'>, refuses: () => boolean): PatientJournal {
  // In the order in which they came.
  const waiting = new Set<Waiting>()
  // One timer for all: one a request would cost more than the rest of this.
  const timer = setInterval(() => {
    const late = performance.now() - PATIENCE_MS
    for (const one of waiting) {
      if (one.since > late) return
      waiting.delete(one)
      one.give(new JournalError('full'))
    }
  }, LOOK_MS).unref()
  return {
    append(events, bytes) {
      if (refuses()) return Promise.reject(new JournalError('full'))
      return bounded(journal.append(events, bytes), waiting)
    },
    close: () => clearInterval(timer),
  }
}

interface Waiting {
  since: number
  give(error: JournalError): void
}

/** By itself, so that what waits does not hold the events. */
const bounded = (written: Promise<void>, waiting: Set<Waiting>): Promise<void> =>
  new Promise((resolve, reject) => {
    const one = { since: performance.now(), give: reject }
    waiting.add(one)
    written.then(
      () => {
        waiting.delete(one)
        resolve()
      },
      error => {
        waiting.delete(one)
        reject(error)
      },
    )
  })
