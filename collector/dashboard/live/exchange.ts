/**
 * One stream a site for all tabs of a browser: over HTTP/1.1 it has six connections to a host, and each stream takes one
 * for good. Runs in a SharedWorker, and is told by each tab what it wants and, again and again, that it is still there:
 * no browser tells of a tab that was closed, has crashed, or was frozen.
 */
import type { Ask, Change, Heard, Source } from './source.ts'
import type { LiveState } from './state.ts'

export type ToExchange = { join: Ask } | { here: true } | { retry: true } | { leave: true }
/** `gone`: it was not heard for so long that it has to join anew. */
export type ToTab = Change | { gone: true }

/** A tab says so often that it is there, and is forgotten when it has not for so long, ms. */
export const HERE_MS = 5_000
export const GONE_MS = 20_000
/** Streams at a time: of six connections, two are left for everything else. */
export const MOST_STREAMS = 4

export interface Port {
  postMessage(message: ToTab): void
}

interface Tab {
  port: Port
  key: string
  heardAt: number
}

interface Shared {
  ask: Ask
  tabs: Set<Tab>
  source: Source | undefined
  /** what an earlier stream brought */
  live: LiveState | null
}

export interface Exchange {
  /** A tab says something. */
  heard(port: Port, message: ToExchange): void
  /** Forgets tabs that are gone. */
  sweep(): void
}

/** @param open a stream @param clock ms */
export function createExchange(
  open: (ask: Ask, heard: Heard, before: LiveState | null) => Source,
  keyOf: (ask: Ask) => string,
  clock: () => number,
): Exchange {
  const tabs = new Map<Port, Tab>()
  // The one that was asked for last comes last.
  const streams = new Map<string, Shared>()

  const tell = (shared: Shared, message: ToTab): void => {
    for (const { port } of shared.tabs) port.postMessage(message)
  }
  const start = (shared: Shared): void => {
    shared.source = open(shared.ask, (_, change) => tell(shared, change), shared.live)
    tell(shared, { known: shared.source.known() })
  }
  const stop = (shared: Shared): void => {
    shared.live = shared.source?.known().live ?? null
    shared.source?.close()
    shared.source = undefined
  }
  /** The newest have a stream each, as many as there may be. */
  const balance = (): void => {
    for (const [key, shared] of streams) {
      if (shared.tabs.size > 0) continue
      stop(shared)
      streams.delete(key)
    }
    const all = [...streams.values()]
    for (const shared of all.slice(0, -MOST_STREAMS)) {
      if (shared.source) stop(shared)
      tell(shared, { link: 'crowded' })
    }
    for (const shared of all.slice(-MOST_STREAMS)) if (!shared.source) start(shared)
  }
  const forget = (tab: Tab): void => {
    tabs.delete(tab.port)
    streams.get(tab.key)?.tabs.delete(tab)
  }
  const join = (port: Port, ask: Ask): void => {
    const before = tabs.get(port)
    if (before) forget(before)
    const key = keyOf(ask)
    const shared: Shared = streams.get(key) ?? { ask, tabs: new Set(), source: undefined, live: null }
    const tab: Tab = { port, key, heardAt: clock() }
    tabs.set(port, tab)
    shared.tabs.add(tab)
    streams.delete(key)
    streams.set(key, shared)
    if (shared.source) port.postMessage({ known: shared.source.known() })
    balance()
  }

  return {
    heard(port, message) {
      if ('join' in message) return join(port, message.join)
      const tab = tabs.get(port)
      // Forgotten while it slept: it has to ask anew.
      if (!tab) return port.postMessage({ gone: true })
      tab.heardAt = clock()
      const shared = streams.get(tab.key)
      if ('leave' in message) {
        forget(tab)
        balance()
      } else if ('retry' in message && shared) {
        if (!shared.source) join(port, shared.ask)
        else shared.source.retry()
      }
    },
    sweep() {
      for (const tab of tabs.values()) if (clock() - tab.heardAt > GONE_MS) forget(tab)
      balance()
    },
  }
}
