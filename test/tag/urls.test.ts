/** What of a page's URL leaves it, and what never does. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { openShop, type Shop, type Page as ShopPage } from './shop.ts'

const browser = await browserOrSkip()
let context: BrowserContext | undefined
let shop: Shop
afterEach(async () => {
  await context?.close()
  await shop?.close()
})
afterAll(() => browser?.close())

async function visit(path: string, given: ShopPage = {}, referer?: string): Promise<Page> {
  if (!browser) throw new Error('no browser')
  shop = await openShop(given)
  context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`${shop.url}${path}`, referer ? { referer } : {})
  await arrived('pageview')
  return page
}
const arrived = (name: string, count = 1) =>
  vi.waitFor(() => expect(shop.events(name).length).toBeGreaterThanOrEqual(count), { timeout: 10_000 })
const page0 = () => shop.posts[0]?.body.p
const everything = () => JSON.stringify(shop.posts)

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'
const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b'

describe.skipIf(!browser)('a URL', () => {
  it('keeps campaigns, click ids and ref of its query; every other parameter stays in the page', async () => {
    await visit(
      `/shoes?utm_source=news&utm_campaign=a%20b&gclid=EAIaIQobChMI6d7F0&ref=partner&q=my+search&password=hunter2`,
    )
    const { searchParams, pathname } = new URL(page0()?.u ?? '')
    expect(pathname).toBe('/shoes')
    expect(Object.fromEntries(searchParams)).toEqual({
      utm_source: 'news',
      utm_campaign: 'a b',
      gclid: 'EAIaIQobChMI6d7F0',
      ref: 'partner',
    })
    expect(everything()).not.toMatch(/my.search|hunter2/)
  })

  it('keeps what the site names, and not what only sounds like it', async () => {
    await visit('/list?page=2&q=shoes&homepage=x', { options: { query: ['q', 'page'] } })
    expect(page0()?.u).toBe(`${shop.url}/list?page=2&q=shoes`)
  })

  it.each([
    [`/reset/${HASH}`, '/reset/*'],
    [`/login/${JWT}/done`, '/login/*/done'],
    ['/unsubscribe/jane.doe@mail.example', '/unsubscribe/*'],
    ['/unsubscribe/jane%40mail.example/now', '/unsubscribe/*/now'],
    ['/thanks?ref=jane@mail.example', '/thanks?ref=*'],
    ['/thanks?password=x&ref=a?b&key=y', '/thanks?ref=a?b'],
    ['/thanks?utm_source=a&&token=x&utm_medium=b&', '/thanks?utm_source=a&utm_medium=b'],
    ['/thanks?', '/thanks'],
    ['/a&password=x/b?password=x', '/a&password=x/b'],
    ['/the-best-10-shoes-for-running-in-2024', '/the-best-10-shoes-for-running-in-2024'],
    ['/internationalization', '/internationalization'],
    ['/order/550e8400-e29b-41d4-a716-446655440000', '/order/550e8400-e29b-41d4-a716-446655440000'],
  ])('%s is sent as %s', async (path, cleaned) => {
    await visit(path)
    expect(page0()?.u).toBe(`${shop.url}${cleaned}`)
    if (path !== cleaned) expect(everything()).not.toMatch(/jane|9f86d081|eyJ/)
  })

  it('has no fragment, unless the site counts fragments: then without what is secret in it', async () => {
    await visit('/page#access_token=abc')
    expect(page0()?.u).toBe(`${shop.url}/page`)
    await context?.close()
    await shop.close()
    const page = await visit(`/app#/reset/${HASH}`, { options: { hash: true } })
    expect(page0()?.u).toBe(`${shop.url}/app#/reset/*`)
    await page.evaluate(() => {
      location.hash = '#/home'
    })
    await arrived('pageview', 2)
    expect(shop.posts.at(-1)?.body.p).toMatchObject({ u: `${shop.url}/app#/home`, r: `${shop.url}/app#/reset/*` })
    expect(everything()).not.toContain(HASH)
  })

  it('a page that differs in a parameter that is cut off is a page view of its own', async () => {
    const page = await visit('/list?item=1')
    await page.evaluate(() => history.pushState(null, '', '/list?item=2'))
    await arrived('pageview', 2)
    expect(shop.posts.map(({ body }) => body.p.u)).toEqual([`${shop.url}/list`, `${shop.url}/list`])
    expect(new Set(shop.posts.map(({ body }) => body.w)).size).toBe(2)
  })

  it.each([
    [`http://d111111abcdef8123456789.cdn.example/a/${HASH}/b`, 'http://d111111abcdef8123456789.cdn.example/a/*/b'],
    ['http://a.example?jane@mail.example', 'http://a.example?*'],
    [`http://a.example/x?key=${HASH}\n&next=1`, 'http://a.example/x?next=1'],
    ['https://a.example/x#access_token=1', 'https://a.example/x'],
    ['http://jane:secret@a.example/x', 'http://*/x'],
  ])('%j of a call is sent as %j', async (url, cleaned) => {
    const page = await visit('/page')
    await page.evaluate(url => window.livetag?.('track', 'seen', { url }), url)
    await arrived('seen')
    expect(shop.events('seen').map(({ d }) => d?.url)).toEqual([cleaned])
  })

  it('of a clicked link goes without secrets, and otherwise whole; a mail address that a page links to is kept', async () => {
    const page = await visit('/page', {
      body: `<a id=a href="/next?x=1&mail=jane@mail.example&key=${HASH}">a</a><a id=b href="mailto:shop@mail.example">b</a>`,
    })
    await page.evaluate(() => addEventListener('click', event => event.preventDefault()))
    await page.click('#a')
    await page.click('#b')
    await arrived('click', 2)
    expect(shop.events('click').map(({ d }) => d?.url)).toEqual([
      `${shop.url}/next?x=1&mail=*`,
      'mailto:shop@mail.example',
    ])
    expect(everything()).not.toMatch(/jane|9f86d081/)
  })

  it('is the canonical one where the site wants that, in the version of the moment it is left', async () => {
    const page = await visit('/page?variant=7', {
      options: { canonical: true },
      head: '<link rel=canonical href="/canonical?utm_source=x&secret=1">',
    })
    expect(page0()?.u).toBe(`${shop.url}/canonical?utm_source=x`)
    await page.evaluate(() => {
      history.pushState(null, '', '/other')
      setTimeout(() => document.querySelector('link[rel=canonical]')?.setAttribute('href', '/later'), 50)
    })
    await arrived('pageview', 2)
    expect(shop.posts.at(-1)?.body.p).toMatchObject({ u: `${shop.url}/later` })
  })

  it('of the page before is cleaned, too', async () => {
    await visit('/page', {}, `http://127.0.0.1/from?email=jane@mail.example&utm_source=y`)
    expect(everything()).not.toContain('jane')
  })
})
