import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { builtFolder } from '../../collector/assets.ts'
import { readComposer } from '../../collector/tag-script.ts'
import type { Rule } from '../../tag/rule.ts'
import type { Stub } from '../../tag/types.ts'
import type { Envelope, WireEvent } from '../../tag/wire.ts'
import { browserOrSkip } from '../fixtures/browser.ts'

/** The usual stub, as a site pastes it. */
const STUB =
  '<script>window.livetag=window.livetag||function(){(livetag.q=livetag.q||[]).push([Date.now(),...arguments])}</script>'
/** Higher than the screen: a page that fits it counts as seen to its end after a second. */
const TALL = '<p style="height:3000px">'
const DEPTHS = [25, 50, 75, 90, 100]

/** A body as it came, and how it was answered. */
interface Post {
  at: number
  answeredAt: number
  status: number
  body: Envelope
}

/** One test's own site: a folder of the server that has the page, `t/x.js` and `e`. */
interface Site {
  html: string
  script: string
  posts: Post[]
  /** statuses to answer with, first come; 204 when there is none left */
  answers: number[]
  /** whether the page said that it is gone */
  gone: boolean
}

interface Stage extends Site {
  context: BrowserContext
  page: Page
  url: string
  /** uncaught errors of the page */
  errors: Error[]
  open(): Promise<void>
  /** the tag's global, called as a page calls it */
  call(...call: unknown[]): Promise<void>
  /** events that were answered with 204 */
  events(name?: string): WireEvent[]
  /** Waits until the collector has so many events of this name. */
  arrived(name: string, count?: number): Promise<void>
  /** Closes the page as a person does, and waits until all that it sent on leaving is there. */
  close(): Promise<void>
}

const browser = await browserOrSkip()
const compose = readComposer(builtFolder())
const sites: Site[] = []
let server: Server
let origin: string
let context: BrowserContext | undefined

/** Takes what a page posts: `e` is an envelope, `gone` the page's farewell. */
async function post(site: Site, file: string, request: IncomingMessage): Promise<number> {
  const at = Date.now()
  const body = await text(request)
  if (file !== 'e') {
    site.gone = true
    return 204
  }
  const status = site.answers.shift() ?? 204
  site.posts.push({ at, answeredAt: Date.now(), status, body: JSON.parse(body) as Envelope })
  return status
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const [, id, ...rest] = new URL(request.url ?? '', 'http://localhost').pathname.split('/')
    const site = sites[Number(id)]
    const file = rest.join('/')
    if (!id || !site) response.writeHead(404).end()
    else if (request.method === 'POST')
      response.writeHead(await post(site, file, request), { 'retry-after': '1' }).end()
    else if (file === 't/x.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(site.script)
    else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(site.html)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  await context?.close()
  context = undefined
})
afterAll(async () => {
  await browser?.close()
  server.closeAllConnections()
  server.close()
})

/** A page with the tag in it, which is not open yet. */
async function stage({
  mode = 'none',
  own = [],
  head = '',
  body = TALL,
  tag = '<script defer src="t/x.js"></script>',
}: {
  mode?: string
  own?: Rule[]
  head?: string
  body?: string
  tag?: string
} = {}): Promise<Stage> {
  if (!browser) throw new Error('no browser')
  const site: Site = {
    html: `<!doctype html><title>First</title>${STUB}${head}${tag}${body}`,
    script: compose({ site: 'shop', mode: mode as 'none', rules: own }),
    posts: [],
    answers: [],
    gone: false,
  }
  const url = `${origin}/${sites.push(site) - 1}/`
  context = await browser.newContext()
  const page = await context.newPage()
  const errors: Error[] = []
  page.on('pageerror', error => errors.push(error))
  const events = (name?: string) =>
    site.posts
      .filter(({ status }) => status === 204)
      .flatMap(({ body }) => body.e)
      .filter(({ n }) => !name || n === name)
  return Object.assign(site, {
    context,
    page,
    url,
    errors,
    events,
    open: async () => {
      await page.goto(url)
    },
    call: (...call: unknown[]) => page.evaluate(args => (window.livetag as Stub)(...args), call),
    arrived: (name: string, count = 1) =>
      vi.waitFor(() => expect(events(name).length).toBeGreaterThanOrEqual(count), { timeout: 10_000 }),
    close: async () => {
      // Heard after the tag's own listener, so sent after what the tag sends.
      await page.evaluate(to => addEventListener('pagehide', () => navigator.sendBeacon(to)), `${url}gone`)
      await page.close({ runBeforeUnload: true })
      await vi.waitFor(() => expect(site.gone).toBe(true), { timeout: 10_000 })
    },
  })
}

