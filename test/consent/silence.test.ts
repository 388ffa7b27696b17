/** What a site's mode promises, in a browser and with a real collector: by every request that leaves the page. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page, Request } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Envelope } from '../../tag/wire.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'

const browser = await browserOrSkip()
let collector: TestCollector
let shop: Server
/** where its pages are, `/<site>` */
let origin: string
const contexts: BrowserContext[] = []
beforeAll(async () => {
  collector = await startCollector({
    sites: [
      { key: 'asks', consent: 'required', cmp: ['klaro', 'cookiebot'] },
      { key: 'cookieless', consent: 'cookieless' },
    ],
  })
  shop = createServer((request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(pageOf(String(request.url).slice(1))),
  ).listen(0, '127.0.0.1')
  await once(shop, 'listening')
  origin = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`
})
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
})
afterAll(async () => {
  await browser?.close()
  shop.closeAllConnections()
  shop.close()
  await collector.close()
})

interface Visit {
  page: Page
  context: BrowserContext
  /** all that left the page, but itself */
  requests: Request[]
  bodies: () => Envelope[]
}

/** With a banner of each kind that is never answered. */
const pageOf = (site: string) => `<!doctype html><link rel=icon href="data:,"><title>A page</title>
  <script>
    window.dataLayer = []
    function gtag() { dataLayer.push(arguments) }
    gtag('consent', 'default', { analytics_storage: 'denied', wait_for_update: 500 })
    gtag('consent', 'default', { analytics_storage: 'granted', region: ['US'] })
    window.__tcfapi = (command, version, hear) => hear({ eventStatus: 'cmpuishown', gdprApplies: true, tcString: '',
      purpose: { consents: { 1: true, 8: true, 9: true } }, vendor: { consents: {} } }, true)
    window.Cookiebot = { hasResponse: false, consent: { statistics: true } }
  </script>
  <script defer src="${collector.url}/t/${site}.js"></script>
  <button data-lt-event=buy>Buy</button><a href="#part">Part</a><p style="height:3000px">`

/** The pages are of another origin than the collector. */
async function visit(): Promise<Visit> {
  if (!browser) throw new Error('no browser')
  const context = await browser.newContext()
  contexts.push(context)
  const requests: Request[] = []
  context.on('request', request => void (request.url().startsWith(origin) || requests.push(request)))
  const page = await context.newPage()
  const bodies = () =>
    requests.flatMap(request => (request.postData() ? [JSON.parse(request.postData() as string)] : []))
  return { page, context, requests, bodies }
}

/** What a visitor does, in one load. */
async function wander(page: Page): Promise<void> {
  await page.clock.install()
  await page.goto(`${origin}/asks`)
  await page.waitForFunction(() => 'track' in ((window as { livetag?: object }).livetag ?? {}))
  await page.click('button')
  await page.click('a')
  await page.evaluate(() => {
    history.pushState(null, '', '/shoes')
    scrollTo(0, document.documentElement.scrollHeight)
    const { livetag } = window as unknown as { livetag: (...call: unknown[]) => void }
    livetag('track', 'own', { plan: 'pro' })
    livetag('identify', 'user-7')
    livetag('flush')
  })
  await page.clock.runFor(120_000)
}

/** What is on the device: cookies, and all that a page may store. */
const onDevice = async ({ page, context }: Visit) => [
  await context.cookies(),
  await page.evaluate(async () => [
    document.cookie,
    localStorage.length,
    sessionStorage.length,
    window.name,
    (await indexedDB.databases()).length,
    (await caches.keys()).length,
  ]),
]
const NOTHING = [[], ['', 0, 0, '', 0, 0]]

describe.skipIf(!browser)('a site that asks, and a visitor who never answers', () => {
  it('five loads with clicks, routes, scrolling and closing: nothing but the script is requested, nothing is kept', async () => {
    const visitor = await visit()
    for (let load = 0; load < 5; load++) {
      await wander(visitor.page)
      expect(await onDevice(visitor)).toEqual(NOTHING)
      await visitor.page.close({ runBeforeUnload: true })
      visitor.page = await visitor.context.newPage()
    }
    await visitor.page.goto(`${origin}/asks`)
    const script = `${collector.url}/t/asks.js`
    expect(new Set(visitor.requests.map(request => `${request.method()} ${request.url()}`))).toEqual(
      new Set([`GET ${script}`]),
    )
    expect(await collector.db.collection('journal').countDocuments()).toBe(0)
  })

  it('the script is the same for all: its ETag tells nobody from another', async () => {
    const tags = new Set<string>()
    for (const _ of [1, 2]) {
      const { page, requests } = await visit()
      await page.goto(`${origin}/asks`)
      for (const request of requests) {
        const headers = (await request.response())?.headers() ?? {}
        tags.add(String(headers.etag))
        expect(headers).not.toHaveProperty('set-cookie')
        expect(await request.headerValue('cookie')).toBeNull()
      }
    }
    expect(tags.size).toBe(1)
  })
})

describe.skipIf(!browser)('a cookieless site', () => {
  const call = (page: Page, ...args: unknown[]) =>
    page.evaluate(given => (window as unknown as { livetag: (...call: unknown[]) => void }).livetag(...given), args)

  it('sends at once what names nobody, upgrades with a consent, and downgrades when it is withdrawn', async () => {
    const visitor = await visit()
    const { page, bodies } = visitor
    await page.goto(`${origin}/cookieless`)
    const named = (name: string) => bodies().flatMap(({ e }) => e.filter(({ n }) => n === name))
    const arrived = (name: string, count = 1) =>
      vi.waitFor(() => expect(named(name)).toHaveLength(count), { timeout: 10_000 })
    await arrived('pageview')
    expect(bodies()[0]).toMatchObject({ c: 'l', s: 'cookieless' })
    await call(page, 'identify', 'user-7')
    expect(await onDevice(visitor)).toEqual(NOTHING)

    await call(page, 'grant')
    await arrived('consent')
    const granted = bodies().at(-1)
    expect(granted).toMatchObject({ c: 'g', i: expect.any(String), k: expect.any(String) })
    expect((await visitor.context.cookies()).map(({ name }) => name).sort()).toEqual(['lt', 'lts'])

    await call(page, 'deny')
    await arrived('consent', 2)
    expect(await onDevice(visitor)).toEqual(NOTHING)
    const withdrawal = bodies().at(-1)
    expect(withdrawal).toMatchObject({ c: 'l', e: [{ n: 'consent', d: { purposes: [], signal: 'api' } }] })
    await call(page, 'track', 'after')
    await arrived('after')
    for (const body of bodies().filter(({ c }) => c === 'l')) {
      expect(body).not.toHaveProperty('i')
      expect(body).not.toHaveProperty('k')
      expect(body.e.map(({ n }) => n)).not.toContain('identify')
    }
    // Nothing ties what comes after a withdrawal to what was sent under the consent.
    expect(bodies().at(-1)?.w).not.toBe(granted?.w)
    expect(await onDevice(visitor)).toEqual(NOTHING)
  })

  it('after an opt-out is silent', async () => {
    const { page, bodies } = await visit()
    await page.goto(`${origin}/cookieless`)
    await vi.waitFor(() => expect(bodies()).toHaveLength(1))
    await call(page, 'optOut')
    await call(page, 'track', 'after')
    await page.reload()
    await call(page, 'track', 'more')
    await call(page, 'flush')
    await page.close({ runBeforeUnload: true })
    expect(bodies()).toHaveLength(1)
  })
})
