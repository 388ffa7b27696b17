/**
 * What the tag promises, in the other engines that are on this machine, with a real collector: silence before an answer, each signal
 * of consent, and delivery, where engines differ most: tabs that are closed, pages that are left and come back.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import ts from 'typescript'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RawEvent } from '../../collector/settle/index.ts'
import { CMPS } from '../../collector/sites/index.ts'
import type { ConsentRecord } from '../../consent/record.ts'
import type { Envelope } from '../../tag/wire.ts'
import type { Answer, Signal } from '../consent/signals.ts'
import { stubs } from '../consent/stubs.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'
import { ENGINES, engineOrSkip, type Tab, type Visitor } from '../fixtures/engines.ts'

const LEFT = 10
const DEPTHS = [25, 50, 75, 90, 100]

let collector: TestCollector
/** of pages, by path `/<site>/…`; and the way to the collector, which is of another origin */
let site: Server
let road: Server
let origin: string
let stats: string
/** all that arrived at either, `<method> <url>` */
const arrived: string[] = []
const bodies: Envelope[] = []
/** whether the collector can be reached */
let away = false

beforeAll(async () => {
  collector = await startCollector({
    sites: [
      { key: 'asks', domain: '127.0.0.1', consent: 'required', cmp: [...CMPS] },
      { key: 'open', domain: '127.0.0.1', consent: 'none' },
      { key: 'nameless', domain: '127.0.0.1', consent: 'cookieless' },
      { key: 'own', domain: '127.0.0.1', consent: 'required', cookie: 'collector' },
    ],
  })
  road = createServer(async (from, to) => {
    const { method = 'GET', headers, url = '/' } = from
    // For cookies of the collector's own a page has to be of its origin.
    if (url.startsWith('/own/')) return void to.writeHead(200, { 'content-type': 'text/html' }).end(pageOf(url))
    arrived.push(`${method} ${url}`)
    const body = await text(from)
    if (method === 'POST') {
      if (away) return void to.writeHead(503, { 'access-control-allow-origin': '*' }).end()
      bodies.push(JSON.parse(body) as Envelope)
    }
    const on = request(stats0 + url, { method, headers }, answer => {
      to.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(to)
    })
    on.on('error', () => to.destroy())
    on.end(body)
  })
  const stats0 = collector.url
  stats = await listen(road)
  site = createServer((from, to) => {
    const { method, url = '/' } = from
    arrived.push(`${method} ${url}`)
    const script = /^\/(signals|stubs)\.js$/.exec(url)?.[1]
    if (script) return void to.writeHead(200, { 'content-type': 'text/javascript' }).end(moduleOf(script))
    to.writeHead(200, { 'content-type': 'text/html' }).end(pageOf(url))
  })
  origin = await listen(site)
})
beforeEach(() => {
  away = false
  arrived.splice(0)
  bodies.splice(0)
})
afterAll(async () => {
  for (const server of [site, road]) {
    server.closeAllConnections()
    server.close()
  }
  await collector.close()
})

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A module of the consent tests, for a browser. */
const moduleOf = (name: string) =>
  ts.transpileModule(readFileSync(join(import.meta.dirname, `../consent/${name}.ts`), 'utf8'), {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  }).outputText

const BANNERS = `<script>
  window.dataLayer = []
  function gtag() { dataLayer.push(arguments) }
  gtag('consent', 'default', { analytics_storage: 'denied', wait_for_update: 500 })
  gtag('consent', 'default', { analytics_storage: 'granted', region: ['US'] })
  window.__tcfapi = (command, version, hear) => hear({ eventStatus: 'cmpuishown', gdprApplies: true, tcString: '',
    purpose: { consents: { 1: true, 8: true, 9: true } }, vendor: { consents: {} } }, true)
  window.Cookiebot = { hasResponse: false, consent: { statistics: true } }
</script>`
/** A second is ten milliseconds. */
const FAST = `<script>
  for (const name of ['setTimeout', 'setInterval']) {
    const slow = window[name]
    window[name] = (fn, ms = 0, ...args) => slow(fn, ms / 100, ...args)
  }
</script>`
const SIGNAL = `<script type=module>
  import * as signals from '/signals.js'
  import { stubs } from '/stubs.js'
  const asked = new URLSearchParams(location.search)
  const stub = stubs[asked.get('signal')]
  window.signal = stub
    ? { appear: () => stub.load(), answer: answer => stub.answer(answer) }
    : signals[asked.get('signal')]()
  if (asked.get('when') === 'before') window.signal.appear()
</script>`

