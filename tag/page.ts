/** When a page view begins and ends: loads, single-page apps, back/forward cache, prerendering. */
import { here, newView, sending, view, views } from './queue.ts'
import { on, reach, safely } from './safely.ts'
import { track } from './track.ts'
import { flush, type How } from './transport.ts'

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

/** In a single-page app the title changes after the URL, so the new view waits as other events do. */
const urlChanged = () => {
  if (here() !== view.p.u) openView()
}

/** Watches for the views after the first. Never `unload`: it would keep the page out of the back/forward cache. */
export const watchPage = (): void => {
  // Where there is no Navigation API the URL is looked at: wrapping `history` would put the tag into the page's own calls.
  // A page's own `navigation`, as of an element with this id, has no current entry.
  window.navigation?.currentEntry
    ? on('currententrychange', urlChanged, window.navigation)
    : setInterval(safely(urlChanged), LOOK)
  on<PageTransitionEvent>('pageshow', event => {
    if (!event.persisted) return
    // What was on its way when the page was frozen may have been given up.
    views.unshift(...sending)
    sending.clear()
    openAndFlush()
  })
  // Either may come first, and on a phone `pagehide` may never come.
  on('pagehide', () => leave(2))
  on('visibilitychange', () => document.hidden && leave(1))
  on('prerenderingchange', () => {
    // Nobody saw the page before this moment.
    for (const event of view.e) event.t = Date.now()
    flush()
  })
}