/** All that a visit does: calls, clicks, scrolling, views, and two minutes. */
async function visit({ page, call }: Stage): Promise<void> {
  await call('set', { plan: 'pro' })
  await call('identify', 'user-7')
  await call('track', 'signup', { from: 'test' })
  await page.evaluate(() => {
    document.querySelector('button')?.click()
    scrollTo(0, document.documentElement.scrollHeight)
    history.pushState(null, '', '?second')
  })
  await call('page')
  await call('flush')
  for (let i = 0; i < 25; i++) await call('track', 'many')
  await page.clock.runFor(120_000)
}

async function expectNothingKept({ page, context }: Stage): Promise<void> {
  expect(await context.cookies()).toEqual([])
  expect(
    await page.evaluate(async () => [
      document.cookie,
      localStorage.length,
      sessionStorage.length,
      window.name,
      (await indexedDB.databases()).length,
    ]),
  ).toEqual(['', 0, 0, '', 0])
}

const WITH_BUTTON = `<button>Buy</button>${TALL}`

describe.skipIf(!browser)('consent', () => {
  it('required and no answer: nothing is sent and nothing is kept, whatever the visitor does', async () => {
    const shop = await stage({ mode: 'required', body: WITH_BUTTON })
    await shop.page.clock.install()
    await shop.open()
    await visit(shop)
    await expectNothingKept(shop)
    await shop.close()
    expect(shop.posts).toEqual([])
    expect(shop.errors).toEqual([])
  })

  it('a mode with a typing error acts as required', async () => {
    const shop = await stage({ mode: 'None', body: WITH_BUTTON })
    await shop.page.clock.install()
    await shop.open()
    await visit(shop)
    await expectNothingKept(shop)
    await shop.close()
    expect(shop.posts).toEqual([])
  })

  it('denied: nothing is sent and nothing is kept, not even that it was denied', async () => {
    const shop = await stage({ mode: 'required', body: WITH_BUTTON })
    await shop.page.clock.install()
    await shop.open()
    await shop.call('track', 'before')
    await shop.call('deny')
    await visit(shop)
    await expectNothingKept(shop)
    await shop.close()
    expect(shop.posts).toEqual([])
    expect(shop.errors).toEqual([])
  })

  it('granted: what waited is sent with its own times, and cookies are set', async () => {
    const shop = await stage({ mode: 'required' })
    await shop.open()
    await shop.call('track', 'waiting')
    expect(shop.posts).toEqual([])
    const at = await shop.page.evaluate(() => Date.now())
    await shop.page.waitForFunction(then => Date.now() > then + 100, at)
    await shop.call('grant')
    await shop.arrived('consent')
    expect(shop.posts).toHaveLength(1)
    const [first] = shop.posts
    expect(first?.body).toMatchObject({ c: 'g', s: 'shop' })
    expect(first?.body.e.map(({ n }) => n)).toEqual(['pageview', 'waiting', 'consent'])
    expect(first?.body.e[1]?.t).toBeGreaterThanOrEqual(100)
    expect(first?.body.e[2]?.d).toEqual({ purposes: ['measure', 'identify'], signal: 'api' })
    const cookies = await shop.context.cookies()
    expect(cookies.map(({ name }) => name).sort()).toEqual(['lt', 'lts'])
    expect(cookies.find(({ name }) => name === 'lt')?.value).toBe(first?.body.i)
    expect(await shop.page.evaluate(() => [localStorage.length, sessionStorage.length, window.name])).toEqual([
      0,
      0,
      '',
    ])
  })

  it('withdrawn after a grant: cookies are gone, one record that names nobody is sent, and nothing after it', async () => {
    const shop = await stage({ mode: 'required', body: WITH_BUTTON })
    await shop.page.clock.install()
    await shop.open()
    await shop.call('grant')
    await shop.arrived('consent')
    expect(await shop.context.cookies()).toHaveLength(2)
    await shop.call('track', 'unsent')
    await shop.call('deny')
    await shop.arrived('consent', 2)
    await expectNothingKept(shop)
    await visit(shop)
    await expectNothingKept(shop)
    await shop.close()
    expect(shop.posts).toHaveLength(2)
    const body = shop.posts[1]?.body
    expect(body).toMatchObject({ c: 'd', e: [{ n: 'consent', d: { purposes: [] } }] })
    expect(body?.e).toHaveLength(1)
    expect(body).not.toHaveProperty('i')
    expect(body).not.toHaveProperty('k')
    expect(shop.events('unsent')).toEqual([])
  })

  it('withdrawn while the collector is refusing: what was to be sent again is not', async () => {
    const shop = await stage({ mode: 'required' })
    shop.answers.push(503)
    await shop.page.clock.install()
    await shop.open()
    await shop.call('track', 'refused')
    await shop.call('grant')
    await vi.waitFor(() => expect(shop.posts).toHaveLength(1))
    await shop.call('deny')
    await shop.arrived('consent')
    await shop.page.clock.runFor(120_000)
    await expectNothingKept(shop)
    await shop.close()
    expect(shop.posts.map(({ status, body }) => [status, body.c, body.e.map(({ n }) => n)])).toEqual([
      [503, 'g', ['pageview', 'refused', 'consent']],
      [204, 'd', ['consent']],
    ])
    expect(shop.posts[1]?.body).not.toHaveProperty('i')
    expect(shop.posts[1]?.body).not.toHaveProperty('k')
  })

  it("grant(['measure']) measures without a cookie, a visitor or a user's id", async () => {
    const shop = await stage({ mode: 'required', body: WITH_BUTTON })
    await shop.open()
    await shop.call('identify', 'user-7')
    await shop.call('grant', ['measure'])
    await shop.call('track', 'signup')
    await shop.arrived('signup')
    await expectNothingKept(shop)
    await shop.close()
    expect(shop.events('pageview')).toHaveLength(1)
    for (const { body } of shop.posts) {
      expect(body.c).toBe('g')
      expect(body).not.toHaveProperty('i')
    }
    expect(JSON.stringify(shop.posts)).not.toContain('user-7')
  })

  it('optOut outlives the page: the next load sends nothing, though it needs no consent', async () => {
    const shop = await stage({ body: WITH_BUTTON })
    await shop.page.clock.install()
    await shop.open()
    await shop.arrived('pageview')
    await shop.call('optOut')
    await shop.arrived('consent')
    expect(await shop.context.cookies()).toEqual([])
    const count = shop.posts.length
    await shop.open()
    await shop.call('grant')
    await visit(shop)
    expect(await shop.context.cookies()).toEqual([])
    await shop.close()
    expect(shop.posts).toHaveLength(count)
  })

  it("the visitor stays the same over two loads, and its cookie's end does not move", async () => {
    const shop = await stage()
    const cookie = async (wanted: string) => (await shop.context.cookies()).find(({ name }) => name === wanted)
    await shop.open()
    await shop.arrived('pageview')
    const before = await cookie('lt')
    await shop.open()
    await shop.arrived('pageview', 2)
    const [first, second] = shop.posts.map(({ body }) => body)
    expect(first?.i).toMatch(/^[0-9a-z]{16}$/)
    expect(second?.i).toBe(first?.i)
    expect(second?.k).toBe(first?.k)
    expect(second?.w).not.toBe(first?.w)
    expect(before?.value).toBe(first?.i)
    expect(await cookie('lt')).toEqual(before)
    const days = ((before?.expires ?? 0) - Date.now() / 1e3) / 86_400
    expect(days).toBeGreaterThan(394)
    expect(days).toBeLessThanOrEqual(395)
    // A session is another matter: each use renews it.
    expect((await cookie('lts'))?.value).toMatch(RegExp(`^${first?.k}\\.\\d+$`))
    expect(await shop.context.cookies()).toHaveLength(2)
  })
})

