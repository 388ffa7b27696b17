/** The collector's log: JSON lines on stderr. No address and no body of a request is ever given to it. */
import pino, { type Logger } from 'pino'

export type Log = Logger

export const createLog = (level: string): Log => pino({ level, base: null }, pino.destination({ dest: 2, sync: true }))
