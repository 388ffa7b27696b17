/** A visit of a {@link openShop} by a real browser, for tests of what a page tells. */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect, vi } from 'vitest'
import { openShop, type Shop, type Page as ShopPage } from './shop.ts'

export interface Visit {
  shop: Shop
  page: Page
  context: BrowserContext
  /** uncaught errors of the page */
  errors: Error[]
  /** properties of the events of this name that were taken, in the order of their arrival */
  props(name: string): unknown[]
  /** Waits until the collector has so many events of this name. */
  arrived(name: string, count?: number): Promise<void>
  call(...call: unknown[]): Promise<void>
  /** What a page is told when its tab goes to the back; a headless browser has no tabs that could. */
  hide(hidden?: boolean): Promise<void>
  /** Closes the page as a person does, and waits for what is sent then. */
  leave(): Promise<void>
  close(): Promise<void>
}

/** Opens a page of a shop and waits for its page view, where one can be expected. */
export async function visit(
  browser: Browser | undefined,
  given: ShopPage | ((collector: string) => ShopPage),
  path = '',
): Promise<Visit> {
  if (!browser) throw new Error('no browser')
  const shop = await openShop(given)
  const context = await browser.newContext()
  const page = await context.newPage()
  const errors: Error[] = []
  page.on('pageerror', error => errors.push(error))
  const arrived = (name: string, count = 1) =>
    vi.waitFor(() => expect(shop.events(name).length).toBeGreaterThanOrEqual(count), { timeout: 10_000 })
  const call = (...call: unknown[]) =>
    page.evaluate(args => (window.livetag as unknown as (...call: unknown[]) => void)(...args), call)
  await page.goto(shop.url + path)
  return {
    shop,
    page,
    context,
    errors,
    arrived,
    call,
    props: name => shop.events(name).map(({ d }) => d),
    hide: (hidden = true) =>
      page.evaluate(now => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => now })
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))
      }, hidden),
    async leave() {
      await call('track', 'end')
      await page.close({ runBeforeUnload: true })
      await arrived('end')
    },
    async close() {
      await context.close()
      await shop.close()
    },
  }
}