describe.skipIf(!browser)('page views', () => {
  for (const api of ['with', 'without']) {
    it(`${api} the Navigation API: pushState makes one, with the URL before as referrer and the late title`, async () => {
      const shop = await stage()
      if (api === 'without') {
        await shop.page.addInitScript(() => {
          delete (window as { navigation?: unknown }).navigation
        })
      }
      await shop.open()
      await shop.arrived('pageview')
      expect(await shop.page.evaluate(() => 'navigation' in window)).toBe(api === 'with')
      await shop.page.evaluate(() => {
        history.pushState(null, '', 'shoes')
        // as frameworks do: after the URL
        setTimeout(() => {
          document.title = 'Shoes'
        }, 50)
      })
      await shop.arrived('pageview', 2)
      await shop.close()
      expect(shop.events('pageview')).toHaveLength(2)
      const [first, second] = shop.posts.map(({ body }) => body)
      expect(first?.p).toMatchObject({ u: shop.url, r: '', ti: 'First', vw: 1280 })
      expect(second?.p).toMatchObject({ u: `${shop.url}shoes`, r: shop.url, ti: 'Shoes' })
      expect(second?.w).not.toBe(first?.w)
      expect(second?.e[0]).toMatchObject({ n: 'pageview', q: 0 })
      expect(second?.k).toBe(first?.k)
    })
  }

  it('replaceState to the same URL makes none, and neither does a change of the fragment', async () => {
    const shop = await stage()
    await shop.open()
    await shop.arrived('pageview')
    await shop.page.evaluate(() => {
      history.replaceState({ filter: 1 }, '', location.href)
      location.hash = 'part'
      history.pushState(null, '', '#other')
    })
    await shop.call('track', 'after')
    await shop.arrived('after')
    await shop.close()
    expect(shop.events('pageview')).toHaveLength(1)
    expect(new Set(shop.posts.map(({ body }) => body.w)).size).toBe(1)
    for (const { body } of shop.posts) expect(body.p.u).toBe(shop.url)
  })

  it('events before a pushState stay with their own view and its title', async () => {
    const shop = await stage()
    await shop.open()
    await shop.arrived('pageview')
    await shop.page.evaluate(() => {
      ;(window.livetag as Stub)('track', 'old')
      history.pushState(null, '', 'shoes')
      document.title = 'Shoes'
      ;(window.livetag as Stub)('track', 'new')
    })
    await shop.arrived('new')
    const of = (name: string) => shop.posts.find(({ body }) => body.e.some(({ n }) => n === name))?.body
    expect(of('old')?.p).toMatchObject({ u: shop.url, ti: 'First' })
    expect(of('old')?.w).toBe(shop.posts[0]?.body.w)
    expect(of('new')?.p).toMatchObject({ u: `${shop.url}shoes`, ti: 'Shoes' })
    expect(of('old')?.e.map(({ n }) => n)).toEqual(['old'])
  })

  it('the calls of the stub keep their own times and their order', async () => {
    const shop = await stage({ tag: '' })
    await shop.open()
    await shop.call('set', { plan: 'pro' })
    await shop.call('track', 'early', { n: 1 })
    const then = await shop.page.evaluate(() => Date.now())
    await shop.page.waitForFunction(time => Date.now() > time + 200, then)
    await shop.call('track', 'later', { n: 2 })
    const called = await shop.page.evaluate(() => (window.livetag as Stub).q?.map(([time]) => time))
    expect(shop.posts).toEqual([])
    await shop.page.addScriptTag({ url: 't/x.js' })
    await shop.call('track', 'now')
    await shop.arrived('now')
    const [first] = shop.posts
    const time = (name: string) => (first?.body.t ?? 0) - (first?.body.e.find(({ n }) => n === name)?.t ?? 0)
    expect(first?.body.e.map(({ n }) => n)).toEqual(['pageview', 'early', 'later'])
    expect([time('early'), time('later')]).toEqual(called?.slice(1))
    expect(time('pageview')).toBeGreaterThanOrEqual(time('later'))
    expect(shop.events('early')).toMatchObject([{ d: { plan: 'pro', n: 1 } }])
    await shop.close()
    for (const name of ['pageview', 'early', 'later', 'now']) expect(shop.events(name)).toHaveLength(1)
  })

  it('a second copy of the tag sends nothing', async () => {
    const shop = await stage({ tag: '<script defer src="t/x.js"></script>'.repeat(2), body: WITH_BUTTON })
    await shop.open()
    await shop.arrived('pageview')
    const same = await shop.page.evaluate(async () => {
      const first = window.livetag
      const script = document.createElement('script')
      script.src = 't/x.js'
      const loaded = new Promise(resolve => {
        script.onload = resolve
      })
      document.head.append(script)
      await loaded
      return first === window.livetag
    })
    expect(same).toBe(true)
    await shop.page.click('button')
    await shop.call('track', 'once')
    await shop.arrived('once')
    await shop.close()
    expect(shop.events().map(({ n }) => n)).toEqual(['pageview', 'click', 'once'])
    expect(new Set(shop.posts.map(({ body }) => body.w)).size).toBe(1)
    expect(shop.errors).toEqual([])
  })
})

