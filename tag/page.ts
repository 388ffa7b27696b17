/** When a page view begins and ends: loads, single-page apps, back/forward cache, prerendering. */
import { document, location, navigator } from './globals.ts'
import { options } from './options.ts'
import { queue } from './queue.ts'
import { on, reach, safely } from './safely.ts'
import { track } from './track.ts'
import { flush, flushIn, type How } from './transport.ts'
import { newView, view } from './view.ts'
import type { PageInfo } from './wire.ts'

/** How long a single-page app gets to set the title of a new view; ms */
const TITLE = 300

const here = () => (options.hash ? location.href : location.href.split('#')[0]) as string

/** The current view ends, or is hidden and may never come back. */
const leave = (how?: How) => {
  reach('leave')
  flush(how)
  reach('flushed')
}

export const openView = (): void => {
  const before = view.p.u
  // also settles the title of that view, before the new one's is set
  leave()
  newView({
    u: here(),
    r: before || document.referrer || undefined,
    vw: innerWidth,
    l: navigator.language,
    z: Intl.DateTimeFormat().resolvedOptions().timeZone,
  } as PageInfo)
  track('pageview')
  reach('view')
}

/** A view whose title is known already goes at once. */
export const openAndFlush = (): void => {
  openView()
  flush()
}

const urlChanged = () => {
  if (here() === view.p.u) return
  openView()
  flushIn(TITLE)
}

/** Watches for the views after the first. Never `unload`: it would keep the page out of the back/forward cache. */
export const watchPage = (): void => {
  const { navigation } = window as { navigation?: EventTarget }
  if (navigation) on(navigation, 'currententrychange', urlChanged)
  else {
    for (const method of ['pushState', 'replaceState'] as const) {
      const original = history[method]
      history[method] = function (...args) {
        const returned = original.apply(this, args)
        safely(urlChanged)()
        return returned
      }
    }
    on(window, 'popstate', urlChanged)
  }
  on<PageTransitionEvent>(window, 'pageshow', event => event.persisted && openAndFlush())
  // Either may come first, and on a phone `pagehide` may never come.
  on(window, 'pagehide', () => leave(2))
  on(document, 'visibilitychange', () => document.hidden && leave(1))
  on(document, 'prerenderingchange', () => {
    // Nobody saw the page before this moment.
    for (const event of queue) event.t = Date.now()
    flush()
  })
}
