/** Pages that forbid, break or overload what the tag stands on: the page never sees an error, and events are right. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import type { Stub } from '../../tag/types.ts'
import { LIMITS } from '../../tag/wire.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { openShop, type Shop } from './shop.ts'

const browser = await browserOrSkip()
let context: BrowserContext | undefined
let shop: Shop
let errors: Error[]

afterEach(async () => {
  await context?.close()
  await shop?.close()
})
afterAll(() => browser?.close())

const arrived = (name: string, count = 1) =>
  vi.waitFor(() => expect(shop.events(name).length).toBeGreaterThanOrEqual(count), { timeout: 10_000 })
/** Calls the tag as its page does. */
const call = (page: Page, ...call: unknown[]) => page.evaluate(args => (window.livetag as Stub)(...args), call)

async function visit(given: Parameters<typeof openShop>[0], before?: (page: Page) => Promise<unknown>): Promise<Page> {
  if (!browser) throw new Error('no browser')
  shop = await openShop(given)
  errors = []
  context = await browser.newContext()
  const page = await context.newPage()
  page.on('pageerror', error => errors.push(error))
  await before?.(page)
  await page.goto(`${shop.url}/first`)
  await page.waitForFunction(() => !!window.livetag && 'track' in window.livetag)
  return page
}

/** Runs before anything else of the page does. */
const broken = (script: string) => visit({ head: `<script>${script}</script>`, body: '<button>Buy</button>' })

describe.skipIf(!browser)('a page that forbids', () => {
  it('all but its own scripts and the collector, by a Content-Security-Policy with Trusted Types: all works', async () => {
    const page = await visit(collector => ({
      headers: {
        'content-security-policy': `default-src 'none'; script-src 'self' ${collector}/t/; connect-src ${collector}/e; require-trusted-types-for 'script'; trusted-types 'none'`,
      },
      body: '<button>Buy</button>',
    }))
    const violations: string[] = []
    page.on('console', message => message.type() === 'error' && violations.push(message.text()))
    await page.click('button')
    await call(page, 'track', 'signup')
    await call(page, 'flush')
    await arrived('signup')
    expect(shop.events().map(({ n }) => n)).toEqual(['pageview', 'click', 'signup'])
    expect(violations).toEqual([])
    expect(errors).toEqual([])
  })

  it('the collector, by a Content-Security-Policy: nothing is sent, and the page sees no error', async () => {
    const page = await visit(collector => ({
      headers: { 'content-security-policy': `default-src 'none'; script-src 'self' ${collector}/t/` },
    }))
    await call(page, 'track', 'signup')
    await call(page, 'flush')
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide')))
    expect(shop.posts).toEqual([])
    expect(errors).toEqual([])
  })

  it('cookies and storage, as a sandboxed frame does: ids live in memory', async () => {
    const page = await visit({
      headers: { 'content-security-policy': 'sandbox allow-scripts' },
    })
    await arrived('pageview')
    await call(page, 'track', 'signup')
    await arrived('signup')
    const [first, second] = shop.posts.map(({ body }) => body)
    expect(first?.i).toMatch(/^[0-9a-z]{16}$/)
    expect([second?.i, second?.k, second?.w]).toEqual([first?.i, first?.k, first?.w])
    expect(await page.context().cookies()).toEqual([])
    expect(errors).toEqual([])
  })
})

