/**
 * Answers that are kept and shared: by everybody who may ask of the site, as it is the same for all of them, and as long as
 * they hold (`moment.ts`). Who asks what is being computed waits for that, and computes nothing.
 */
import type { Db } from 'mongodb'
import { type Basis, type Moment, stillHolds } from './moment.ts'
import type { Work } from './work.ts'

/** An answer is computed anew after so long, ms: what expires in the database meanwhile is in no journal page. */
const HELD_MS = 10 * 60_000
const MOST_BYTES = 32 * 1024 * 1024
/** Of the bound, what a single answer may take. */
const LARGEST = 1 / 8
/** Of one answer, beside its text, bytes. */
const OVERHEAD = 500

/** Waits until one may compute; gives back what to call when it is done. @throws QueryError, or the signal's reason */
export type Turn = (signal: AbortSignal) => Promise<() => void>

export interface Finding {
  key: string
  basis: Basis
  /** read before: what is answered contains all that was settled then */
  moment: Moment
  /** aborts when this asker has gone */
  signal: AbortSignal
}

export interface Asked<T> extends Finding {
  turn: Turn
  begin(): Work<T>
}

export interface Kept {
  /** @returns the answer, not to be changed, and whether it was there already */
  take<T>(asked: Asked<T>): Promise<{ answer: T; cached: boolean }>
  /** The same where it is there, or being computed; `undefined` where it is not. */
  find<T>(asked: Finding): Promise<{ answer: T; cached: boolean } | undefined>
  /** of the answers that are kept, at most `most` */
  readonly bytes: number
}

interface Held {
  /** it holds since then */
  moment: Moment
  /** when it was begun, ms */
  begun: number
  work: Work<unknown>
  /** when it is done, as JSON: so many bytes and no more */
  text?: Buffer
}

/** @param clock ms, of any beginning */
export function createKept(db: Db, most = MOST_BYTES, clock: () => number = () => performance.now()): Kept {
  // In the order of their use.
  const all = new Map<string, Held>()
  let bytes = 0
  const sizeOf = ({ text }: Held): number => (text ? text.length + OVERHEAD : 0)
  const drop = (key: string, held: Held): void => {
    if (all.get(key) !== held) return
    all.delete(key)
    bytes -= sizeOf(held)
  }

  const find = async ({ key, basis, moment, signal }: Finding): Promise<Held | undefined> => {
    const held = all.get(key)
    if (!held) return undefined
    const isOld = clock() - held.begun > HELD_MS
    if (isOld || held.work.stopped || !(await stillHolds(db, basis, held.moment, moment, signal))) {
      drop(key, held)
      return undefined
    }
    // What it was held against contains what it was made of: the next look goes on from there.
    if (isLater(moment, held.moment)) held.moment = moment
    if (all.get(key) === held) {
      all.delete(key)
      all.set(key, held)
    }
    return held.work.stopped ? undefined : held
  }

  const keep = (key: string, held: Held, answer: unknown): void => {
    if (all.get(key) !== held) return
    const text = Buffer.from(JSON.stringify(answer))
    if (text.length + OVERHEAD > most * LARGEST) {
      drop(key, held)
      return
    }
    held.text = text
    bytes += sizeOf(held)
    for (const [oldest, one] of all) {
      if (bytes <= most) break
      if (one.text) drop(oldest, one)
    }
  }

  const add = <T>({ key, moment, begin }: Asked<T>, done: () => void): Held => {
    const work = begin()
    const held: Held = { moment, begun: clock(), work }
    const before = all.get(key)
    if (before) drop(key, before)
    all.set(key, held)
    work.done.then(answer => keep(key, held, answer)).catch(() => drop(key, held))
    work.done.finally(done).catch(() => {})
    return held
  }

  const give = async <T>(held: Held, signal: AbortSignal): Promise<{ answer: T; cached: boolean }> =>
    held.text
      ? { answer: JSON.parse(held.text.toString()) as T, cached: true }
      : { answer: (await held.work.join(signal)) as T, cached: false }

  return {
    async take<T>(asked: Asked<T>) {
      const { signal } = asked
      const there = await find(asked)
      if (there) return await give<T>(there, signal)
      const done = await asked.turn(signal)
      // Somebody may have begun it while this one waited for its turn.
      const meanwhile = await find(asked).catch(error => {
        done()
        throw error
      })
      if (meanwhile) {
        done()
        return await give<T>(meanwhile, signal)
      }
      return await give<T>(add(asked, done), signal)
    },
    async find<T>(asked: Finding) {
      const there = await find(asked)
      return there && (await give<T>(there, asked.signal))
    },
    get bytes() {
      return bytes
    },
  }
}

/** Whether everything that was settled `before` was settled at this moment, too. */
const isLater = (moment: Moment, before: Moment): boolean =>
  [...before.settled].every(([lane, settled]) => (moment.settled.get(lane) ?? 0) >= settled)
