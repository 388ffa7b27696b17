import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RawEvent } from '../../collector/settle/index.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'

const browser = await browserOrSkip()
let collector: TestCollector
let context: BrowserContext
let page: Page
let requests: string[]

beforeAll(async () => {
  collector = await startCollector({ sites: [{ key: 'demo', domain: '127.0.0.1', consent: 'required' }] })
})
beforeEach(async () => {
  if (!browser) return
  context = await browser.newContext()
  page = await context.newPage()
  requests = []
  context.on('request', request => requests.push(`${request.method()} ${new URL(request.url()).pathname}`))
})
afterEach(() => context?.close())
afterAll(async () => {
  await browser?.close()
  await collector.close()
})

const stored = (filter = {}) => collector.db.collection<RawEvent>('events').find(filter).sort({ ts: 1 }).toArray()
/** Requests that are neither a page, nor the tag, nor a file of the shop. */
const others = () => requests.filter(request => !/^GET \/(demo\/|t\/demo\.js)/.test(request))
const onDevice = async () => ({
  cookies: await context.cookies(),
  ...(await page.evaluate(async () => ({
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    databases: (await indexedDB.databases()).map(({ name }) => name),
    caches: await caches.keys(),
    name: window.name,
  }))),
})
const NOTHING = { cookies: [], local: [], session: [], databases: [], caches: [], name: '' }
const bannerButton = (name: string) => page.getByRole('button', { name, exact: true })
/** The tag is there and has had time for what it would do at once: it answers calls, and the page is quiet. */
const tagLoaded = () =>
  page.waitForFunction(() => typeof (window as { livetag?: { track?: unknown } }).livetag?.track === 'function')

describe.skipIf(!browser)('the demo shop', () => {
  it('sends nothing and stores nothing before an answer, whatever is clicked and scrolled', async () => {
    await page.goto(`${collector.url}/demo/`)
    await tagLoaded()
    await bannerButton('Yes, count me').waitFor()
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight))
    await page.goto(`${collector.url}/demo/product.html?item=mug`)
    await tagLoaded()
    await page.locator('[data-product=add]').click()
    await page.goto(`${collector.url}/demo/cart.html`)
    await tagLoaded()
    await page.waitForLoadState('networkidle')
    expect(await onDevice()).toEqual(NOTHING)
    expect(others()).toEqual([])
    expect(await stored({ 'meta.site': 'demo' })).toEqual([])
  })

  it('sends nothing and stores nothing after a refusal, on this page and on the next', async () => {
    await page.goto(`${collector.url}/demo/`)
    await tagLoaded()
    await bannerButton('No').click()
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight))
    await page.waitForLoadState('networkidle')
    expect(await onDevice()).toEqual(NOTHING)
    await page.goto(`${collector.url}/demo/product.html?item=mug`)
    await tagLoaded()
    await page.waitForLoadState('networkidle')
    expect(await onDevice()).toEqual(NOTHING)
    expect(others()).toEqual([])
    expect(await stored({ 'meta.site': 'demo' })).toEqual([])
  })

  it('sends the page view that waited with its own earlier time when consent comes late', async () => {
    const before = Date.now()
    await page.goto(`${collector.url}/demo/`)
    await tagLoaded()
    const opened = Date.now()
    // Late: at least a second after the page view.
    await page.waitForFunction(then => Date.now() - then > 1_000, opened)
    const granted = Date.now()
    await bannerButton('Yes, count me').click()
    const views = await vi.waitFor(async () => {
      const found = await stored({ 'meta.site': 'demo', 'meta.name': 'pageview' })
      expect(found).toHaveLength(1)
      return found
    })
    const [view] = views
    expect(+(view?.ts ?? 0)).toBeGreaterThanOrEqual(before - 50)
    expect(+(view?.ts ?? 0)).toBeLessThanOrEqual(opened + 50)
    expect(+(view?.ts ?? 0)).toBeLessThan(granted - 900)
    expect(view).toMatchObject({
      path: '/demo/',
      consent: 'g',
      visitor: expect.any(String),
      session: expect.any(String),
    })
    await vi.waitFor(async () => {
      const [record] = await stored({ 'meta.site': 'demo', 'meta.name': 'consent' })
      expect(record?.props).toMatchObject({ purposes: ['measure', 'identify'], signal: 'api' })
      expect(+(record?.ts ?? 0)).toBeGreaterThan(granted - 50)
    })
  })

  it('counts a purchase once however often it is sent', async () => {
    await page.goto(`${collector.url}/demo/`)
    await bannerButton('Yes, count me').click()
    await page.evaluate(() => {
      const { livetag } = window as unknown as { livetag: (...call: unknown[]) => void }
      for (let i = 0; i < 3; i++) livetag('track', 'purchase', { value: 100 }, { id: 'order-1' })
      livetag('track', 'after')
      livetag('flush')
    })
    await vi.waitFor(async () => expect(await stored({ 'meta.name': 'after' })).toHaveLength(1))
    expect(await stored({ 'meta.name': 'purchase' })).toHaveLength(1)
  })
})
