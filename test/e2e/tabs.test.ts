import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'

const browser = await browserOrSkip()
const SITES = ['shop', 'second', 'third', 'fourth', 'fifth']
let collector: TestCollector
let server: Server
let url: string
/** Streams that are open now, by their site. */
const streams = new Map<string, number>()
const open = () => [...streams.values()].reduce((sum, n) => sum + n, 0)

beforeAll(async () => {
  collector = await startCollector({ sites: SITES.map(key => ({ key })) })
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
    if (pathname === '/api/v2/live') {
      const site = searchParams.get('site') ?? ''
      streams.set(site, (streams.get(site) ?? 0) + 1)
      response.once('close', () => streams.set(site, (streams.get(site) ?? 0) - 1))
    }
    collector.collector.handler(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const s of SITES) await collector.deliver(envelope([{}], { s }))
})
afterAll(async () => {
  await browser?.close()
  server.closeAllConnections()
  server.close()
  await collector.close()
})

const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 30_000, interval: 100 })

/** How a browser shares its streams: as this one does, and as one that lacks something would. */
const BROWSERS = {
  'a SharedWorker': () => {},
  'no SharedWorker, so one tab leads': () => void Reflect.deleteProperty(window, 'SharedWorker'),
} as const

describe.skipIf(!browser).each(Object.entries(BROWSERS))('with %s', (has, lacks) => {
  let context: BrowserContext
  beforeEach(async () => {
    if (!browser) return
    context = await browser.newContext()
    await context.addInitScript(lacks)
    await context.request.post(`${url}/login`, { form: { key: OWNER_KEY }, maxRedirects: 0 })
    return async () => {
      await context.close()
      await eventually(() => expect(open()).toBe(0))
    }
  })
  const watch = async (site = 'shop'): Promise<Page> => {
    const page = await context.newPage()
    await page.goto(`${url}/live?site=${site}`)
    return page
  }
  const link = (page: Page) => page.locator('.status .link').textContent()
  const allLive = (pages: Page[]) =>
    eventually(async () => expect(await Promise.all(pages.map(link))).toEqual(pages.map(() => 'Live')))
  const shows = (page: Page, name: string) => page.locator('.feed .kind', { hasText: name }).first().waitFor()

  it('seven tabs are live by one stream, and every question is answered', async () => {
    const pages: Page[] = []
    for (let tab = 0; tab < 7; tab++) pages.push(await watch())
    await allLive(pages)
    expect(open()).toBe(1)
    await collector.deliver(envelope([{ n: 'seen-by-all' }]))
    await Promise.all(pages.map(page => shows(page, 'seen-by-all')))
    const ask = (page: Page) =>
      page.evaluate(async () => {
        const answers = Array.from({ length: 4 }, () =>
          fetch('/api/v2/stats?site=shop', { signal: AbortSignal.timeout(10_000) }).then(({ status }) => status),
        )
        return await Promise.all(answers)
      })
    expect((await Promise.all(pages.map(ask))).flat()).toEqual(Array(28).fill(200))
    // All tabs say the same.
    const figures = (page: Page) => page.locator('.figures-today dd').allTextContents()
    await eventually(async () => {
      const [first, ...others] = await Promise.all(pages.map(figures))
      for (const other of others) expect(other).toEqual(first)
    })
  })

  it('when tabs close, whichever, those that are left go on, and the last one takes the stream with it', async () => {
    const pages = [await watch(), await watch(), await watch()]
    await allLive(pages)
    for (const [i, name] of [
      [0, `first-closed with ${has}`],
      [1, `second-closed with ${has}`],
    ] as const) {
      await pages[i]?.close()
      await collector.deliver(envelope([{ n: name }]))
      await Promise.all(pages.slice(i + 1).map(page => shows(page, name)))
      await eventually(() => expect(open()).toBe(1))
    }
    // A fresh snapshot is shown once: nothing stands there twice.
    const last = pages.slice(2)
    await allLive(last)
    expect(await last[0]?.locator('.feed .kind', { hasText: `first-closed with ${has}` }).count()).toBe(1)
    await last[0]?.close()
    await eventually(() => expect(open()).toBe(0))
  })

  it('a tab that the browser freezes leaves, the others go on, and it is back when it wakes', async () => {
    const pages = [await watch(), await watch()]
    const [freezes, stays] = pages as [Page, Page]
    await allLive(pages)
    const session = await context.newCDPSession(freezes)
    await session.send('Page.setWebLifecycleState', { state: 'frozen' })
    await collector.deliver(envelope([{ n: `while-frozen with ${has}` }]))
    await shows(stays, `while-frozen with ${has}`)
    await eventually(() => expect(open()).toBe(1))
    await session.send('Page.setWebLifecycleState', { state: 'active' })
    await shows(freezes, `while-frozen with ${has}`)
    await allLive(pages)
    expect(open()).toBe(1)
  })

  it('tabs of other sites have streams of their own', async () => {
    const pages = [await watch('shop'), await watch('second'), await watch('shop')]
    await allLive(pages)
    await eventually(() => expect(Object.fromEntries(streams)).toMatchObject({ shop: 1, second: 1 }))
    await collector.deliver(envelope([{ n: 'only-there' }], { s: 'second' }))
    await shows(pages[1] as Page, 'only-there')
    expect(await pages[0]?.getByText('only-there').count()).toBe(0)
  })

  it('a tab that shows another site leaves the stream of the one before', async () => {
    const [stays, goes] = [await watch('shop'), await watch('shop')]
    await goes.locator('.picker select').selectOption('second')
    await allLive([stays, goes])
    await eventually(() => expect(Object.fromEntries(streams)).toMatchObject({ shop: 1, second: 1 }))
    await stays.close()
    await eventually(() => expect(Object.fromEntries(streams)).toMatchObject({ shop: 0, second: 1 }))
  })
})

