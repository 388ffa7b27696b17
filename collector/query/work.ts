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
      return new Promise<T>((resolve, reject) => {
        const leave = () => {
          if (--waiting === 0) stop.abort()
          reject(signal.reason)
        }
        if (signal.aborted) return leave()
        signal.addEventListener('abort', leave, { once: true })
        done.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
      })
    },
  }
}
