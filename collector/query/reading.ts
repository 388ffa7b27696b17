/** How the reads of a question are bounded. */
import type { Abortable } from 'mongodb'

/** How long one read may take, and a question with all of its reads, ms. */
export const MAX_TIME_MS = 30_000

interface Reading extends Abortable {
  maxTimeMS: number
  comment: string
  signal?: AbortSignal
}

/** @param signal if there is one: at which the driver closes the connection, and mongod ends what was asked on it */
export const reading = (signal?: AbortSignal): Reading => ({
  maxTimeMS: MAX_TIME_MS,
  comment: 'livetag query',
  ...(signal && { signal }),
})