describe.skipIf(!browser)('rules', () => {
  /** Clicks go nowhere, so that all happen in one page. */
  const STAY =
    '<script>for (const type of ["click", "auxclick"]) document.addEventListener(type, event => event.preventDefault())</script>'

  it('clicks on links and buttons are told with what they are, never with what was typed', async () => {
    const shop = await stage({
      body: `${STAY}
        <a id="icon" href="/inner?x=1"><svg width="20" height="20"><path id="glyph" d="M0 0h20v20H0z"/></svg> Icon</a>
        <a id="out" href="https://other.example/page">Elsewhere</a>
        <a id="file" href="/files/report.pdf">Report</a>
        <button id="buy" value="secret-button">Buy</button>
        <input id="typed" value="secret-default"><textarea id="area">secret-area</textarea>
        <input type="submit" id="send" value="secret-submit">
        <div id="host"></div><p id="plain">Text</p>
        <script>host.attachShadow({ mode: 'open' }).innerHTML = '<a href="/shadow"><b>In the shadow</b></a>'</script>${TALL}`,
    })
    const { page } = shop
    await shop.open()
    await shop.arrived('pageview')
    await page.click('#glyph')
    await page.click('#out')
    await page.click('#file')
    await page.click('#buy')
    await page.click('#send')
    await page.click('#host b')
    await page.click('#out', { button: 'middle' })
    // None of these is a click on something.
    await page.click('#out', { button: 'right' })
    await page.click('#plain')
    await page.click('#typed')
    await page.keyboard.type('secret-typed')
    await page.click('#area')
    await page.keyboard.type('secret-typed')
    await shop.close()
    expect(shop.events('click').map(({ d }) => d)).toEqual([
      { kind: 'link', url: `${origin}/inner?x=1`, text: 'Icon', selector: '#icon' },
      { kind: 'outbound', url: 'https://other.example/page', text: 'Elsewhere', selector: '#out' },
      { kind: 'download', url: `${origin}/files/report.pdf`, text: 'Report', selector: '#file' },
      { kind: 'button', text: 'Buy', selector: '#buy' },
      { kind: 'button', selector: '#send' },
      { kind: 'link', url: `${origin}/shadow`, text: 'In the shadow', selector: 'a' },
      { kind: 'outbound', url: 'https://other.example/page', text: 'Elsewhere', selector: '#out' },
    ])
    expect(JSON.stringify(shop.posts)).not.toContain('secret')
    expect(shop.errors).toEqual([])
  })

  it("an owner's rule can't read an input's value, however it spells it", async () => {
    const props: Rule['props'] = { id: ['attr', 'id'], a: ['attr', 'value'], b: ['attr', 'VALUE'], c: ['value'] }
    const shop = await stage({
      own: [{ on: 'click', select: 'input', name: 'field', props }],
      body: `<input id="typed" value="secret-default">${TALL}`,
    })
    await shop.open()
    await shop.page.click('#typed')
    await shop.arrived('field')
    expect(JSON.stringify(shop.posts)).not.toContain('secret')
    expect(shop.events('field').map(({ d }) => d)).toEqual([{ id: 'typed' }])
  })

  it('a link inside an SVG is a link like any other', async () => {
    const shop = await stage({
      body: `${STAY}<svg width="40" height="40"><a href="/inner"><rect id="area" width="40" height="40"/></a></svg>${TALL}`,
    })
    await shop.open()
    await shop.page.click('#area')
    await shop.arrived('click')
    expect(shop.events('click').map(({ d }) => d)).toEqual([
      { kind: 'link', url: `${origin}/inner`, selector: 'html>body>svg>a' },
    ])
  })

  it("a form's field with the name `id` does not get into the selector", async () => {
    const shop = await stage({
      body: `${STAY}<form id="order"><input name="id" value="secret"><button>Send</button></form>${TALL}`,
    })
    await shop.open()
    await shop.page.click('button')
    await shop.arrived('click')
    expect(JSON.stringify(shop.posts)).not.toContain('secret')
    expect(shop.events('click').map(({ d }) => d?.selector)).toEqual(['#order>button'])
  })

  it('each depth of scrolling is told once a view', async () => {
    const shop = await stage()
    const scroll = (to: number) =>
      shop.page.evaluate(async y => {
        const scrolled = new Promise(resolve => addEventListener('scroll', resolve, { once: true }))
        scrollTo(0, y)
        await scrolled
      }, to)
    await shop.open()
    await shop.arrived('pageview')
    await scroll(300)
    await shop.arrived('scroll')
    expect(shop.events('scroll').map(({ d }) => d)).toEqual([{ depth: 25 }])
    for (const y of [9_999, 0, 9_999]) await scroll(y)
    await shop.arrived('scroll', DEPTHS.length)
    await shop.page.evaluate(() => history.pushState(null, '', 'second'))
    for (const y of [0, 9_999, 0]) await scroll(y)
    await shop.close()
    const [first, second] = [...new Set(shop.posts.map(({ body }) => body.w))]
    const depths = (view?: string) =>
      shop.posts.flatMap(({ body }) => (body.w === view ? body.e : [])).flatMap(({ n, d }) => (n === 'scroll' ? d : []))
    expect(depths(first)).toEqual(DEPTHS.map(depth => ({ depth })))
    expect(depths(second)).toEqual(DEPTHS.map(depth => ({ depth })))
    expect(shop.events('scroll')).toHaveLength(2 * DEPTHS.length)
  })
})

