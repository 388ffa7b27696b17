/** Computes answers, each once for all who ask for the same, and in a snapshot that the questions of a moment have in common. */
import type { Db, MongoClient } from 'mongodb'
import type { Reads } from './engine.ts'
import type { Kept, Turn } from './kept.ts'
import type { Basis } from './moment.ts'
import { createPresent, heldBy, NEXT_MS } from './present.ts'
import { type Fault, QueryError, TOO_LONG } from './query.ts'
import { startWork } from './work.ts'

interface Parts {
  client: MongoClient
  db: Db
  /** if absent, each question is computed */
  kept?: Kept | undefined
  /** how long one may be computed, ms; half a minute if absent */
  most?: number | undefined
}

interface Question {
  /** names what is asked */
  key: string
  /** what its answer stands on */
  basis: Basis
  /** aborts when the asker has gone */
  signal: AbortSignal
  /** waited for before it is computed, where answers are kept */
  turn: Turn
}

export interface Computed<T> {
  answer: T
  /** made for an earlier question, and still so */
  cached: boolean
  /** everything received before is contained, ms since the epoch; all of it if absent */
  oldest: number | undefined
}

export interface Computing {
  <T>(question: Question, compute: (reads: Reads) => Promise<T>): Promise<Computed<T>>
  /** Where it is kept, or being computed; `undefined` where it is not. */
  find<T>(question: Question): Promise<Computed<T> | undefined>
}

export function createComputing({ client, db, kept, most }: Parts): Computing {
  const present = createPresent(client, db, kept && NEXT_MS)
  const find = async <T>({ signal, ...question }: Question): Promise<Computed<T> | undefined> => {
    if (!kept) return undefined
    const { moment, release } = await heldBy(present(), signal)
    try {
      const found = await kept.find<T>({ ...question, moment, signal })
      return found && { ...found, oldest: moment.oldest }
    } finally {
      release()
    }
  }
  const computing = async <T>({ signal, ...question }: Question, compute: (reads: Reads) => Promise<T>) => {
    const { moment, hold, release } = await heldBy(present(), signal)
    const begin = () => {
      // Others may wait for it when this asker has gone.
      const { session, release } = hold()
      return startWork((stop: AbortSignal) => compute({ session, signal: stop }).finally(release), most)
    }
    try {
      const { answer, cached } = kept
        ? await kept.take({ ...question, moment, signal, begin })
        : { answer: await begin().join(signal), cached: false }
      return { answer, cached, oldest: moment.oldest }
    } finally {
      release()
    }
  }
  return Object.assign(computing, { find })
}

/**
 * Why a question is not answered: what MongoDB says of a read that took too long (50); what `$regexMatch` says of a pattern that
 * is none, and of one that it gave up on, as its steps are bounded. `undefined` where it is no fault of the question.
 */
export function faultOf(error: unknown): Fault | undefined {
  if (error instanceof QueryError) return error.fault
  const { code, message } = error as { code?: unknown; message: string }
  if (code === 50) return TOO_LONG
  if (code === 51_111)
    return { code: 'query-invalid', detail: `filters: not a regular expression of PCRE: ${message.split(': ').at(-1)}` }
  if (code === 51_156)
    return { code: 'query-too-large', detail: 'filters: a regular expression takes too many steps: ask a simpler one' }
  return undefined
}
