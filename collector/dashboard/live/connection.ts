/**
 * The line to the collector: one EventSource for one site. The browser reconnects by itself with `Last-Event-ID`;
 * this takes over where it gives up (any answer but 200), finds out why, and tries again with back-off.
 * EventSource, timers and chance are passed in.
 */
import type { LiveSnapshot, LiveTick } from '../../live/messages.ts'
import type { MeAnswer } from '../shell/me.ts'

export type Link = 'loading' | 'live' | 'reconnecting' | 'offline' | 'signed-out' | 'share-unknown' | 'unknown-site'

export interface Surroundings {
  EventSource: new (url: string) => EventSource
  /** where the stream of a site is */
  url(site: string): string
  /** who looks, and at which sites */
  me(): Promise<MeAnswer>
  /** calls back after so many ms; the result cancels it */
  later(call: () => void, ms: number): () => void
  online(): boolean
  /** from 0 to 1 */
  random(): number
}

export interface Listener {
  link(link: Link): void
  snapshot(snapshot: LiveSnapshot): void
  tick(tick: LiveTick): void
}

export interface Connection {
  /** tries at once, unless the stream is open */
  retry(): void
  close(): void
}

export const BACK_OFF = { first: 1_000, most: 30_000 } as const
/** `EventSource.OPEN` and `.CLOSED`, which a stand-in need not have. */
const OPEN = 1
const CLOSED = 2

/**
 * Opens the live stream of a site and keeps it open until `close()`. With `known`, the page still shows what an
 * earlier line brought.
 */
export function connect(site: string, around: Surroundings, listener: Listener, known = false): Connection {
  let source: EventSource | undefined
  let cancel = () => {}
  let failures = 0
  let seen = known
  let closed = false

  const broken = (): Link => (around.online() ? 'reconnecting' : 'offline')

  function open() {
    cancel()
    source?.close()
    const stream = new around.EventSource(around.url(site))
    source = stream
    // A stream that was replaced may still deliver what was queued: it no longer counts.
    const when = (type: string, call: (event: Event) => void) =>
      stream.addEventListener(type, event => {
        if (stream === source && !closed) call(event)
      })
    when('open', () => {
      if (seen) listener.link('live')
    })
    when('snapshot', event => {
      seen = true
      failures = 0
      listener.snapshot(parse(event))
      listener.link('live')
    })
    when('tick', event => {
      if (!seen) return
      listener.tick(parse(event))
      listener.link('live')
    })
    when('error', () => {
      if (stream.readyState === CLOSED) void gaveUp(stream)
      else listener.link(broken())
    })
  }

  async function gaveUp(stream: EventSource) {
    if (seen) listener.link(broken())
    const answer = await around.me()
    if (closed || stream !== source) return
    if (answer.kind === 'share-unknown') return listener.link('share-unknown')
    if (answer.kind === 'signed-out' || answer.kind === 'share-password') return listener.link('signed-out')
    const unknown = answer.kind === 'me' && !answer.me.sites.some(one => one.key === site)
    listener.link(unknown ? 'unknown-site' : broken())
    const wait = Math.min(BACK_OFF.most, BACK_OFF.first * 2 ** failures++)
    // Half of the wait is left to chance, so that many pages do not come back in the same moment.
    cancel = around.later(open, wait / 2 + (around.random() * wait) / 2)
  }

  listener.link(around.online() ? (seen ? 'reconnecting' : 'loading') : 'offline')
  open()
  return {
    retry() {
      if (closed) return
      if (source?.readyState !== OPEN) open()
      else if (seen) listener.link('live')
    },
    close() {
      closed = true
      cancel()
      source?.close()
    },
  }
}

const parse = (event: Event) => JSON.parse((event as MessageEvent<string>).data)
