/** A site's stream and what is known by it, for one page or for all that share it. */
import type { LiveTick } from '../../live/messages.ts'
import { createApi } from '../shell/api.ts'
import { fetchMe } from '../shell/me.ts'
import { type Connection, connect, type Link, type Surroundings } from './connection.ts'
import { applySnapshot, applyTick, type LiveState } from './state.ts'

/** What is watched, and as whom. Plain data: it goes from a page to a worker. */
export interface Ask {
  site: string
  /** where the collector is mounted, with a slash at its end */
  base: string
  /** what a shared link shows, or null */
  pass: string | null
}

export interface Known {
  /** `crowded`: more sites are watched by this browser than it has lines to the collector */
  link: Link | 'crowded'
  live: LiveState | null
}

/** All that is known, or only what changed of it. */
export type Change = { known: Known } | { link: Known['link'] } | { tick: LiveTick }
export type Heard = (known: Known, change: Change) => void

/** What is known after a change. @param now this device's clock, ms */
export function applyChange(known: Known, change: Change, now: number): Known {
  if ('known' in change) return change.known
  if ('link' in change) return { ...known, link: change.link }
  return known.live ? { ...known, live: applyTick(known.live, change.tick, now) } : known
}

export interface Source extends Connection {
  known(): Known
}

/** Where it was taken from: a page, or a worker. */
export interface Scope {
  EventSource: Surroundings['EventSource']
  fetch: typeof fetch
  navigator: { onLine: boolean }
  setTimeout(call: () => void, ms: number): number
  clearTimeout(timer: number): void
}

/** Names a stream: pages that ask the same share it. */
export const urlOf = ({ site, base, pass }: Ask, fetcher: typeof fetch): string =>
  createApi(fetcher, base, () => pass).url('live', { site })

/**
 * Opens it and keeps it open until `close()`.
 * @param before what an earlier line brought
 * @param heard called after each change
 */
export function openSource(ask: Ask, scope: Scope, heard: Heard, before: LiveState | null): Source {
  const fetcher = scope.fetch.bind(scope)
  const api = createApi(fetcher, ask.base, () => ask.pass)
  let known: Known = { link: before ? 'reconnecting' : 'loading', live: before }
  const set = (change: Change): void => {
    known = applyChange(known, change, Date.now())
    heard(known, change)
  }
  const around: Surroundings = {
    EventSource: scope.EventSource,
    online: () => scope.navigator.onLine,
    random: Math.random,
    later(call, ms) {
      const timer = scope.setTimeout(call, ms)
      return () => scope.clearTimeout(timer)
    },
    url: site => api.url('live', { site }),
    me: () => fetchMe(api),
  }
  const connection = connect(
    ask.site,
    around,
    {
      link: link => link !== known.link && set({ link }),
      snapshot: snapshot => set({ known: { ...known, live: applySnapshot(snapshot, Date.now(), known.live) } }),
      tick: tick => set({ tick }),
    },
    before !== null,
  )
  return { ...connection, known: () => known }
}
