import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RawEvent } from '../../collector/settle/index.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'

const browser = await browserOrSkip()
let collector: TestCollector
beforeAll(async () => {
  collector = await startCollector({
    sites: [{ key: 'shop', domain: '127.0.0.1', consent: 'required', cookie: 'collector' }],
  })
})
afterAll(async () => {
  await browser?.close()
  await collector.close()
})

async function open(context: BrowserContext, path: string): Promise<Page> {
  const page = await context.newPage()
  await page.route('**/page/*', route =>
    route.fulfill({
      contentType: 'text/html',
      body: '<!doctype html><link rel=icon href="data:,"><title>A page</title><script defer src="/t/shop.js"></script>',
    }),
  )
  await page.goto(`${collector.url}/page/${path}`)
  return page
}
const call = (page: Page, ...args: unknown[]) =>
  page.evaluate(given => (window.livetag as unknown as (...args: unknown[]) => void)(...given), args)
const visitors = async (name: string) =>
  (await collector.db.collection<RawEvent>('events').find({ 'meta.name': name }).toArray()).map(
    ({ visitor }) => visitor,
  )

describe.skipIf(!browser)('a site whose cookie the collector sets', () => {
  it('has none before consent, one that no script can read after it, the same on the next page, and none after a withdrawal', async () => {
    const context = await browser?.newContext()
    if (!context) return
    const page = await open(context, 'first')
    await call(page, 'track', 'waits')
    await page.waitForLoadState('networkidle')
    expect(await context.cookies()).toEqual([])

    await call(page, 'grant')
    await vi.waitFor(async () => expect(await visitors('pageview')).toHaveLength(1), { timeout: 10_000 })
    const cookie = (await context.cookies()).find(({ name }) => name === 'lt')
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' })
    expect(await page.evaluate(() => document.cookie)).not.toMatch(/(^| )lt=/)
    expect(await visitors('pageview')).toEqual([cookie?.value])

    const second = await open(context, 'second')
    await call(second, 'grant')
    await vi.waitFor(async () => expect(await visitors('pageview')).toHaveLength(2), { timeout: 10_000 })
    expect(await visitors('pageview')).toEqual([cookie?.value, cookie?.value])

    await call(second, 'deny')
    await vi.waitFor(async () => expect(await context.cookies()).toEqual([]), { timeout: 10_000 })
    await context.close()
  })
})
