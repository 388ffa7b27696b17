/** A value that views draw, and that changes more often than it is drawn. */
import { useEffect, useState } from 'preact/hooks'

export interface Store<T> {
  get(): T
  set(next: T): void
  /** Called after each change; the result ends that. */
  subscribe(call: () => void): () => void
}

export function createStore<T>(value: T): Store<T> {
  const calls = new Set<() => void>()
  return {
    get: () => value,
    set(next) {
      value = next
      for (const call of calls) call()
    },
    subscribe(call) {
      calls.add(call)
      return () => void calls.delete(call)
    },
  }
}

/** Ticks come every 50 ms; the eye does not need more than this, and a wall screen's small computer neither. */
const DRAW_EVERY = 100

/** The value, drawn at most every 100 ms. */
export function useStore<T>(store: Store<T>): T {
  const [, draw] = useState(0)
  const drawn = store.get()
  useEffect(() => {
    let timer: number | undefined
    let drawnAt = 0
    const now = () => {
      timer = undefined
      drawnAt = performance.now()
      draw(n => n + 1)
    }
    const later = () => {
      timer ??= window.setTimeout(now, Math.max(0, drawnAt + DRAW_EVERY - performance.now()))
    }
    const leave = store.subscribe(later)
    // It may have changed since it was drawn.
    if (store.get() !== drawn) later()
    return () => {
      leave()
      window.clearTimeout(timer)
    }
  }, [store])
  return drawn
}

/** This device's clock, ms, drawn anew every so many ms. */
export function useNow(every = 1_000): number {
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = window.setInterval(() => tick(n => n + 1), every)
    return () => window.clearInterval(timer)
  }, [every])
  return Date.now()
}
