import { createServer, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RawEvent } from '../../collector/settle/index.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'

const CLOSINGS = 200
const NAVIGATIONS = 200
const AWAY_MS = 2_000

/** What becomes of a batch: it is passed on, refused, or passed on and its answer lost. */
type Fate = 'taken' | 'away' | 'unanswered'

const browser = await browserOrSkip()
let collector: TestCollector
let site: Server
let road: Server
let origin: string
let fate: (body: string) => Fate
let context: BrowserContext
/** answers that are not given */
const unanswered: ServerResponse[] = []

/** Between the tag and the collector. */
function listen(server: Server): Promise<string> {
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
  )
}

beforeAll(async () => {
  collector = await startCollector({ sites: [{ key: 'shop', domain: '127.0.0.1', consent: 'required' }] })
  road = createServer(async (from, to) => {
    const body = await text(from)
    const now = from.method === 'POST' ? fate(body) : 'taken'
    if (now === 'away') return void to.writeHead(503, { 'access-control-allow-origin': '*' }).end()
    const { method = 'GET', headers } = from
    const { pathname, search } = new URL(from.url ?? '/', 'http://localhost')
    const on = request(`${collector.url}${pathname}${search}`, { method, headers }, answer => {
      if (now === 'unanswered') {
        unanswered.push(to)
        return void answer.resume()
      }
      to.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(to)
    })
    on.on('error', () => to.destroy())
    on.end(body)
  })
  const stats = await listen(road)
  site = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>A page</title>
      <script>window.livetag=window.livetag||function(){(livetag.q=livetag.q||[]).push([Date.now(),...arguments])}</script>
      <script defer src="${stats}/t/shop.js"></script><script>livetag('grant')</script><p style="height:3000px">`)
  })
  origin = await listen(site)
})
beforeEach(async () => {
  fate = () => 'taken'
  if (browser) context = await browser.newContext()
})
afterEach(() => context?.close())
afterAll(async () => {
  await browser?.close()
  for (const server of [site, road]) {
    server.closeAllConnections()
    server.close()
  }
  await collector.close()
})

const open = async (path: string): Promise<Page> => {
  const page = await context.newPage()
  await page.goto(`${origin}${path}`)
  return page
}
const track = (page: Page, name: string, n: number) =>
  page.evaluate(call => (window as unknown as { livetag: (...call: unknown[]) => void }).livetag('track', ...call), [
    name,
    { n },
  ] as const)
const find = (name: string) =>
  collector.db.collection<RawEvent>('events').find({ 'meta.site': 'shop', 'meta.name': name }).toArray()
const numbers = async (name: string) =>
  (await find(name)).map(({ props }) => (props as { n: number }).n).sort((a, b) => a - b)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe.skipIf(!browser)('what the collector has not confirmed', () => {
  it(`survives ${CLOSINGS} closed tabs and ${NAVIGATIONS} navigations, the collector away for the first ${AWAY_MS} ms: 0 lost, 0 doubled`, async () => {
    const back = Date.now() + AWAY_MS
    let refused = 0
    fate = () => {
      if (Date.now() >= back) return 'taken'
      refused++
      return 'away'
    }
    for (let n = 0; n < CLOSINGS; n++) {
      const page = await open(`/closing/${n}`)
      await track(page, 'closing', n)
      await page.close({ runBeforeUnload: n % 2 === 0 })
    }
    const page = await open('/navigation/0')
    for (let n = 0; n < NAVIGATIONS; n++) {
      await track(page, 'navigation', n)
      await page.goto(`${origin}/navigation/${n + 1}`)
    }
    expect(refused).toBeGreaterThan(3)
    await vi.waitFor(
      async () => {
        expect(await numbers('closing')).toEqual(upTo(CLOSINGS))
        expect(await numbers('navigation')).toEqual(upTo(NAVIGATIONS))
        expect(await find('pageview')).toHaveLength(CLOSINGS + NAVIGATIONS + 1)
      },
      { timeout: 20_000, interval: 200 },
    )
    await page.close({ runBeforeUnload: true })
    await collector.folded()
    for (const [name, count] of [
      ['closing', CLOSINGS],
      ['navigation', NAVIGATIONS],
      ['pageview', CLOSINGS + NAVIGATIONS + 1],
    ] as const) {
      const events = await find(name)
      expect(events).toHaveLength(count)
      expect(new Set(events.map(({ id }) => id)).size).toBe(count)
    }
  }, 240_000)

  it('is taken over by one of three tabs; one is killed after its events were stored and before it heard so: each event once', async () => {
    fate = () => 'away'
    const first = await open('/three/first')
    await track(first, 'three', 0)
    await first.close({ runBeforeUnload: true })
    const killed = await open('/three/killed')
    fate = body => (/three.(first|killed)/.test(body) ? 'unanswered' : 'away')
    await track(killed, 'three', 1)
    const others = await Promise.all(['a', 'b'].map(name => open(`/three/${name}`)))
    for (const [i, tab] of others.entries()) await track(tab, 'three', i + 2)
    // The collector has stored what the first two had; neither was told so, and the others could send nothing.
    await vi.waitFor(async () => expect(await numbers('three')).toEqual([0, 1]), { timeout: 10_000 })
    const session = await context.newCDPSession(killed)
    const crashed = new Promise(resolve => killed.once('crash', resolve))
    session.send('Page.crash').catch(() => {})
    await crashed
    expect(unanswered.length).toBeGreaterThan(0)
    fate = () => 'taken'
    for (const answer of unanswered) answer.destroy()
    for (const [i, tab] of others.entries()) {
      await track(tab, 'three', i + 4)
      await tab.close({ runBeforeUnload: true })
    }
    const last = await open('/three/last')
    await track(last, 'three', 6)
    await vi.waitFor(async () => expect(await numbers('three')).toEqual(upTo(7)), { timeout: 10_000 })
    await last.close({ runBeforeUnload: true })
    await collector.folded()
    expect(await numbers('three')).toEqual(upTo(7))
  }, 60_000)

  it('stays in memory where consent does not reach as far as keeping something, and goes from the device with a withdrawal', async () => {
    fate = () => 'away'
    const page = await open('/kept')
    const kept = () => page.evaluate(() => Object.keys(localStorage))
    await track(page, 'kept', 0)
    await vi.waitFor(async () => expect(await kept()).toHaveLength(1))
    const tab = await open('/kept/too')
    await vi.waitFor(async () => expect((await kept()).length).toBeGreaterThan(0))
    await page.evaluate(() => (window as unknown as { livetag: (...call: unknown[]) => void }).livetag('deny'))
    // In the other tab, too, at once: what it had is gone, and it keeps and sends nothing from now on.
    await vi.waitFor(async () => expect(await kept()).toEqual([]))
    expect(await context.cookies()).toEqual([])
    fate = () => 'taken'
    await track(tab, 'denied', 1)
    await tab.close({ runBeforeUnload: true })
    await page.close({ runBeforeUnload: true })
    const later = await open('/kept/later')
    await track(later, 'kept', 1)
    await vi.waitFor(async () => expect(await numbers('kept')).toEqual([1]), { timeout: 10_000 })
    expect(await find('denied')).toEqual([])
  }, 30_000)
})