const pageOf = (url: string) => {
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  return `<!doctype html><link rel=icon href="data:,"><title>${pathname}</title>
    <script>
      window.livetag=window.livetag||function(){(livetag.q=livetag.q||[]).push([Date.now(),...arguments])}
      addEventListener('pageshow', ({ persisted }) => { window.returned = persisted })
    </script>
    ${searchParams.has('fast') ? FAST : ''}${searchParams.has('banners') ? BANNERS : ''}
    ${searchParams.has('signal') ? SIGNAL : ''}
    <script defer src="${stats}/t/${pathname.split('/')[1]}.js"></script>
    <button data-lt-event=buy data-lt-size=42>Buy</button><a href="#part">Part</a><p style="height:3000px">`
}

type Calls = (...call: unknown[]) => void
const call = (tab: Tab, ...args: unknown[]) =>
  tab.run((...args: unknown[]) => (window as unknown as { livetag: Calls }).livetag(...args), ...args)

/** Raw events under this path, oldest first. */
const stored = (path: string, name?: string) =>
  collector.db
    .collection<RawEvent>('events')
    .find({ path: { $regex: `^${path}(/|$)` }, ...(name && { 'meta.name': name }) })
    .sort({ ts: 1 })
    .toArray()
const namesOf = async (path: string) => (await stored(path)).map(({ meta }) => meta.name).sort()
const until = (check: () => unknown) => vi.waitFor(check, { timeout: 15_000, interval: 50 })
const records = (view?: string) =>
  collector.db
    .collection<ConsentRecord>('consents')
    .find(view ? { view } : {})
    .sort({ decided: 1 })
    .toArray()
const said = () => bodies.flatMap(body => body.e.filter(({ n }) => n === 'consent').map(event => ({ ...event, body })))

/** What a page has kept: in cookies, storages, databases, caches, its name; and what runs without it. */
const onDevice = (tab: Tab) =>
  tab.run(async () => [
    document.cookie,
    localStorage.length,
    sessionStorage.length,
    window.name,
    (await indexedDB.databases()).length,
    (await caches.keys()).length,
    (await navigator.serviceWorker.getRegistrations()).length,
  ])
const NOTHING = ['', 0, 0, '', 0, 0, 0]
const ours = async (tab: Tab) =>
  (await tab.cookies())
    .map(({ name }) => name)
    .filter(name => /^lts?$/.test(name))
    .sort()

