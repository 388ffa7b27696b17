/** Pages whose globals are not as the browser made them, and pages that are not a secure context. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import type { Envelope } from '../../tag/wire.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { openShop, type Shop } from './shop.ts'

const browser = await browserOrSkip()
let context: BrowserContext | undefined
let shop: Shop
const errors: Error[] = []
afterEach(async () => {
  await context?.close()
  await shop?.close()
})
afterAll(() => browser?.close())

async function visit(script: string, extra = ''): Promise<Page> {
  if (!browser) throw new Error('no browser')
  shop = await openShop(collector => ({
    head: `<script>addEventListener('unhandledrejection', event => { (window.failed ??= []).push(String(event.reason)) });${script}</script>`,
    body: `<button data-lt-event="buy" data-lt-plan="pro">Buy</button><p style="height:3000px">${extra.replaceAll('COLLECTOR', collector)}`,
  }))
  context = await browser.newContext()
  const page = await context.newPage()
  errors.length = 0
  page.on('pageerror', error => errors.push(error))
  await page.goto(shop.url)
  return page
}
const arrived = (name: string, count = 1) =>
  vi.waitFor(() => expect(shop.events(name).length).toBeGreaterThanOrEqual(count), { timeout: 10_000 })
const call = (page: Page, ...args: unknown[]) =>
  page.evaluate(given => (window.livetag as unknown as (...call: unknown[]) => void)(...given), args)
const failed = (page: Page) => page.evaluate(() => (window as { failed?: string[] }).failed ?? [])

const FREEZE = `for (const name of Object.getOwnPropertyNames(window)) {
  try {
    const it = window[name]
    if (it && it !== window && /^(object|function)$/.test(typeof it) && !/^(top|parent|self|frames|window|document|location|failed|livetag)$/.test(name)) {
      Object.freeze(it)
      if (it.prototype) Object.freeze(it.prototype)
    }
  } catch {}
}`

describe.skipIf(!browser)('a page', () => {
  it('whose globals are frozen: page views, clicks, declared events and what is left when it is closed arrive, no error is seen', async () => {
    const page = await visit(FREEZE)
    await arrived('pageview')
    await page.click('button')
    await call(page, 'track', 'own', { list: [1, { deep: true }] })
    await page.evaluate(() => scrollTo(0, 3_000))
    await arrived('scroll', 5)
    expect(await failed(page)).toEqual([])
    await call(page, 'track', 'last')
    await page.close({ runBeforeUnload: true })
    await arrived('last')
    expect(shop.events('buy').map(({ d }) => d)).toEqual([{ plan: 'pro' }])
    expect(shop.events('click')).toHaveLength(1)
    expect(shop.events('own').map(({ d }) => d)).toEqual([{ list: [1, { deep: true }] }])
    expect(errors).toEqual([])
  })

  it('in which an old library gave arrays a toJSON: events are right, also those that were kept for the next page', async () => {
    const page = await visit(`Array.prototype.toJSON = function () { return 'broken by an old library' }`)
    await arrived('pageview')
    shop.answers.push({ status: 503 })
    await call(page, 'track', 'own', { list: [1, 2] })
    await vi.waitFor(() => expect(shop.posts.at(-1)?.status).toBe(503), { timeout: 10_000 })
    await page.goto(`${shop.url}/next`)
    await arrived('own')
    expect(shop.events('own')[0]?.d).toEqual({ list: [1, 2] })
    expect(JSON.stringify(shop.posts)).not.toContain('broken')
    expect(errors).toEqual([])
    expect(await failed(page)).toEqual([])
  })

  it('with the tag in it twice: everything is told once', async () => {
    const page = await visit('', '<script defer src="COLLECTOR/t/shop.js"></script>')
    await arrived('pageview')
    await page.click('button')
    await call(page, 'track', 'own')
    await arrived('own')
    for (const name of ['pageview', 'click', 'buy', 'own']) expect(shop.events(name), name).toHaveLength(1)
    expect(errors).toEqual([])
  })

  it('with properties that JSON can not hold: the others of the event arrive, and the events around it', async () => {
    const page = await visit('')
    await page.evaluate(() => {
      const circle: Record<string, unknown> = {}
      circle.self = circle
      const { track } = window.livetag as { track(name: string, props?: object): void }
      track('before')
      track('odd', { circle, big: 10n, fn() {}, fine: 1, huge: 'x'.repeat(5_000_000) })
      track('odd', {
        circle,
        big: 10n,
        fine: 2,
        get bad(): never {
          throw new Error('of the page')
        },
      })
      track('after')
    })
    await arrived('after')
    await arrived('odd')
    expect(shop.events('before')).toHaveLength(1)
    expect(shop.events('odd').map(({ d }) => d)).toContainEqual({ fine: 2 })
    expect(errors).toEqual([])
    expect(await failed(page)).toEqual([])
  })

  it('that is served by plain http from a host name: ids, storage and delivery work without a secure context', async () => {
    if (!browser) return
    shop = await openShop({})
    const script = await (await fetch(`${shop.collector}/t/shop.js`)).text()
    context = await browser.newContext()
    const posts: Envelope[] = []
    let status = 503
    await context.route('http://**/*', async route => {
      const { pathname } = new URL(route.request().url())
      if (pathname === '/t/shop.js') return route.fulfill({ contentType: 'text/javascript', body: script })
      if (route.request().method() !== 'POST')
        return route.fulfill({
          contentType: 'text/html',
          body: '<!doctype html><title>A page</title><script defer src="http://www.shop.example/t/shop.js"></script>',
        })
      if (status === 204) posts.push(JSON.parse(route.request().postData() ?? '{}') as Envelope)
      return route.fulfill({ status })
    })
    const page = await context.newPage()
    page.on('pageerror', error => errors.push(error))
    errors.length = 0
    await page.goto('http://www.shop.example/first')
    expect(await page.evaluate(() => isSecureContext)).toBe(false)
    await vi.waitFor(async () => expect(await page.evaluate(() => Object.keys(localStorage))).toHaveLength(1))
    status = 204
    await page.goto('http://www.shop.example/second')
    await vi.waitFor(() => expect(posts.map(({ p }) => new URL(p.u).pathname).sort()).toEqual(['/first', '/second']))
    for (const { w, i, k } of posts) expect([w, i, k].join()).toMatch(/^[0-9a-z]{16},[0-9a-z]{16},[0-9a-z]{16}$/)
    expect((await context.cookies()).map(({ name, domain, secure }) => ({ name, domain, secure }))).toEqual([
      { name: 'lt', domain: '.shop.example', secure: false },
      { name: 'lts', domain: '.shop.example', secure: false },
    ])
    expect(errors).toEqual([])
  })
})