describe.skipIf(!browser)('more sites than a browser has lines', () => {
  it('are not all watched: the oldest waits, and goes on when there is a line again', async () => {
    const context = await browser?.newContext()
    if (!context) return
    await context.request.post(`${url}/login`, { form: { key: OWNER_KEY }, maxRedirects: 0 })
    const pages: Page[] = []
    for (const site of SITES) {
      const page = await context.newPage()
      await page.goto(`${url}/live?site=${site}`)
      pages.push(page)
    }
    const links = () => Promise.all(pages.map(page => page.locator('.status .link').textContent()))
    await eventually(async () => expect(await links()).toEqual(['On hold', 'Live', 'Live', 'Live', 'Live']))
    expect(open()).toBe(4)
    const status = await pages[0]?.evaluate(() =>
      fetch('/api/v2/sites', { signal: AbortSignal.timeout(10_000) }).then(answer => answer.status),
    )
    expect(status).toBe(200)
    await pages.pop()?.close()
    await eventually(async () => expect(await links()).toEqual(['Live', 'Live', 'Live', 'Live']))
    await context.close()
  })
})

describe.skipIf(!browser)('the wall', () => {
  it('is reached by a button and by a key, has nothing to click, and is left by Escape', async () => {
    const context = await browser?.newContext()
    const page = await context?.newPage()
    if (!context || !page) return
    const problems: string[] = []
    page.on('pageerror', error => problems.push(error.message))
    await context.request.post(`${url}/login`, { form: { key: OWNER_KEY }, maxRedirects: 0 })
    await page.goto(`${url}/live?site=shop`)
    await page.getByRole('button', { name: 'Wall mode' }).click()
    await page.waitForURL(/wall=1/)
    await page.locator('.wall .figure-first dd').waitFor()
    expect(await page.locator('header.bar').isVisible()).toBe(false)
    await page.keyboard.press('Escape')
    await page.locator('.feed').waitFor()
    expect(page.url()).not.toContain('wall')
    // While the full screen that was left is still being left: that is no reason to leave what was entered since.
    for (let i = 0; i < 5; i++) {
      await page.keyboard.press('w')
      await page.locator('.wall .figure-first dd').waitFor()
      await page.keyboard.press('Escape')
      await page.locator('.feed').waitFor()
    }
    await page.keyboard.press('w')
    await page.waitForFunction(() => document.fullscreenElement)
    await page.locator('.wall .figure-first dd').waitFor()
    const before = await page.locator('.wall .figures dd').allTextContents()
    await collector.deliver(envelope([{}, {}, {}], { i: 'v', k: 'v' }))
    await eventually(async () => expect(await page.locator('.wall .figures dd').allTextContents()).not.toEqual(before))
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.locator('.feed').waitFor()
    // By its address alone it is there at once.
    await page.goto(`${url}/live?site=shop&wall=1`)
    await page.locator('.wall .figure-first dd').waitFor()
    expect(problems).toEqual([])
    await context.close()
  })
})
