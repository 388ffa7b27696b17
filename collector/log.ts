/** The collector's log: JSON lines on stderr. No address and no body of a request is ever given to it. */
import pino, { type DestinationStream, type Logger } from 'pino'

export type Log = Logger

/** @param to where lines go; stderr if absent */
export const createLog = (level: string, to: DestinationStream = pino.destination({ dest: 2, sync: true })): Log =>
  pino({ level, base: null, serializers: { err: describe } }, to)

/**
 * What of an error is logged. Not its other fields: the driver's errors hold the documents that could not be written,
 * so URLs and ids of visitors, and the ids of all that could.
 */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error }
  const { name, code, stack } = error as Error & { code?: unknown }
  return { type: name, code, stack: withoutValues(stack) }
}

/** A duplicate key error quotes the key: a session's, or an event's id that is the caller's own. */
const withoutValues = (text = ''): string => text.replace(/dup key: \{.*\}/gs, 'dup key')
