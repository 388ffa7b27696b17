/**
 * One visit to the live page: which site is watched, over which line, and what is known. It opens the line while the
 * page is there to be looked at and closes it otherwise; `changed` is called after every change.
 */
import { type Connection, connect, type Link, type Listener, type Surroundings } from './connection.ts'
import { fetchSites, type Site } from './sites.ts'
import { applySnapshot, applyTick, type LiveState } from './state.ts'

export interface View {
  /** key of the site that is shown; null until one is known */
  site: string | null
  /** null until the list is known */
  sites: Site[] | null
  link: Link
  live: LiveState | null
}

export interface Session {
  readonly view: View
  select(site: string): void
}

/**
 * A browser has six HTTP/1.1 connections a host and a stream takes one for good, so a page in a background tab gives
 * its own back after this time, ms; coming back costs one snapshot.
 */
export const HIDDEN_AFTER = 60_000

export function startSession(window: Window & typeof globalThis, changed: () => void): Session {
  const view: View = { site: siteInUrl(), sites: null, link: 'loading', live: null }
  let connection: Connection | undefined
  let hiding = 0
  const set = (change: Partial<View>) => {
    Object.assign(view, change)
    changed()
  }
  const around: Surroundings = {
    EventSource: window.EventSource,
    online: () => window.navigator.onLine,
    random: Math.random,
    later(call, ms) {
      const timer = window.setTimeout(call, ms)
      return () => window.clearTimeout(timer)
    },
    async sites() {
      const answer = await fetchSites(window.fetch.bind(window))
      if (answer.kind === 'sites') set({ sites: answer.sites })
      return answer
    },
  }

  function siteInUrl() {
    return new URLSearchParams(window.location.search).get('site') || null
  }

  function open() {
    connection?.close()
    connection = undefined
    if (view.site === null) return
    const listener: Listener = {
      link: link => link !== view.link && set({ link }),
      snapshot: snapshot => set({ live: applySnapshot(snapshot, Date.now(), view.live) }),
      tick: tick => view.live && set({ live: applyTick(view.live, tick, Date.now()) }),
    }
    connection = connect(view.site, around, listener, view.live !== null)
  }

  function close() {
    connection?.close()
    connection = undefined
  }

  function show(site: string | null) {
    set({ site, live: null, link: 'loading' })
    open()
  }

  /** Without a site in the address the first one is shown. The list is asked for until it comes. */
  async function list(wait = 1_000): Promise<void> {
    const answer = await around.sites()
    if (answer.kind === 'signed-out') return set({ link: 'signed-out' })
    if (answer.kind === 'unreachable') {
      if (view.site === null) set({ link: around.online() ? 'reconnecting' : 'offline' })
      around.later(() => void list(Math.min(wait * 2, 30_000)), wait)
      return
    }
    const first = answer.sites[0]
    if (view.site !== null || !first) return
    window.history.replaceState(null, '', `?site=${encodeURIComponent(first.key)}`)
    show(first.key)
  }

  window.addEventListener('pagehide', close)
  window.addEventListener('pageshow', event => event.persisted && open())
  window.addEventListener('online', () => connection?.retry())
  window.addEventListener('offline', () => set({ link: 'offline' }))
  window.addEventListener('popstate', () => show(siteInUrl() ?? view.sites?.[0]?.key ?? null))
  window.document.addEventListener('visibilitychange', () => {
    window.clearTimeout(hiding)
    if (window.document.hidden) hiding = window.setTimeout(close, HIDDEN_AFTER)
    else if (connection) connection.retry()
    else open()
  })

  open()
  void list()
  return {
    view,
    select(site) {
      window.history.pushState(null, '', `?site=${encodeURIComponent(site)}`)
      show(site)
    },
  }
}