describe.skipIf(!browser)('delivery', () => {
  it('503 with Retry-After, then 204: events arrive once more, and nothing before the time', async () => {
    const shop = await stage()
    shop.answers.push(503)
    await shop.open()
    await vi.waitFor(() => expect(shop.posts).toHaveLength(1))
    // more than are gathered otherwise
    for (let i = 0; i < 25; i++) await shop.call('track', 'many', { i })
    await shop.arrived('many', 25)
    await shop.close()
    const [refused, ...later] = shop.posts
    for (const { at } of later) expect(at - (refused?.answeredAt ?? 0)).toBeGreaterThanOrEqual(990)
    const again = later.filter(({ body }) => body.e.some(({ n }) => n === 'pageview'))
    expect(again).toMatchObject([{ body: { w: refused?.body.w, e: [{ n: 'pageview', q: 0 }] } }])
    expect(shop.events('pageview')).toHaveLength(1)
    expect(shop.events('many').map(({ d }) => d?.i)).toEqual(Array.from({ length: 25 }, (_, i) => i))
  })

  it('413 splits a batch: each half is sent by itself, each event is taken once', async () => {
    const shop = await stage({ mode: 'required' })
    await shop.open()
    for (let i = 0; i < 4; i++) await shop.call('track', 'many', { i })
    shop.answers.push(413)
    await shop.call('grant')
    await shop.arrived('consent')
    await shop.arrived('many', 4)
    await shop.close()
    expect(shop.posts.map(({ status, body }) => [status, body.e.length])).toEqual([
      [413, 6],
      [204, 3],
      [204, 3],
    ])
    expect(
      shop
        .events()
        .map(({ q }) => q)
        .sort(),
    ).toEqual([0, 1, 2, 3, 4, 5])
    expect(new Set(shop.posts.map(({ body }) => body.w)).size).toBe(1)
  })

  for (const status of [400, 413]) {
    it(`${status} for one event is final: its callback is called once, and it is not sent again`, async () => {
      const shop = await stage()
      await shop.open()
      await shop.arrived('pageview')
      shop.answers.push(status)
      await shop.page.evaluate(() => {
        Object.assign(window, { calls: 0 })
        const callback = () => {
          ;(window as unknown as { calls: number }).calls++
        }
        ;(window.livetag as Stub)('track', 'order', { n: 1 }, { id: 'order-1', callback })
      })
      await shop.page.waitForFunction(() => (window as unknown as { calls: number }).calls > 0)
      await shop.call('track', 'after')
      await shop.arrived('after')
      expect(await shop.page.evaluate(() => (window as unknown as { calls: number }).calls)).toBe(1)
      await shop.close()
      expect(shop.posts.map(({ status, body }) => [status, body.e.map(({ n }) => n)])).toEqual([
        [204, ['pageview']],
        [status, ['order']],
        [204, ['after']],
      ])
      expect(shop.posts[1]?.body.e[0]).toMatchObject({ id: 'order-1', d: { n: 1 } })
      expect(shop.posts[1]?.body.e[0]).not.toHaveProperty('callback')
    })
  }

  it('a fetch that throws: no error in the page, and events arrive by beacon when it is closed', async () => {
    const shop = await stage({ head: '<script>fetch = () => { throw new Error("not here") }</script>' })
    await shop.open()
    await shop.call('track', 'signup')
    await shop.page.waitForFunction(() => typeof window.livetag === 'function' && 'track' in window.livetag)
    expect(shop.posts).toEqual([])
    await shop.close()
    await shop.arrived('signup')
    expect(
      shop
        .events()
        .map(({ n }) => n)
        .sort(),
    ).toEqual(['pageview', 'signup'])
    expect(shop.errors).toEqual([])
  })
})

