import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RawEvent } from '../../collector/settle/index.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'

const TIMES = 50
const browser = await browserOrSkip()
let collector: TestCollector
let site: Server
let origin: string

beforeAll(async () => {
  collector = await startCollector({ sites: [{ key: 'shop', domain: '127.0.0.1', consent: 'none' }] })
  // A page of somebody else's, on another origin than the collector.
  site = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>A page</title>
      <script defer src="${collector.url}/t/shop.js"></script><button>Buy</button><p style="height:3000px">`)
  })
  await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
})
afterAll(async () => {
  await browser?.close()
  site.closeAllConnections()
  site.close()
  await collector.close()
})

describe.skipIf(!browser)('a tab that is closed at once', () => {
  it(`loses nothing and doubles nothing: page view, click, scroll to the end, track(); ${TIMES} times`, async () => {
    const context = await browser?.newContext()
    if (!context) return
    for (let i = 0; i < TIMES; i++) {
      const page = await context.newPage()
      await page.goto(`${origin}/page/${i}`)
      await page.evaluate(async n => {
        const { livetag } = window as unknown as { livetag: (...call: unknown[]) => void }
        document.querySelector('button')?.click()
        scrollTo(0, document.documentElement.scrollHeight)
        await new Promise(resolve => addEventListener('scroll', resolve, { once: true }))
        livetag('track', 'closing', { n })
      }, i)
      // As a person closes a tab, and as a browser closes its tabs when it is ended.
      await page.close({ runBeforeUnload: i % 2 === 0 })
    }
    const find = (name: string) =>
      collector.db.collection<RawEvent>('events').find({ 'meta.site': 'shop', 'meta.name': name }).toArray()
    const depths = [25, 50, 75, 90, 100]
    const expected = { pageview: TIMES, click: TIMES, closing: TIMES, scroll: TIMES * depths.length }
    const counts = async () =>
      Object.fromEntries(
        await Promise.all(Object.keys(expected).map(async name => [name, (await find(name)).length] as const)),
      )
    await vi.waitFor(async () => expect(await counts()).toEqual(expected), { timeout: 15_000, interval: 100 })
    await collector.folded()
    // Not one more, after everything has been settled.
    expect(await counts()).toEqual(expected)
    for (const name of Object.keys(expected)) {
      const events = await find(name)
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
    }
    const paths = (await find('pageview')).map(({ path }) => path).sort()
    expect(paths).toEqual(Array.from({ length: TIMES }, (_, i) => `/page/${i}`).sort())
    for (const depth of depths)
      expect((await find('scroll')).filter(({ props }) => (props as { depth: number }).depth === depth)).toHaveLength(
        TIMES,
      )
    await context.close()
  }, 120_000)
})
