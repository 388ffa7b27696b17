/** Pages that appear, are left and come back: what a view is, and what has gone when it is over. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import type { Stub } from '../../tag/types.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { openShop, type Shop, type Page as ShopPage } from './shop.ts'

const CLOSED = 20
const browser = await browserOrSkip()
let context: BrowserContext | undefined
let shop: Shop

afterEach(async () => {
  await context?.close()
  await shop?.close()
})
afterAll(() => browser?.close())

const names = () => shop.events().map(({ n }) => n)
const views = () => new Set(shop.posts.map(({ body }) => body.w)).size
const arrived = (name: string, count = 1) =>
  vi.waitFor(() => expect(shop.events(name).length).toBeGreaterThanOrEqual(count), { timeout: 10_000 })
const started = (page: Page) => page.waitForFunction(() => !!window.livetag && 'track' in window.livetag)

async function visit(given: ShopPage, before?: (page: Page) => Promise<unknown>): Promise<Page> {
  if (!browser) throw new Error('no browser')
  shop = await openShop(given)
  context = await browser.newContext()
  const page = await context.newPage()
  await before?.(page)
  await page.goto(`${shop.url}/first`)
  await started(page)
  return page
}

describe.skipIf(!browser)('a page that is not seen yet', () => {
  // Headless shells do not prerender by themselves, so the page is told that it is.
  const prerender = (page: Page) =>
    page.addInitScript(() => {
      Object.defineProperty(Document.prototype, 'prerendering', { value: true, configurable: true })
    })
  const activate = (page: Page) =>
    page.evaluate(() => {
      Object.defineProperty(Document.prototype, 'prerendering', { value: false })
      document.dispatchEvent(new Event('prerenderingchange'))
    })

  it('sends nothing and keeps nothing while it is prerendered, and counts from its activation', async () => {
    const page = await visit({}, prerender)
    await page.evaluate(() => {
      ;(window.livetag as Stub)('track', 'early')
      ;(window.livetag as Stub)('flush')
    })
    const then = await page.evaluate(() => Date.now())
    // longer than events are gathered
    await page.waitForFunction(time => Date.now() > time + 1_200, then)
    expect(shop.posts).toEqual([])
    expect(await page.evaluate(() => document.cookie)).toBe('')
    const activated = await page.evaluate(() => Date.now())
    await activate(page)
    await arrived('early')
    expect(names()).toEqual(['pageview', 'early'])
    const [{ body } = { body: undefined }] = shop.posts
    for (const { t } of body?.e ?? []) expect((body?.t ?? 0) - t).toBeGreaterThanOrEqual(activated)
  })

  it('sends nothing, ever, when it is thrown away', async () => {
    const page = await visit({}, prerender)
    await page.evaluate(() => (window.livetag as Stub)('track', 'early'))
    await page.close({ runBeforeUnload: true })
    // What another tab sends comes after what this one would have sent.
    const next = await page.context().newPage()
    await next.goto(`${shop.url}/second`)
    await arrived('pageview')
    expect(shop.posts.map(({ body }) => body.p.u)).toEqual([`${shop.url}/second`])
    expect(names()).toEqual(['pageview'])
  })
})

describe.skipIf(!browser)('a page that comes back', () => {
  it('from the back/forward cache is a new view, whose referrer is the one before', async () => {
    const page = await visit({})
    await arrived('pageview')
    // Headless shells have no back/forward cache.
    await page.evaluate(() => {
      dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    })
    await arrived('pageview', 2)
    expect(views()).toBe(2)
    expect(shop.posts[1]?.body).toMatchObject({ p: { u: `${shop.url}/first`, r: `${shop.url}/first` } })
    expect(shop.posts[1]?.body.k).toBe(shop.posts[0]?.body.k)
  })

  it('is the same view where it was only hidden', async () => {
    const page = await visit({})
    await arrived('pageview')
    await page.evaluate(() => {
      ;(window.livetag as Stub)('track', 'before')
      Object.defineProperty(document, 'hidden', { value: true, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    })
    // Hidden is the last that many phones tell, so it does not wait.
    await arrived('before')
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: false })
      document.dispatchEvent(new Event('visibilitychange'))
      dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }))
      ;(window.livetag as Stub)('track', 'after')
    })
    await arrived('after')
    expect(names()).toEqual(['pageview', 'before', 'after'])
    expect(views()).toBe(1)
  })
})

describe.skipIf(!browser)('a page that is left', () => {
  it(`has sent all when its tab is closed at once; ${CLOSED} times`, async () => {
    const page = await visit({ body: '<button>Buy</button><p style="height:3000px">' })
    for (let i = 0; i < CLOSED; i++) {
      const tab = await page.context().newPage()
      await tab.goto(`${shop.url}/${i}`)
      await started(tab)
      await tab.evaluate(async n => {
        document.querySelector('button')?.click()
        const scrolled = new Promise(resolve => addEventListener('scroll', resolve, { once: true }))
        scrollTo(0, document.documentElement.scrollHeight)
        await scrolled
        ;(window.livetag as Stub)('track', 'closing', { n })
      }, i)
      await tab.close({ runBeforeUnload: true })
    }
    await arrived('closing', CLOSED)
    await arrived('scroll', 5 * CLOSED)
    expect(shop.events('click')).toHaveLength(CLOSED)
    expect(shop.events('scroll')).toHaveLength(5 * CLOSED)
    expect(shop.events('closing').map(({ d }) => d?.n)).toEqual(Array.from({ length: CLOSED }, (_, i) => i))
    const ids = shop.posts.flatMap(({ body }) => body.e.map(({ q }) => `${body.w}.${q}`))
    expect(new Set(ids).size).toBe(ids.length)
    for (const { body } of shop.posts) expect(Math.min(...body.e.map(({ t }) => t))).toBeGreaterThanOrEqual(0)
  })

  it('by a click on a link tells the click, and the link is not held up', async () => {
    const page = await visit({ body: '<a href="/second"><b>Next</b></a>' })
    await arrived('pageview')
    await page.click('b')
    await page.waitForURL('**/second')
    await started(page)
    await arrived('pageview', 2)
    await arrived('click')
    expect(shop.events('click').map(({ d }) => d)).toEqual([
      { kind: 'link', url: `${shop.url}/second`, text: 'Next', selector: 'html>body>a' },
    ])
    const second = shop.posts.find(({ body }) => body.p.u.endsWith('/second'))?.body
    expect(second?.p.r).toBe(`${shop.url}/first`)
    expect(second?.i).toBe(shop.posts[0]?.body.i)
    expect(second?.k).toBe(shop.posts[0]?.body.k)
    const clicked = shop.posts.find(({ body }) => body.e.some(({ n }) => n === 'click'))?.body
    expect(clicked?.p.u).toBe(`${shop.url}/first`)
  })

  it('while it was hidden already sends only what has come since', async () => {
    const page = await visit({})
    await arrived('pageview')
    await page.evaluate(() => {
      const { livetag } = window as { livetag: Stub }
      const beacons: string[] = []
      Object.assign(window, { beacons })
      const { sendBeacon } = navigator
      navigator.sendBeacon = (to, body) => {
        beacons.push(`${body}`)
        return sendBeacon.call(navigator, to, body)
      }
      livetag('track', 'before')
      Object.defineProperty(document, 'hidden', { value: true })
      document.dispatchEvent(new Event('visibilitychange'))
      livetag('track', 'since')
      dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
    })
    await arrived('since')
    await arrived('before')
    const beacons = await page.evaluate(() => (window as unknown as { beacons: string[] }).beacons)
    expect(beacons.map(body => JSON.parse(body).e.map(({ n }: { n: string }) => n))).toEqual([['since']])
    expect(names().sort()).toEqual(['before', 'pageview', 'since'])
  })
})

