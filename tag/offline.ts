/**
 * What the collector has not confirmed outlives its page: it is kept on the device, where that is allowed, and goes with the
 * first batch of the next page. The collector counts it once, however often it is sent.
 */

import { mayKeep, purposes } from '../consent/state.ts'
import { encode } from './props.ts'
import { unconfirmed, type View, views } from './queue.ts'
import { at, safely } from './safely.ts'
import { flush } from './transport.ts'

/** Begin of the `localStorage` keys; each page has one of its own. */
const NAME = 'ltq'
/** A page that is alive renews its claim within this time, ms. */
const ALIVE = 100_000

export const offline = () => {
  // A page may be forbidden to store: this throws, and that is all.
  const store = localStorage
  const own = NAME + Math.random()

  const save = () => {
    const held = unconfirmed().filter(view => view.e[0])
    // A page that was prerendered and never shown has told nothing.
    if (mayKeep && held[0] && !document.prerendering)
      store[own] = encode({ t: Date.now() + (document.hidden ? 0 : ALIVE), held })
    else delete store[own]
  }
  /** Takes what another page left, or only removes it. */
  const take = (name: string) => {
    const left = JSON.parse(store[name])
    if (mayKeep && Date.now() < left.t) return
    delete store[name]
    if (mayKeep) views.unshift(...(left.held as View[]))
    save()
    flush()
  }
  const decided = () => {
    // Undecided is not denied: what is there stays.
    if (mayKeep || purposes)
      // Where two pages take the same in the same moment, both send it, and it is counted once.
      for (const name in store) if (/^ltq/.test(name)) safely(take)(name)
  }
  at('consent', decided)
  at('flushed', save)
  decided()
}
