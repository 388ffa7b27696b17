/** A tag in a document that is not a browser's: with a clock that the test moves and a network that the test is. */
import { vi } from 'vitest'
import type { Capability, LiveTag, Options } from '../../tag/core.ts'
import type { Envelope } from '../../tag/wire.ts'

/** What the network does with one body: a status, `lost` for no answer, `throws` for a page's own broken wrapper. */
export type Fate = number | 'lost' | 'throws'

export interface Sent {
  body: Envelope
  length: number
  by: 'fetch' | 'beacon'
  keepalive: boolean
  at: number
  fate: Fate | boolean
}

export interface Running {
  tag: LiveTag
  sent: Sent[]
  /** Moves the clock, and lets everything happen that is due. */
  advance(ms: number): Promise<unknown>
  hide(): void
  leave(): void
}

export interface Network {
  /** asked for each fetch */
  fate?(body: Envelope): Fate
  retryAfter?: string
  /** ms until an answer */
  latency?: number
  /** whether the browser takes a beacon */
  beacon?(body: Envelope): boolean
}

const undo: (() => void)[] = []

/** Ends what {@link run} has started; for `afterEach`, and before a second run. */
export function stop(): void {
  for (const step of undo.splice(0)) step()
  // before the clock is real again, by which they would be out of date and not be seen
  for (const cookie of document.cookie.split('; ')) {
    // biome-ignore lint/suspicious/noDocumentCookie: as the tag writes them
    document.cookie = `${cookie.split('=')[0]}=;domain=${location.hostname};path=/;max-age=0`
  }
  vi.unstubAllGlobals()
  vi.useRealTimers()
  Reflect.deleteProperty(window, 'livetag')
}

/** The package of the copy that is started. */
type Package = typeof import('../../tag/index.ts')

/**
 * Starts a fresh copy of the tag: its modules keep state, as there is one tag in a page.
 * @param choose its capabilities
 */
export async function run(
  options: Partial<Options> = {},
  network: Network = {},
  choose?: (own: Package) => Capability[],
): Promise<Running> {
  stop()
  vi.resetModules()
  vi.useFakeTimers({ now: 1_750_000_000_000 })
  for (const target of [window, document] as EventTarget[]) {
    const add = target.addEventListener.bind(target)
    vi.spyOn(target, 'addEventListener').mockImplementation((type, listener, how) => {
      add(type, listener, how)
      undo.push(() => target.removeEventListener(type, listener, how))
    })
  }
  undo.push(() => vi.restoreAllMocks())
  const sent: Sent[] = []
  const note = (text: string, rest: Omit<Sent, 'body' | 'length' | 'at'>) =>
    sent.push({ body: JSON.parse(text) as Envelope, length: text.length, at: Date.now(), ...rest })
  vi.stubGlobal('fetch', async (_: string, { body, keepalive }: { body: string; keepalive: boolean }) => {
    const fate = network.fate?.(JSON.parse(body) as Envelope) ?? 204
    note(body, { by: 'fetch', keepalive, fate })
    if (fate === 'throws') throw new Error('a wrapper of the page')
    await new Promise(resolve => setTimeout(resolve, network.latency ?? 0))
    if (fate === 'lost') throw new TypeError('Failed to fetch')
    return new Response(null, {
      status: fate,
      headers: network.retryAfter === undefined ? {} : { 'retry-after': network.retryAfter },
    })
  })
  vi.stubGlobal('navigator', {
    language: 'en',
    sendBeacon(_: string, body: string) {
      const fate = network.beacon?.(JSON.parse(body) as Envelope) ?? true
      note(body, { by: 'beacon', keepalive: true, fate })
      return fate
    },
  })
  const { start } = await import('../../tag/core.ts')
  const capabilities = choose?.(await import('../../tag/index.ts'))
  const tag = start({ site: 'shop', url: 'https://stats.example/e', mode: 'none', ...options }, capabilities)
  if (!tag) throw new Error('the tag did not start')
  return {
    tag,
    sent,
    advance: ms => vi.advanceTimersByTimeAsync(ms),
    hide() {
      vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
      document.dispatchEvent(new Event('visibilitychange'))
      vi.spyOn(document, 'hidden', 'get').mockReturnValue(false)
    },
    leave: () => void window.dispatchEvent(new Event('pagehide')),
  }
}
