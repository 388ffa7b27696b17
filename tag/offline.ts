/**
 * What the collector has not confirmed outlives its page: it is kept on the device, where that is allowed, and goes with the
 * first batch of the next page. The collector counts it once, however often it is sent.
 */
import { encode } from './props.ts'
import type { View } from './queue.ts'
import { safely } from './safely.ts'
import type { Capability, Purpose } from './types.ts'

/** Begin of the `localStorage` keys; each page has one of its own. */
const NAME = 'ltq'
/** A page that is alive renews its claim within this time, ms. */
const ALIVE = 100_000

export const offline: Capability = ({ at, on, queue, flush, options }) => {
  // A page may be forbidden to store: this throws, and that is all.
  const store = localStorage
  const own = NAME + Math.random()
  let may: boolean
  /** how long nobody else may take what is kept, ms */
  let mine = ALIVE

  const save = () => {
    const views = queue().filter(view => view.e[0])
    // A page that was prerendered and never shown has told nothing.
    if (may && views[0] && !document.prerendering) store[own] = encode({ t: Date.now() + mine, views })
    else delete store[own]
  }
  /** Takes what another page left, or only removes it. */
  const take = (name: string) => {
    const { t, views } = JSON.parse(store[name])
    if (may && Date.now() < t) return
    delete store[name]
    may && queue(views as View[])
    save()
    flush()
  }
  const decided = (purposes?: Purpose[]) => {
    may = purposes ? purposes.includes('identify') : options.mode === 'none'
    // Undecided is not denied: what is there stays.
    if (may || purposes)
      // Where two pages take the same in the same moment, both send it, and it is counted once.
      for (const name in store) if (name.startsWith(NAME)) safely(take)(name)
  }
  at('consent', decided)
  at('flushed', save)
  // after the core's, which hands everything to the browser first
  on(window, 'pagehide', () => {
    mine = 0
    save()
  })
  decided()
}
