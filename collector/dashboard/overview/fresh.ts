import { useEffect } from 'preact/hooks'
import type { Watching } from '../live/session.ts'
import type { Screen } from './screen.ts'

/** Questions of now are asked again at most this often, ms, and rest three times as long as they took. */
export const EVERY = 4_000
const MINUTE = 60_000

export interface Freshness {
  screens: readonly Screen[]
  watching: Watching
  /** whether the range contains the present */
  isNow: boolean
  /** whether it moves along with the clock */
  isRolling: boolean
  /** how long the slowest answer took, ms */
  took: number
}

/**
 * Asks again when the stream has said that something was counted, softly and while somebody looks: no clock polls. A range
 * that ends with the present minute is another one each minute. What failed is asked again when the line is back.
 */
export function useFreshness({ screens, watching, isNow, isRolling, took }: Freshness): void {
  useEffect(() => {
    const counted = () => watching.view.get().live?.counted
    const minute = () => Math.floor(Date.now() / MINUTE)
    let asked = { at: performance.now(), counted: counted(), minute: minute() }
    let { link } = watching.view.get()
    let timer: number | undefined
    const again = () => {
      timer = undefined
      if (document.hidden) return
      asked = { at: performance.now(), counted: counted(), minute: minute() }
      for (const screen of screens) screen.again()
    }
    const look = () => {
      // What the stream begins with was counted before the questions were asked.
      asked.counted ??= counted()
      const isOlder = counted() !== asked.counted || (isRolling && minute() !== asked.minute)
      if (!isNow || !isOlder || document.hidden || timer !== undefined) return
      timer = window.setTimeout(again, Math.max(0, asked.at + Math.max(EVERY, 3 * took) - performance.now()))
    }
    const changed = () => {
      const now = watching.view.get().link
      if (now === 'live' && link !== 'live' && link !== 'loading') for (const screen of screens) screen.again('failed')
      link = now
      look()
    }
    const leave = watching.view.subscribe(changed)
    const clock = window.setInterval(look, 5_000)
    document.addEventListener('visibilitychange', look)
    return () => {
      leave()
      window.clearTimeout(timer)
      window.clearInterval(clock)
      document.removeEventListener('visibilitychange', look)
    }
  }, [...screens, watching, isNow, isRolling, took])
}
