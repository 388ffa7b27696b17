/** Core Web Vitals: loads the second file (`vitals.browser.ts`), once something may be measured and the page is idle. */
import { options } from './options.ts'
import { at, on } from './safely.ts'

/** What is observed is buffered by the browser: nothing is missed by being late. */
export const vitals = () => {
  let may = false
  let waiting = false
  const load = () =>
    // Safari has no idle callbacks.
    (window.requestIdleCallback ?? setTimeout)(() => {
      // withdrawn in the meantime
      waiting = may
      if (may) document.head.append(Object.assign(document.createElement('script'), options.vitals))
    })
  at('send', ({ c }) => {
    may = c !== 'd'
    if (waiting || !may) return
    waiting = true
    if (document.readyState === 'complete') load()
    else on('readystatechange', () => document.readyState === 'complete' && load())
  })
}