describe.skipIf(!browser)("a page's own mistakes", () => {
  it('an old library that gives arrays a toJSON: the body is an object with a list of events', async () => {
    const shop = await stage({
      head: `<script>Array.prototype.toJSON = function () { return '[' + this.join() + ']' }
        livetag('track', 'list', { list: [1, [2]] })</script>`,
    })
    await shop.open()
    await shop.arrived('list')
    expect(Array.isArray(shop.posts[0]?.body.e)).toBe(true)
    expect(shop.events().map(({ n, d }) => [n, d])).toEqual([
      ['pageview', {}],
      ['list', { list: [1, [2]] }],
    ])
    expect(shop.errors).toEqual([])
  })

  it('a cycle, a BigInt, a function and a getter that throws: the other properties arrive', async () => {
    const shop = await stage()
    await shop.open()
    await shop.page.evaluate(() => {
      const props: Record<string, unknown> = {
        first: 1,
        big: 10n,
        nested: { big: 10n },
        fn: () => 1,
        none: undefined,
        get broken() {
          throw new Error('broken')
        },
      }
      props.self = props
      props.last = { deep: [1, null, 'two'] }
      ;(window.livetag as Stub)('track', 'odd', props)
      ;(window.livetag as Stub)('nothing', 'of', 'this')
      // changed afterwards: what was passed counts
      props.first = 2
    })
    await shop.arrived('odd')
    expect(shop.events('odd').map(({ d }) => d)).toEqual([{ first: 1, last: { deep: [1, null, 'two'] } }])
    expect(shop.errors).toEqual([])
  })

  it('null instead of properties or options is nothing, and the event arrives', async () => {
    const shop = await stage()
    await shop.open()
    await shop.call('track', 'first', null)
    await shop.call('track', 'second', null, null)
    await shop.call('track', 'third', { n: 3 }, null)
    await shop.call('track', 'last')
    await shop.arrived('last')
    await shop.close()
    expect(shop.events().map(({ n, d }) => [n, d])).toEqual([
      ['pageview', {}],
      ['first', {}],
      ['second', {}],
      ['third', { n: 3 }],
      ['last', {}],
    ])
    expect(shop.errors).toEqual([])
  })

  for (const [what, name, id] of [
    ['name', 10n, 'order-1'],
    ['id', 'order', 10n],
  ]) {
    it(`a BigInt as an event's ${what} does not take the others with it`, async () => {
      const shop = await stage()
      await shop.open()
      await shop.arrived('pageview')
      await shop.page.evaluate(
        ([name, id]) => {
          ;(window.livetag as Stub)('track', 'before')
          ;(window.livetag as Stub)('track', name, {}, { id })
          ;(window.livetag as Stub)('track', 'after')
        },
        [name, id],
      )
      await shop.close()
      expect(shop.errors).toEqual([])
      expect(shop.events().map(({ n }) => n)).toEqual(expect.arrayContaining(['pageview', 'before', 'after']))
    })
  }
})
