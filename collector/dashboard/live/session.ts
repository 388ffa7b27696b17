/**
 * Watches one site after another: which is watched, over which line, and what is known of it. The line is open while the
 * page is there to be looked at and closed otherwise.
 */
import { createStore, type Store } from '../shell/store.ts'
import { type Connection, connect, type Link, type Listener, type Surroundings } from './connection.ts'
import { applySnapshot, applyTick, type LiveState } from './state.ts'

export interface View {
  /** key of the site that is watched; null while none is */
  site: string | null
  link: Link
  live: LiveState | null
}

export interface Watching {
  readonly view: Store<View>
  /** Watches this site from now on. */
  show(site: string | null): void
}

/**
 * A browser has six HTTP/1.1 connections a host and a stream takes one for good, so a page in a background tab gives
 * its own back after this time, ms; coming back costs one snapshot.
 */
export const HIDDEN_AFTER = 60_000

export function startWatching(
  window: Window & typeof globalThis,
  { url, me }: Pick<Surroundings, 'url' | 'me'>,
): Watching {
  const view = createStore<View>({ site: null, link: 'loading', live: null })
  let connection: Connection | undefined
  let hiding = 0
  const set = (change: Partial<View>) => view.set({ ...view.get(), ...change })
  const around: Surroundings = {
    EventSource: window.EventSource,
    online: () => window.navigator.onLine,
    random: Math.random,
    later(call, ms) {
      const timer = window.setTimeout(call, ms)
      return () => window.clearTimeout(timer)
    },
    url,
    me,
  }

  function open() {
    close()
    const { site, live } = view.get()
    if (site === null) return
    const listener: Listener = {
      link: link => link !== view.get().link && set({ link }),
      snapshot: snapshot => set({ live: applySnapshot(snapshot, Date.now(), view.get().live) }),
      tick(tick) {
        const { live } = view.get()
        if (live) set({ live: applyTick(live, tick, Date.now()) })
      },
    }
    connection = connect(site, around, listener, live !== null)
  }

  function close() {
    connection?.close()
    connection = undefined
  }

  window.addEventListener('pagehide', close)
  window.addEventListener('pageshow', event => event.persisted && open())
  window.addEventListener('online', () => connection?.retry())
  window.addEventListener('offline', () => set({ link: 'offline' }))
  window.document.addEventListener('visibilitychange', () => {
    window.clearTimeout(hiding)
    if (window.document.hidden) hiding = window.setTimeout(close, HIDDEN_AFTER)
    else if (connection) connection.retry()
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
