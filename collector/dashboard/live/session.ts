/**
 * Watches one site after another: which is watched, over which line, and what is known of it. The line is open while the
 * page is there to be looked at and closed otherwise.
 */
import { createStore, type Store } from '../shell/store.ts'
import { createLines, type Line, waysOf } from './line.ts'
import type { Ask, Known } from './source.ts'

export interface View extends Known {
  /** key of the site that is watched; null while none is */
  site: string | null
}

export interface Watching {
  readonly view: Store<View>
  /** Watches this site from now on. */
  show(site: string | null): void
}

/** A page in a background tab gives the stream, or its share of it, back after this time, ms; coming back costs one snapshot. */
export const HIDDEN_AFTER = 60_000

/** @param ask what is asked of the collector beside the site */
export function startWatching(window: Window & typeof globalThis, ask: () => Omit<Ask, 'site'>): Watching {
  const { document } = window
  const view = createStore<View>({ site: null, link: 'loading', live: null })
  const worker = document.querySelector<HTMLMetaElement>('meta[name="livetag-worker"]')?.content ?? null
  const lines = createLines(waysOf(window, worker))
  let line: Line | undefined
  let hiding = 0

  function open() {
    close()
    const { site, live } = view.get()
    if (site === null) return
    line = lines({ site, ...ask() }, known => view.set({ site, ...known }), live)
  }

  function close() {
    line?.close()
    line = undefined
  }

  window.addEventListener('pagehide', close)
  window.addEventListener('pageshow', event => event.persisted && open())
  window.addEventListener('online', () => line?.retry())
  window.addEventListener('offline', () => view.set({ ...view.get(), link: 'offline' }))
  // Neither a frozen page nor a hidden one looks at anything.
  document.addEventListener('freeze', close)
  document.addEventListener('resume', () => line || document.hidden || open())
  document.addEventListener('visibilitychange', () => {
    window.clearTimeout(hiding)
    if (document.hidden) hiding = window.setTimeout(close, HIDDEN_AFTER)
    else if (line) line.retry()
    else open()
  })

  return {
    view,
    show(site) {
      if (site === view.get().site) return
      view.set({ site, link: 'loading', live: null })
      open()
    },
  }
}