describe.skipIf(!browser)('a page that breaks', () => {
  it('sendBeacon, which throws: what is left when it is closed goes by fetch', async () => {
    const page = await broken(`Object.freeze(Object.defineProperty(navigator, 'sendBeacon', { value() { throw 1 } }))`)
    await arrived('pageview')
    await call(page, 'track', 'first')
    await call(page, 'track', 'second')
    await page.close({ runBeforeUnload: true })
    await arrived('first')
    await arrived('second')
    expect(errors).toEqual([])
  })

  it('fetch and sendBeacon, which throw: nothing is sent, and the page sees no error', async () => {
    const page = await broken(
      `fetch = () => { throw 1 }; Object.defineProperty(navigator, 'sendBeacon', { value() { throw 1 } }); Object.freeze(navigator)`,
    )
    await page.click('button')
    await call(page, 'track', 'signup')
    await call(page, 'flush')
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide')))
    await page.close({ runBeforeUnload: true })
    expect(shop.posts).toEqual([])
    expect(errors).toEqual([])
  })

  it('fetch, which answers with nothing: events arrive when it is closed', async () => {
    const page = await broken('fetch = async () => {}')
    await call(page, 'track', 'signup')
    await call(page, 'flush')
    await page.close({ runBeforeUnload: true })
    await arrived('signup')
    expect(shop.events('pageview')).toHaveLength(1)
    expect(errors).toEqual([])
  })

  it('Array.from, as an old library does: ids are what they should be', async () => {
    await broken('Array.from = list => [].slice.call(list)')
    await arrived('pageview')
    expect(shop.posts[0]?.body.w).toMatch(/^[0-9a-z]{16}$/)
    expect(shop.posts[0]?.body.i).toMatch(/^[0-9a-z]{16}$/)
  })

  it('its stub: the tag starts, and calls arrive', async () => {
    const page = await broken('livetag.q = [undefined, 7, [Date.now(), "nothing"], [Date.now(), "track", "early"]]')
    await call(page, 'track', 'signup')
    await call(page, 'flush')
    await arrived('signup')
    expect(errors).toEqual([])
  })

  it('an element with the id `livetag`: the tag starts', async () => {
    const page = await visit({ head: '<div id="livetag"></div><script>delete window.livetag</script>' })
    await call(page, 'track', 'signup')
    await arrived('signup')
    expect(errors).toEqual([])
  })
})

describe.skipIf(!browser)('a page that overdoes it', () => {
  const sizes = () => shop.posts.map(({ bytes }) => bytes)

  it('60 events of 2 KB at once: each arrives once, in bodies of 16 KB', async () => {
    const page = await visit({})
    await arrived('pageview')
    await page.evaluate(() => {
      for (let i = 0; i < 60; i++) (window.livetag as Stub)('track', 'many', { i, text: 'x'.repeat(2_000) })
    })
    await arrived('many', 60)
    expect(
      shop
        .events('many')
        .map(({ d }) => d?.i)
        .sort((a, b) => Number(a) - Number(b)),
    ).toEqual(Array.from({ length: 60 }, (_, i) => i))
    expect(Math.max(...sizes())).toBeLessThanOrEqual(16_000)
    expect(shop.posts.every(({ body }) => body.w === shop.posts[0]?.body.w)).toBe(true)
    expect(errors).toEqual([])
  })

  it('the same in a script of three bytes a character stays below what the collector takes', async () => {
    const page = await visit({})
    await page.evaluate(() => {
      for (let i = 0; i < 60; i++) (window.livetag as Stub)('track', 'many', { i, text: '長'.repeat(2_000) })
    })
    await arrived('many', 60)
    expect(shop.events('many')).toHaveLength(60)
    expect(Math.max(...sizes())).toBeLessThanOrEqual(LIMITS.bodyBytes)
  })

  it('a single event that is larger than a request may be is answered, given up, and holds up no other', async () => {
    const page = await visit({})
    await arrived('pageview')
    shop.answers.push({ status: 413 })
    await page.evaluate(async () => {
      const answered = new Promise<void>(callback =>
        (window.livetag as Stub)('track', 'huge', { text: 'x'.repeat(200_000) }, { callback }),
      )
      ;(window.livetag as Stub)('flush')
      await answered
    })
    await call(page, 'track', 'after')
    await call(page, 'flush')
    await arrived('after')
    expect(shop.posts.map(({ status, body }) => [status, body.e.map(({ n }) => n)])).toEqual([
      [204, ['pageview']],
      [413, ['huge']],
      [204, ['after']],
    ])
  })

  it('thousands of calls while nothing may be sent are not all kept', async () => {
    const page = await visit({ options: { mode: 'required' } })
    await page.evaluate(() => {
      for (let i = 0; i < 2_000; i++) (window.livetag as Stub)('track', 'many', { i })
    })
    await call(page, 'grant')
    await arrived('consent')
    await arrived('many', 499)
    // The first are kept: the page view is among them.
    expect(shop.events('pageview')).toHaveLength(1)
    expect(shop.events('many').every(({ d }) => Number(d?.i) < 501)).toBe(true)
  })
})
