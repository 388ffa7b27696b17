/** When a page view begins and ends: loads, single-page apps, back/forward cache, prerendering. */
import { document } from './globals.ts'
import { here, newView, view } from './queue.ts'
import { on, reach, safely } from './safely.ts'
import { track } from './track.ts'
import { flush, flushIn, type How } from './transport.ts'

/** How long a single-page app gets to set the title of a new view; ms */
const TITLE = 300
/** How often the URL is looked at where the browser does not tell; ms */
const LOOK = 300

/** The current view ends, or is hidden and may never come back. */
const leave = (how?: How) => {
  reach('leave')
  flush(how)
  reach('flushed')
}

export const openView = (): void => {
  // also settles the title of the view before, while it is still that view's
  leave()
  newView()
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
  // Where there is no Navigation API the URL is looked at: wrapping `history` would put the tag into the page's own calls.
  if (navigation) on(navigation, 'currententrychange', urlChanged)
  else setInterval(safely(urlChanged), LOOK)
  on<PageTransitionEvent>(window, 'pageshow', event => event.persisted && openAndFlush())
  // Either may come first, and on a phone `pagehide` may never come.
  on(window, 'pagehide', () => leave(2))
  on(document, 'visibilitychange', () => document.hidden && leave(1))
  on(document, 'prerenderingchange', () => {
    // Nobody saw the page before this moment.
    view.e.forEach(event => {
      event.t = Date.now()
    })
    flush()
  })
}
