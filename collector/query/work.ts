/** One computation for all who wait for it: it ends early when the last of them has gone, or its time is up. */
import { QueryError, TOO_LONG } from './query.ts'
import { MAX_TIME_MS } from './reading.ts'

export interface Work<T> {
  /** Settles as the computation does; rejects with the signal's reason when it aborts. */
  join(signal: AbortSignal): Promise<T>
  /** whether nobody waits any more, or its time is up: there is nothing to join */
  readonly stopped: boolean
  done: Promise<T>
}

/**
 * Begins it. Whoever begins it joins it, too.
 * @param ms how long it may take
 */
export function startWork<T>(compute: (signal: AbortSignal) => Promise<T>, ms = MAX_TIME_MS): Work<T> {
  const stop = new AbortController()
  const late = new QueryError(TOO_LONG)
  const timer = setTimeout(() => stop.abort(late), ms)
  const bounded = async (): Promise<T> => {
    try {
      return await compute(stop.signal)
    } catch (error) {
      // What the driver says of it has many shapes.
      throw stop.signal.reason === late ? late : error
    } finally {
      clearTimeout(timer)
    }
  }
  const done = bounded()
  // Who joins hears of it; meanwhile it is no error that nobody does.
  done.catch(() => {})
  let waiting = 0
  return {
    done,
    get stopped() {
      return stop.signal.aborted
    },
    join(signal) {
      waiting++
      return orGone(done, signal, () => {
        if (--waiting === 0) stop.abort()
      })
    },
  }
}

/** What it gives; or the signal's reason, as soon as it aborts and `leave` was called. */
export function orGone<T>(promise: Promise<T>, signal: AbortSignal, leave = () => {}): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const go = () => {
      leave()
      reject(signal.reason)
    }
    if (signal.aborted) return go()
    signal.addEventListener('abort', go, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', go))
  })
}

/**
 * One read for all who ask at the moment. Who asks while one is on its way gets the next: it begins after they asked, so
 * that it holds all that was there when they did.
 */
export function shareReads<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined
  let next: Promise<T> | undefined
  const begin = (): Promise<T> => {
    const begun = read()
    const end = () => {
      if (running === ended) running = undefined
    }
    const ended = begun.then(end, end)
    running = ended
    return begun
  }
  return () => {
    if (!running) return begin()
    next ??= running.then(() => {
      next = undefined
      return begin()
    })
    return next
  }
}
