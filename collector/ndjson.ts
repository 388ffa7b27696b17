/** Answers of any length, one record a line, as fast as they are read. */
import { once } from 'node:events'
import type { Response } from 'express'

export const NDJSON = 'application/x-ndjson'

export const lineOf = (record: object): string => `${JSON.stringify(record)}\n`

/** Ends, without an error, when who asked is gone. */
export async function sendLines(response: Response, records: AsyncIterable<object>): Promise<void> {
  response.type(NDJSON)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    for await (const record of records) {
      if (gone.signal.aborted) return
      // Waits for who reads slowly, and not for who has left.
      if (!response.write(lineOf(record))) await once(response, 'drain', { signal: gone.signal })
    }
    response.end()
  } catch (error) {
    if (!gone.signal.aborted) throw error
  }
}
