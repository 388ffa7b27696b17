/** The collector's log: JSON lines on stderr. No address and no body of a request is ever given to it. */
import pino, { type DestinationStream, type Logger } from 'pino'

export type Log = Logger

/** @param to where lines go; stderr if absent */
export function createLog(level: string, to: LogStream = pino.destination({ dest: 2, sync: true })): Log {
  // A log that can't be written, as its disk is full, is no reason to end.
  to.on?.('error', () => {})
  return pino({ level, base: null, serializers: { err: describe } }, to)
}

type LogStream = DestinationStream & { on?(event: 'error', listener: () => void): unknown }

const AWAY = new Set(['MongoServerSelectionError', 'MongoNetworkError', 'MongoNetworkTimeoutError'])

/**
 * What of an error is logged. Not its other fields: the driver's errors hold the documents that could not be written,
 * so URLs and ids of visitors, and the ids of all that could.
 */
function describe(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error }
  const { name, code, message, stack } = error as Error & { code?: unknown }
  // Of a server that is away: said again and again until it is back, and where we were then is of no use.
  if (AWAY.has(name)) return { type: name, code, message: withoutValues(message) }
  return { type: name, code, stack: withoutValues(stack) }
}

/** A duplicate key error quotes the key: a session's, or an event's id that is the caller's own. */
const withoutValues = (text = ''): string => text.replace(/dup key: \{.*\}/gs, 'dup key')