for (const name of ENGINES) {
  const { engine, reason } = { reason: '', ...(await engineOrSkip(name)) }

  describe.skipIf(!engine)(`${name} ${engine?.version ?? reason}`, () => {
    let visitor: Visitor
    beforeEach(async () => {
      if (engine) visitor = await engine.visitor()
    })
    afterEach(() => visitor?.close())
    afterAll(() => engine?.close())

    const open = async (path: string) => {
      const tab = await visitor.open()
      await tab.goto(path.startsWith('/') ? origin + path : path)
      return tab
    }

    it('before an answer nothing but the script is requested and nothing is kept: 5 loads, clicks, routes, scrolling, closing', async () => {
      for (let load = 0; load < 5; load++) {
        const tab = await open(`/asks/${name}/silent?banners&fast`)
        await tab.click('button')
        await tab.click('a')
        await tab.run(async () => {
          history.pushState(null, '', `${location.pathname}/shoes`)
          scrollTo(0, document.documentElement.scrollHeight)
          const { livetag } = window as unknown as { livetag: Calls }
          livetag('track', 'own', { plan: 'pro' })
          livetag('identify', 'user-7')
          livetag('flush')
          await new Promise(resolve => setTimeout(resolve, 120_000))
          history.replaceState(null, '', `${location.pathname}/hats`)
          await new Promise(resolve => setTimeout(resolve, 10_000))
        })
        expect(await onDevice(tab)).toEqual(NOTHING)
        expect(await tab.cookies()).toEqual([])
        // As the page knows it, also where something would have gone elsewhere.
        const loaded = await tab.run(() => performance.getEntriesByType('resource').map(({ name }) => name))
        expect(loaded.filter(url => !url.startsWith('data:'))).toEqual([`${stats}/t/asks.js`])
        expect(await tab.run(() => 'track' in (window as unknown as { livetag: object }).livetag)).toBe(true)
        await tab.close()
      }
      // What is sent now comes after all that the tabs could have sent.
      const last = await open(`/open/${name}/silent`)
      await until(async () => expect(await stored(`/open/${name}/silent`, 'pageview')).toHaveLength(1))
      await last.close()
      expect(new Set(arrived.filter(what => !/ \/(asks\/|open\/|t\/open)|favicon/.test(what)))).toEqual(
        new Set(['GET /t/asks.js', 'POST /e']),
      )
      expect(new Set(bodies.map(({ s }) => s))).toEqual(new Set(['open']))
      expect(await stored(`/asks/${name}/silent`)).toEqual([])
    })

    it('after a grant, what waited is stored with its own time, and the visitor is known again until a withdrawal', async () => {
      const path = `/asks/${name}/granted`
      const tab = await open(path)
      await call(tab, 'track', 'waits', { plan: 'pro' })
      await call(tab, 'identify', 'user-7')
      await tab.click('button')
      const before = await tab.run(() => new Promise<number>(resolve => setTimeout(() => resolve(Date.now()), 100)))
      expect(await onDevice(tab)).toEqual(NOTHING)
      await call(tab, 'grant', ['measure', 'identify'], 'v3')
      const names = ['buy', 'click', 'consent', 'identify', 'pageview', 'waits']
      await until(async () => expect(await namesOf(path)).toEqual(names))
      const events = await stored(path)
      for (const { meta, ts } of events) {
        if (meta.name !== 'consent') expect(+ts).toBeLessThanOrEqual(before + 20)
        else expect(+ts).toBeGreaterThanOrEqual(before - 20)
      }
      expect(events.find(({ meta }) => meta.name === 'buy')?.props).toMatchObject({ size: '42' })
      const id = (await tab.cookies()).find(({ name }) => name === 'lt')?.value
      expect(id).toMatch(/^[0-9a-z]{16}$/)
      expect(new Set(events.map(({ visitor }) => visitor))).toEqual(new Set([id]))
      expect(await ours(tab)).toEqual(['lt', 'lts'])

      await tab.goto(`${origin}${path}/next`)
      await call(tab, 'grant')
      await until(async () => expect(await stored(`${path}/next`, 'pageview')).toHaveLength(1))
      const [next] = await stored(`${path}/next`, 'pageview')
      expect(next).toMatchObject({ visitor: id, session: events[0]?.session })

      await call(tab, 'deny')
      await until(() => expect(said()).toHaveLength(3))
      expect(await ours(tab)).toEqual([])
      await call(tab, 'track', 'refused')
      await call(tab, 'flush')
      await tab.close()
      await (await open(`/open/${name}/granted`)).close()
      await until(async () => expect(await stored(`/open/${name}/granted`, 'pageview')).toHaveLength(1))
      expect(bodies.flatMap(({ e }) => e.map(({ n }) => n))).not.toContain('refused')
      await until(async () => expect(await records(said()[2]?.body.w)).toHaveLength(1))
      const [grant, , withdrawal] = said().map(({ body }) => body.w)
      expect(await records(grant)).toMatchObject([
        { visitor: id, granted: ['measure', 'identify'], signal: 'api', version: 'v3' },
      ])
      expect(await records(withdrawal)).toMatchObject([{ granted: [], signal: 'api' }])
      expect((await records(withdrawal))[0]).not.toHaveProperty('visitor')
    })

    const SIGNALS = [
      ...['gcm', 'tcf', 'gpp', 'klaro'].map(signal => [signal, signal] as const),
      ...Object.entries(stubs).map(([key, { signal }]) => [key, signal] as const),
    ]
    const answer = (tab: Tab, given: Answer) =>
      tab.run(given => (window as unknown as { signal: Signal }).signal.answer(given), given)

    it.each(SIGNALS)(
      '%s: a yes, a no and a yes again; a no and a yes; before the tag and after it',
      async (key, as) => {
        const tab = await visitor.open()
        /** cookies: an answer that is awaited still leaves those of the pages before */
        let kept: string[] = []
        for (const when of ['before', 'after']) {
          for (const answers of [
            ['pending', 'granted', 'denied', 'granted'],
            ['denied', 'pending', 'granted'],
          ] satisfies Answer[][]) {
            await tab.goto(`${origin}/asks/${name}/${key}/${when}?signal=${key}&when=${when}&fast`)
            // A page may send again what the one before did not hear to have arrived.
            const earlier = new Set(bodies.splice(0).map(({ w }) => w))
            if (when === 'after') await tab.run(() => (window as unknown as { signal: Signal }).signal.appear())
            // until it has been found
            await tab.run(() => new Promise(resolve => setTimeout(resolve, 10_000)))
            const expected: unknown[] = []
            let out = false
            let agreed: string[] | undefined
            for (const given of answers) {
              // The platforms that npm has no library of can't be asked again.
              if (given === 'pending' && key in stubs) continue
              await answer(tab, given)
              out ||= given === 'denied'
              const before = agreed
              if (given === 'pending') agreed = undefined
              // A law that asks for no consent: a no is one to sharing, and holds for the page.
              else if (key === 'gpp') agreed = out ? ['measure', 'identify'] : ['measure', 'identify', 'share']
              else agreed = given === 'granted' ? ['measure', 'identify'] : []
              const told = expected.length
              if (`${agreed}` !== `${before}`) {
                kept = agreed?.[0] ? ['lt', 'lts'] : []
                if (agreed && (agreed[0] || told > 0)) expected.push([agreed[0] ? 'g' : 'd', agreed])
              }
              const heard = () =>
                said()
                  .filter(({ body }) => !earlier.has(body.w))
                  .map(({ d, body }) => [body.c, d?.purposes])
              if (expected.length > told) await until(() => expect(heard()).toEqual(expected))
              else await tab.run(() => new Promise(resolve => setTimeout(resolve, 5_000)))
              expect(heard()).toEqual(expected)
              expect(await ours(tab)).toEqual(kept)
              if (expected.length === 0) expect(bodies).toEqual([])
            }
            for (const { d } of said()) expect(d?.signal).toBe(as)
            for (const { c, e } of bodies) if (c === 'd') expect(e.map(({ n }) => n)).toEqual(['consent'])
          }
        }
      },
    )

    it('a withdrawal acts in the other tabs of the site, too', async () => {
      const path = `/asks/${name}/tabs`
      const [first, second] = [await open(`${path}/1`), await open(`${path}/2`)]
      for (const tab of [first, second]) await call(tab, 'grant')
      await until(async () => expect(await stored(path, 'pageview')).toHaveLength(2))
      await call(first, 'deny')
      await until(async () => expect(await ours(second)).toEqual([]))
      await call(second, 'track', 'refused')
      await second.close()
      await first.close()
      await (await open(`/open/${name}/tabs`)).close()
      await until(async () => expect(await stored(`/open/${name}/tabs`, 'pageview')).toHaveLength(1))
      expect(bodies.flatMap(({ e }) => e.map(({ n }) => n))).not.toContain('refused')
    })

    it('a cookieless site names nobody and keeps nothing, under a consent it does, after it no more', async () => {
      const path = `/nameless/${name}/page`
      const tab = await open(path)
      await until(async () => expect(await stored(path, 'pageview')).toHaveLength(1))
      expect(await onDevice(tab)).toEqual(NOTHING)
      await call(tab, 'grant')
      await until(() => expect(said()).toHaveLength(1))
      expect(await ours(tab)).toEqual(['lt', 'lts'])
      await call(tab, 'deny')
      await until(() => expect(said()).toHaveLength(2))
      await call(tab, 'track', 'after')
      await until(async () => expect(await stored(path, 'after')).toHaveLength(1))
      expect(await onDevice(tab)).toEqual(NOTHING)
      const sent = bodies.filter(({ s }) => s === 'nameless')
      expect(new Set(sent.map(({ c }) => c))).toEqual(new Set(['l', 'g']))
      for (const body of sent.filter(({ c }) => c === 'l')) {
        expect(body).not.toHaveProperty('i')
        expect(body).not.toHaveProperty('k')
      }
      await tab.close()
    })

    it("the collector's own cookie: none before a consent, one that no script can read, none after a withdrawal", async () => {
      const path = `/own/${name}/page`
      const tab = await open(stats + path)
      await call(tab, 'track', 'waits')
      expect(await tab.cookies()).toEqual([])
      await call(tab, 'grant')
      await until(async () => expect(await stored(path, 'waits')).toHaveLength(1))
      const cookie = (await tab.cookies()).find(({ name }) => name === 'lt')
      expect(cookie).toMatchObject({ httpOnly: true })
      expect(await tab.run(() => document.cookie)).not.toMatch(/(^| )lt=/)
      expect((await stored(path, 'waits'))[0]?.visitor).toBe(cookie?.value)
      await call(tab, 'deny')
      await until(async () => expect(await ours(tab)).toEqual([]))
      await tab.close()
    })

    /** What each page of these has, however it is left. */
    const whole = async (path: string, name: string) => {
      const events = await stored(path)
      const counts: Record<string, number> = {}
      for (const { meta } of events) counts[meta.name] = (counts[meta.name] ?? 0) + 1
      delete counts.engagement
      expect(counts).toEqual({ pageview: LEFT, click: LEFT, buy: LEFT, scroll: LEFT * DEPTHS.length, [name]: LEFT })
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
      const numbers = (await stored(path, name)).map(({ props }) => (props as { n: number }).n)
      expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: LEFT }, (_, n) => n))
    }
    const hurry = (tab: Tab, name: string, n: number, next?: string) =>
      tab.run(
        async (name, n, next) => {
          document.querySelector('button')?.click()
          const scrolled = new Promise(resolve => addEventListener('scroll', resolve, { once: true }))
          scrollTo(0, document.documentElement.scrollHeight)
          await scrolled
          ;(window as unknown as { livetag: Calls }).livetag('track', name, { n })
          if (next) location.href = next
        },
        name,
        n,
        next ?? '',
      )

    it(`a tab that is closed at once loses nothing and doubles nothing, ${LEFT} times`, async () => {
      const path = `/open/${name}/closed`
      for (let n = 0; n < LEFT; n++) {
        const tab = await open(`${path}/${n}`)
        await hurry(tab, 'closing', n)
        await tab.close()
      }
      await until(() => whole(path, 'closing'))
      await collector.folded()
      await whole(path, 'closing')
    }, 60_000)

    it(`a page that is left at once loses nothing and doubles nothing, ${LEFT} times`, async () => {
      const path = `/open/${name}/left`
      const tab = await open(`${path}/0`)
      for (let n = 0; n < LEFT; n++) {
        const next = n + 1 < LEFT ? `${path}/${n + 1}` : `/asks/${name}/left`
        await hurry(tab, 'leaving', n, origin + next)
        await until(async () => expect(await tab.run(() => location.pathname)).toBe(next))
        await until(async () => expect(await tab.run(() => document.readyState)).toBe('complete'))
      }
      await until(() => whole(path, 'leaving'))
      await collector.folded()
      await whole(path, 'leaving')
      await tab.close()
    }, 60_000)

    it('what the collector was away for outlives its page, and is counted once', async () => {
      const path = `/open/${name}/away`
      away = true
      for (const n of [0, 1, 2]) {
        const tab = await open(`${path}/${n}`)
        await hurry(tab, 'away', n)
        await tab.close()
      }
      expect(await stored(path)).toEqual([])
      away = false
      const tab = await open(`${path}/3`)
      await until(async () => expect(await stored(path, 'away')).toHaveLength(3))
      await until(async () => expect(await stored(path, 'pageview')).toHaveLength(4))
      await until(async () => expect(await tab.run(() => Object.keys(localStorage))).toEqual([]))
      await tab.close()
      await collector.folded()
      expect(await stored(path, 'away')).toHaveLength(3)
      expect(await stored(path, 'pageview')).toHaveLength(4)
    })

    it('routes of a single-page app are views, each with its title and the one before as referrer', async () => {
      const path = `/open/${name}/app`
      const tab = await open(path)
      const views = async () => (await stored(path, 'pageview')).map(({ path, title }) => [path, title])
      const expected: unknown[] = [[path, path]]
      await until(async () => expect(await views()).toEqual(expected))
      for (const [how, route] of [
        ['pushState', '/shoes'],
        ['replaceState', '/hats'],
      ] as const) {
        await tab.run(
          (how, url) => {
            history[how](null, '', url)
            document.title = how
          },
          how,
          path + route,
        )
        expected.push([path + route, how])
        await until(async () => expect(await views()).toEqual(expected))
      }
      // no view
      await tab.run(() => {
        location.hash = 'part'
      })
      await tab.run(() => history.go(-2))
      expected.push([path, 'replaceState'])
      await until(async () => expect(await views()).toEqual(expected))
      const referrers = bodies.flatMap(({ p, e }) => (e.some(({ n }) => n === 'pageview') ? [p.r] : []))
      expect(referrers.slice(1)).toEqual([path, `${path}/shoes`, `${path}/hats`].map(path => origin + path))
      expect(new Set((await stored(path)).map(({ session }) => session)).size).toBe(1)
      await tab.close()
    })

    it('a page that comes back from the back/forward cache is a new view', async ({ skip }) => {
      const path = `/open/${name}/back`
      const tab = await open(`${path}/1`)
      await until(async () => expect(await stored(path, 'pageview')).toHaveLength(1))
      await tab.run(() => (document.title = 'kept'))
      await tab.goto(`${origin}${path}/2`)
      await until(async () => expect(await stored(path, 'pageview')).toHaveLength(2))
      await tab.run(() => void history.back())
      await until(async () => expect(await tab.run(() => location.pathname)).toBe(`${path}/1`))
      const kept = await tab.run(() => (window as unknown as { returned: boolean }).returned)
      await until(async () => expect(await stored(path, 'pageview')).toHaveLength(3))
      await call(tab, 'track', 'again')
      await until(async () => expect(await stored(path, 'again')).toHaveLength(1))
      const [first, , third] = await stored(path, 'pageview')
      const [again] = await stored(path, 'again')
      const viewOf = (event?: RawEvent) => event?.id.replace(/\.\d+$/, '')
      expect(viewOf(again)).toBe(viewOf(third))
      expect(viewOf(third)).not.toBe(viewOf(first))
      expect(third).toMatchObject({ path: `${path}/1`, session: first?.session })
      await tab.close()
      if (!kept) skip(`${name} ${engine?.version} has no back/forward cache here: the page was loaded again`)
      expect(third?.title).toBe('kept')
    })
  })
}