describe.skipIf(!browser)('single-page apps', () => {
  it('a route in the fragment is a view with the option `hash`, and only then', async () => {
    const page = await visit({ options: { hash: true } })
    await arrived('pageview')
    await page.evaluate(() => {
      location.hash = '#/shoes'
    })
    await arrived('pageview', 2)
    await page.evaluate(() => history.replaceState(null, '', '#/hats'))
    await arrived('pageview', 3)
    await page.goBack()
    await arrived('pageview', 4)
    expect(shop.posts.map(({ body }) => body.p.u.slice(shop.url.length))).toEqual([
      '/first',
      '/first#/shoes',
      '/first#/hats',
      '/first',
    ])
    expect(shop.loads).toEqual(['/first'])
  })

  it("the page's own history calls return and throw what they always did", async () => {
    const page = await visit({})
    const outcome = await page.evaluate(() => {
      let thrown = ''
      try {
        history.pushState(null, '', 'https://other.example/')
      } catch (error) {
        thrown = (error as Error).name
      }
      return [history.pushState(null, '', '/second'), `${history.pushState}`.includes('native code'), thrown]
    })
    expect(outcome).toEqual([undefined, true, 'SecurityError'])
    await arrived('pageview', 2)
    expect(views()).toBe(2)
  })

  it('an element with the id `navigation` is not taken for the Navigation API', async () => {
    const page = await visit({ body: '<nav id="navigation"></nav>' }, page =>
      page.addInitScript(() => {
        delete (window as { navigation?: unknown }).navigation
      }),
    )
    expect(await page.evaluate(() => `${(window as { navigation?: unknown }).navigation}`)).toBe('[object HTMLElement]')
    await page.evaluate(() => history.pushState(null, '', '/second'))
    await arrived('pageview', 2)
  })
})

describe.skipIf(!browser)('scroll depth', () => {
  const depths = () => shop.events('scroll').map(({ d }) => d?.depth)

  it('of a page that fits the screen is all of it, once it has been seen for a moment', async () => {
    const page = await visit({ body: '<p>short' })
    await arrived('scroll', 5)
    await page.evaluate(() => dispatchEvent(new Event('scroll')))
    await page.evaluate(() => (window.livetag as Stub)('track', 'end'))
    await arrived('end')
    expect(depths()).toEqual([25, 50, 75, 90, 100])
  })

  it('of a page that grows is measured against what it has become', async () => {
    const page = await visit({})
    const scroll = (y: number) =>
      page.evaluate(async top => {
        const scrolled = new Promise(resolve => addEventListener('scroll', resolve, { once: true }))
        scrollTo(0, top)
        await scrolled
      }, y)
    await scroll(1_000)
    await page.evaluate(() => document.body.insertAdjacentHTML('beforeend', '<p style="height:20000px">'))
    await scroll(3_000)
    await page.evaluate(() => (window.livetag as Stub)('track', 'end'))
    await arrived('end')
    expect(depths()).toEqual([25, 50])
  })
})
