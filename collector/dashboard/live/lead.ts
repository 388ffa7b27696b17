/**
 * Tabs that share a stream without a worker: the one that holds a lock leads, has the stream, and tells the others by a
 * channel. When it ends, the lock goes to another tab, which begins with a fresh snapshot; from one that sleeps it is taken.
 */
import { HERE_MS } from './exchange.ts'
import type { Way } from './line.ts'
import { applyChange, type Change, type Known, openSource, type Scope, type Source, urlOf } from './source.ts'

/** After so long without a word, a leader sleeps, ms. */
export const ASLEEP_MS = 15_000

/** From the leader; or from a tab, which asks for what is known, or for another try. */
type Said = Change | { here: true } | { ask: true } | { retry: true }

export const leadOrFollow =
  (window: Window & typeof globalThis): Way =>
  (ask, heard, before) => {
    const scope = window as unknown as Scope
    const name = `livetag ${urlOf(ask, scope.fetch.bind(scope))}`
    const channel = new window.BroadcastChannel(name)
    let known: Known = { link: before ? 'reconnecting' : 'loading', live: before }
    let source: Source | undefined
    let release = () => {}
    let isClosed = false
    let heardAt = performance.now()
    const say = (said: Said): void => channel.postMessage(said)
    const take = (change: Change): void => {
      known = applyChange(known, change, Date.now())
      heard(known, change)
    }

    const lead = (): Promise<void> => {
      if (isClosed) return Promise.resolve()
      source = openSource(
        ask,
        scope,
        (now, change) => {
          known = now
          heard(now, change)
          say(change)
        },
        known.live,
      )
      return new Promise(resolve => {
        release = resolve
      })
    }
    const follow = (): void => {
      source?.close()
      source = undefined
    }
    /** Waits for its turn to lead. A lock that is taken from a tab ends its turn. */
    const wait = (steal: boolean): void => {
      const options = steal ? { steal } : { signal: gone.signal }
      window.navigator.locks.request(name, options, lead).then(follow, () => {
        follow()
        if (!isClosed) wait(false)
      })
    }
    const gone = new AbortController()

    channel.onmessage = ({ data }: MessageEvent<Said>) => {
      heardAt = performance.now()
      if ('ask' in data) source && say({ known })
      else if ('retry' in data) source?.retry()
      else if (!('here' in data) && !source) take(data)
    }
    const beat = window.setInterval(() => {
      if (source) say({ here: true })
      else if (performance.now() - heardAt > ASLEEP_MS) {
        heardAt = performance.now()
        wait(true)
      }
    }, HERE_MS)
    heard(known, { known })
    say({ ask: true })
    wait(false)
    return {
      retry: () => (source ? source.retry() : say({ retry: true })),
      close() {
        isClosed = true
        window.clearInterval(beat)
        gone.abort()
        follow()
        release()
        channel.close()
      },
    }
  }
