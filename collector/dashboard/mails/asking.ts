/** What is asked again by itself while somebody looks. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { isPassing, type Problem } from '../shell/api.ts'
import { useShell } from '../shell/context.ts'

/** A question that is not answered within this time, ms, is asked anew: the collector gives up on its own before. */
const TIMEOUT = 40_000
/** Longest pause between two questions that fail, ms */
const MOST = 30_000

export interface Asked<T> {
  body?: T
  /** when the answer that is shown was asked for, this device's clock, ms */
  at: number
  /** why there is no newer answer, and since when; ms */
  failed?: { problem: Problem; since: number }
  /** Asks at once. */
  again(): void
}

/**
 * How long to rest before the next question, ms: ten times as long as the last answer took, so that what is costly burdens
 * the collector no more than what is not; after failures twice as long each time, up to half a minute.
 * @param took ms, @param failures in a row, @param least ms
 */
export function pauseAfter(took: number, failures: number, least: number): number {
  return failures > 0 ? Math.min(MOST, least * 2 ** failures) : Math.max(least, 10 * took)
}

/**
 * Asks the API of the site that is shown, and again and again while the page is visible. What is known stays when a
 * question fails. @param path of the API, the same for as long as the view is shown, @param least pause, ms
 */
export function useAsked<T>(path: string, least: number): Asked<T> {
  const { api, site } = useShell()
  const [asked, set] = useState<Omit<Asked<T>, 'again'>>({ at: 0 })
  const again = useRef(() => {})
  const key = site?.key ?? ''
  useEffect(() => {
    const gone = new AbortController()
    let timer: number | undefined
    let isAsking = false
    let failures = 0
    let due = 0
    const plan = () => {
      window.clearTimeout(timer)
      if (isAsking || document.hidden || due === Number.POSITIVE_INFINITY) return
      timer = window.setTimeout(ask, Math.max(0, due - performance.now()))
    }
    const now = () => {
      due = 0
      plan()
    }
    async function ask() {
      isAsking = true
      const [at, begun] = [Date.now(), performance.now()]
      const answer = await api.get<T>(path, { site: key }, AbortSignal.any([gone.signal, AbortSignal.timeout(TIMEOUT)]))
      if (gone.signal.aborted) return
      isAsking = false
      failures = answer.ok ? 0 : failures + 1
      const ended = performance.now()
      due =
        answer.ok || isPassing(answer.problem)
          ? ended + pauseAfter(ended - begun, failures, least)
          : Number.POSITIVE_INFINITY
      set(before =>
        answer.ok
          ? { body: answer.body, at }
          : { ...before, failed: { problem: answer.problem, since: before.failed?.since ?? at } },
      )
      plan()
    }
    again.current = now
    document.addEventListener('visibilitychange', plan)
    window.addEventListener('online', now)
    plan()
    return () => {
      gone.abort()
      window.clearTimeout(timer)
      document.removeEventListener('visibilitychange', plan)
      window.removeEventListener('online', now)
    }
  }, [path, key])
  return { ...asked, again: () => again.current() }
}
