/** How much one caller may ask at a time and in a minute. Counted in this process: collectors do not know of each other. */
import { type Caller, nameOf } from './caller.ts'
import { getOrAdd } from './get-or-add.ts'
import { QueryError, type Turn } from './query/index.ts'

export const LIMITS = {
  /** questions on their way */
  atOnce: 32,
  /** of them, those that are computed */
  computing: 4,
  /** how long one may wait until others are computed, ms: as long as one of these may take */
  wait: 30_000,
  /** questions of an API key in a minute of the clock */
  perMinute: 1_200,
} as const
type Limits = { readonly [name in keyof typeof LIMITS]: number }

export interface Refusal {
  code: 'too-many-queries' | 'too-many-a-minute'
  detail: string
  /** s */
  retryAfter: number
}

export interface Entrance {
  leave(): void
  /** @throws QueryError when it took too long */
  turn: Turn
}

interface Busy {
  atOnce: number
  computing: number
  /** in their order */
  waiting: Set<() => void>
}

const MINUTE_MS = 60_000

/** @param clock ms */
export function createLimits(clock: () => number, limits: Limits = LIMITS) {
  const busy = new Map<string, Busy>()
  const asked = new Map<string, number>()
  let minute = 0

  const isTooOften = (name: string): boolean => {
    const present = Math.floor(clock() / MINUTE_MS)
    if (present !== minute) asked.clear()
    minute = present
    const n = (asked.get(name) ?? 0) + 1
    asked.set(name, n)
    return n > limits.perMinute
  }
  const forget = (name: string, { atOnce, computing }: Busy): void => {
    if (atOnce === 0 && computing === 0) busy.delete(name)
  }

  return {
    /** Lets a question in, or says why not. */
    enter(caller: Caller): Entrance | Refusal {
      const name = nameOf(caller)
      if (caller.kind === 'key' && isTooOften(name)) {
        const retryAfter = Math.ceil((MINUTE_MS - (clock() % MINUTE_MS)) / 1_000)
        return { code: 'too-many-a-minute', detail: `${limits.perMinute} have been asked in this minute.`, retryAfter }
      }
      const mine = getOrAdd(busy, name, (): Busy => ({ atOnce: 0, computing: 0, waiting: new Set() }))
      if (mine.atOnce >= limits.atOnce)
        return { code: 'too-many-queries', detail: `${limits.atOnce} are on their way.`, retryAfter: 2 }
      mine.atOnce++
      const done = () => {
        const [next] = mine.waiting
        // Handed on, so that nobody who comes later is first.
        if (next) return next()
        mine.computing--
        forget(name, mine)
      }
      return {
        leave() {
          mine.atOnce--
          forget(name, mine)
        },
        async turn(signal) {
          if (mine.computing < limits.computing) mine.computing++
          else await waitFor(mine.waiting, signal, limits)
          return done
        },
      }
    },
  }
}

function waitFor(waiting: Set<() => void>, signal: AbortSignal, { computing, wait }: Limits): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      waiting.delete(begin)
      clearTimeout(timer)
      signal.removeEventListener('abort', gone)
    }
    const begin = () => {
      end()
      resolve()
    }
    const gone = () => {
      end()
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      end()
      const detail = `${computing} were computed for ${wait / 1_000} s, and this one waited.`
      reject(new QueryError({ code: 'too-many-queries', detail }))
    }, wait)
    waiting.add(begin)
    if (signal.aborted) gone()
    else signal.addEventListener('abort', gone)
  })
}
