/** The consent platforms that npm has, each on its own page, in a browser: what is heard, and what is not sent. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { openShop, type Shop, type Page as ShopPage } from '../tag/shop.ts'
import { gppPage, platforms } from './platforms.ts'

const browser = await browserOrSkip()
let context: BrowserContext | undefined
let shop: Shop
afterEach(async () => {
  await context?.close()
  await shop?.close()
})
afterAll(() => browser?.close())

async function visit(given: ShopPage): Promise<Page> {
  if (!browser) throw new Error('no browser')
  shop = await openShop({ ...given, options: { mode: 'required', ...given.options } })
  context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(shop.url)
  return page
}
const arrived = (name: string, count = 1) =>
  vi.waitFor(() => expect(shop.events(name).length).toBeGreaterThanOrEqual(count), { timeout: 10_000 })
/** All that the tag would send now is there when this is. */
const flushed = async (page: Page) => {
  await page.evaluate(async collector => {
    const { livetag } = window as unknown as { livetag: { track(name: string): void; flush(): void } }
    livetag.track('late')
    livetag.flush()
    await fetch(collector, { method: 'POST', body: '{"e":[]}' })
  }, `${shop.collector}/e`)
  return shop.posts.filter(({ body }) => body.e.length > 0)
}
const ours = async () => (await context?.cookies())?.filter(({ name }) => /^lts?$/.test(name)).length

describe.skipIf(!browser)('a page with', () => {
  for (const platform of platforms) {
    it(`${platform.signal}: nothing before the answer; a yes, a change of mind and a reload are heard`, async () => {
      const page = await visit(await platform.page())
      await platform.asked(page)
      expect(await flushed(page)).toEqual([])
      expect(await ours()).toBe(0)

      await platform.accept(page)
      await arrived('consent')
      expect(shop.events('pageview')).toHaveLength(1)
      expect(shop.events('consent')[0]?.d).toEqual({
        purposes: ['measure', 'identify'],
        signal: platform.signal,
        ...(platform.version !== undefined && { version: platform.version }),
      })
      expect(await ours()).toBe(2)

      await page.reload()
      await arrived('pageview', 2)
      await arrived('consent', 2)
      const before = (await flushed(page)).length

      await platform.withdraw(page)
      await vi.waitFor(() => expect(shop.posts.at(-1)?.body.c).toBe('d'))
      expect(shop.posts.at(-1)?.body.e.map(({ d }) => d)).toEqual([
        expect.objectContaining({ purposes: [], signal: platform.signal }),
      ])
      expect(await ours()).toBe(0)
      expect(await flushed(page)).toHaveLength(before + 1)

      await page.reload()
      expect(await flushed(page)).toHaveLength(before + 1)
      expect(await ours()).toBe(0)
    })

    it(`${platform.signal}: after a no nothing is sent, on the next page neither`, async () => {
      const page = await visit(await platform.page())
      await platform.asked(page)
      await platform.reject(page)
      expect(await flushed(page)).toEqual([])
      await page.reload()
      expect(await flushed(page)).toEqual([])
      expect(await ours()).toBe(0)
    })
  }

  it('GPP: where only US law applies no consent is needed, and an opt-out takes sharing away', async () => {
    const page = await visit(await gppPage())
    await page.waitForFunction('window.gpp')
    expect(await flushed(page)).toEqual([])
    await page.evaluate('gpp.ready([7], false)')
    await arrived('consent')
    expect(shop.events('consent')[0]?.d).toMatchObject({ purposes: ['measure', 'identify', 'share'], signal: 'gpp' })
    await page.evaluate('gpp.ready([7], true)')
    await arrived('consent', 2)
    expect(shop.events('consent')[1]?.d).toMatchObject({ purposes: ['measure', 'identify'], signal: 'gpp' })
  })

  it("GPP: where Europe's section applies, too, it grants nothing", async () => {
    const page = await visit(await gppPage())
    await page.waitForFunction('window.gpp')
    for (const sections of ['[2]', '[7, 2]', '[-1]', '[]']) await page.evaluate(`gpp.ready(${sections}, false)`)
    expect(await flushed(page)).toEqual([])
    expect(await ours()).toBe(0)
  })
})
