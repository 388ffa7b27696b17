/** Core Web Vitals: the library's own values, in a second file that waits for consent. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import type { Page as ShopPage } from './shop.ts'
import { type Visit, visit } from './visiting.ts'

const browser = await browserOrSkip()
let at: Visit
afterEach(() => at?.close())
afterAll(() => browser?.close())

const LIBRARY = readFileSync(
  createRequire(import.meta.url)
    .resolve('web-vitals')
    .replace(/[^/]+$/, 'web-vitals.attribution.iife.js'),
  'utf8',
)
/** The library by itself, as its README says, keeps what it tells in `own`. */
const OWN = `<script src="/library.js"></script><script>
  const own = {}
  let seen = false
  webVitals.onINP(() => { seen = true }, { reportAllChanges: true })
  for (const name of ['CLS', 'FCP', 'INP', 'LCP', 'TTFB']) webVitals['on' + name](({ value, rating }) => { own[name] = { value, rating } })
</script>`
const PAGE: ShopPage = {
  head: OWN,
  body: `<h1 id=title>Shoes</h1><div id=late></div><p id=moved>Below</p><button id=slow>Buy</button><script>
    slow.onclick = () => { for (const end = performance.now() + 120; performance.now() < end;); slow.textContent = 'Bought' }
    setTimeout(() => { late.style.height = '200px' }, 700)</script>`,
  with: ['vitals'],
  files: { '/library.js': { type: 'text/javascript', body: LIBRARY } },
}
const second = () => at.shop.loads.filter(load => load.includes('_vitals'))

describe.skipIf(!browser)('web vitals', () => {
  it('equal the library’s own values in the same page, and name the element that is most to blame', async () => {
    at = await visit(browser, PAGE)
    await at.arrived('vitals')
    await at.page.waitForFunction(
      () =>
        performance.getEntriesByType('layout-shift').length ||
        new Promise(resolve => new PerformanceObserver(resolve).observe({ type: 'layout-shift', buffered: true })),
    )
    await at.page.click('#slow')
    await at.page.waitForFunction(() => document.querySelector('#slow')?.textContent === 'Bought')
    // How long a click took is known some frames later.
    await at.page.waitForFunction('seen')
    await at.page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' })
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
    })
    await at.arrived('vitals', 5)
    const own = await at.page.evaluate('own')
    const told = at.props('vitals') as { name: string; value: number; rating: string; element?: string }[]
    expect(Object.fromEntries(told.map(({ name, value, rating }) => [name, { value, rating }]))).toEqual(own)
    expect(told.map(({ name }) => name).sort()).toEqual(['CLS', 'FCP', 'INP', 'LCP', 'TTFB'])
    const elements = Object.fromEntries(told.map(({ name, element }) => [name, element]))
    expect(elements.INP).toContain('#slow')
    expect(elements.LCP).toMatch(/#|>/)
    expect(elements.CLS).toMatch(/#moved|#slow/)
    expect(told.find(({ name }) => name === 'INP')?.value).toBeGreaterThanOrEqual(112)
    expect(second()).toHaveLength(1)
    expect(at.errors).toEqual([])
  })

  it('are not loaded and not told before consent, or after a refusal; and once after a grant', async () => {
    at = await visit(browser, { ...PAGE, options: { mode: 'required' } })
    await at.page.evaluate(() => new Promise(resolve => requestIdleCallback(resolve)))
    await at.call('track', 'waiting')
    await at.call('deny')
    await at.page.evaluate(() => new Promise(resolve => requestIdleCallback(resolve)))
    expect(second()).toEqual([])
    expect(at.shop.posts).toEqual([])
    await at.call('grant')
    await at.arrived('vitals')
    expect(second()).toHaveLength(1)
    await at.call('deny')
    await at.arrived('consent', 2)
    const count = at.shop.events('vitals').length
    await at.page.click('#slow')
    await at.page.close({ runBeforeUnload: true })
    await at.arrived('consent', 2)
    expect(at.shop.events('vitals')).toHaveLength(count)
  })

  it('are not loaded where the site did not ask for them', async () => {
    at = await visit(browser, { ...PAGE, with: [] })
    await at.arrived('pageview')
    await at.page.evaluate(() => new Promise(resolve => requestIdleCallback(resolve)))
    await at.leave()
    expect(second()).toEqual([])
    expect(at.props('vitals')).toEqual([])
  })
})
