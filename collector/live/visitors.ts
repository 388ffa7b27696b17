/**
 * Different visitors of the day can't be told by deltas: which ones they are is in no message. So they are counted anew for
 * all who watch a site, when visits have changed, and seldom enough: one site at a time, whatever is watched.
 */
import type { Log } from '../log.ts'
import type { Site } from '../sites/index.ts'
import type { LiveVisitors } from './messages.ts'

/** @returns `undefined` where it is not known now */
export type CountVisitors = (site: Site, signal: AbortSignal) => Promise<Omit<LiveVisitors, 'at'> | undefined>

/** A site is counted at most this often, ms; and it rests so many times as long as counting took. */
const EVERY_MS = 5_000
const RESTS = 20
/** After a failure, ms. */
const FAILED_MS = 30_000

export interface Countable {
  site: Site
  /** whether visits have changed since they were counted */
  isStale: boolean
  /** when it may be counted next, by `performance.now()` */
  restsUntil: number
  counted(visitors: LiveVisitors): void
}

export interface VisitorCounting {
  /** Counts the one that has waited longest, if one may be counted and none is at the moment. */
  next(sites: Iterable<Countable>): void
  close(): void
}

export function createVisitorCounting(count: CountVisitors, log: Log, clock: () => number): VisitorCounting {
  const stop = new AbortController()
  let isCounting = false
  const countOne = async (one: Countable): Promise<void> => {
    const [at, begun] = [clock(), performance.now()]
    one.isStale = false
    try {
      const counted = await count(one.site, stop.signal)
      if (stop.signal.aborted) return
      if (!counted) throw new Error('the visitors of today can not be told')
      one.restsUntil = performance.now() + Math.max(EVERY_MS, RESTS * (performance.now() - begun))
      one.counted({ ...counted, at })
    } catch (error) {
      one.isStale = true
      one.restsUntil = performance.now() + FAILED_MS
      if (!stop.signal.aborted) log.warn({ err: error, site: one.site.key }, 'visitors could not be counted')
    }
  }
  return {
    next(sites) {
      if (isCounting) return
      const now = performance.now()
      const [longest] = [...sites]
        .filter(one => one.isStale && one.restsUntil <= now)
        .sort((a, b) => a.restsUntil - b.restsUntil)
      if (!longest) return
      isCounting = true
      void countOne(longest).finally(() => {
        isCounting = false
      })
    },
    close: () => stop.abort(),
  }
}
