import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StoredPage } from '../collector/journal/index.ts'
import { CHROME, envelope, OWNER_KEY, startCollector, type TestCollector } from './fixtures/collector.ts'

let it: TestCollector
const servers: { close(): unknown }[] = []
/** Listens with an app of somebody else's. */
async function listen(app: express.Express): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
beforeAll(async () => {
  it = await startCollector()
})
afterAll(async () => {
  for (const server of servers) server.close()
  await it.close()
})

describe.each(['', '/stats/lt'])('mounted in an Express app of one’s own at “%s”', prefix => {
  let url: string
  beforeAll(async () => {
    const app = express()
    app.set('view engine', 'theirs')
    app.use(prefix || '/', it.collector.handler)
    app.use(express.json())
    app.get('/their-page', (request, response) => void response.json({ app: request.app === app, ip: request.ip }))
    app.post(
      '/their-api',
      (request, response) => void response.json({ body: request.body, same: response.app === app }),
    )
    url = await listen(app)
  })

  test('it takes events, before any body parser', async () => {
    const one = envelope([{ n: 'mounted' }])
    const response = await fetch(`${url}${prefix}/e?debug`, {
      method: 'POST',
      body: JSON.stringify(one),
      headers: { 'content-type': 'application/json' },
    })
    expect(await response.json()).toEqual({ accepted: 1, rejected: [] })
    const found = await it.db.collection<StoredPage>('journal').findOne({ 'envelopes.events.id': `${one.w}.0` })
    expect(found?.envelopes[0]?.events[0]?.name).toBe('mounted')
  })

  test('it answers pixels, the tag, health and the API', async () => {
    const pixel = await fetch(`${url}${prefix}/p.gif?site=shop&event=mounted-pixel`, {
      headers: { 'user-agent': CHROME },
    })
    expect([pixel.headers.get('content-type'), pixel.headers.get('x-livetag')]).toEqual(['image/gif', null])
    expect((await fetch(`${url}${prefix}/t/shop.js`)).headers.get('content-type')).toContain('text/javascript')
    expect(await (await fetch(`${url}${prefix}/healthz`)).json()).toMatchObject({ product: 'livetag' })
    const sites = await fetch(`${url}${prefix}/api/v2/sites`, { headers: { authorization: `Bearer ${OWNER_KEY}` } })
    expect(await sites.json()).toMatchObject({ sites: [{ key: 'shop' }] })
    expect((await fetch(`${url}${prefix}/api/v2/sites`)).status).toBe(401)
  })

  test('its pages lead to its own pages', async () => {
    const where = async (path: string) =>
      (await fetch(`${url}${prefix}${path}`, { redirect: 'manual' })).headers.get('location')
    expect(await where('/')).toBe(`${prefix}/overview`)
    expect(await where('/live')).toBe(`${prefix}/login?next=%2Flive`)
    expect(await where(`/login?token=${await it.collector.access.newLink()}&next=/live`)).toBe(`${prefix}/live`)
    expect(await where('/login?token=used')).toBe(`${prefix}/login?error=used`)
  })

  test('what is not its own goes on to the app, as if it had never been there', async () => {
    const page = await fetch(`${url}/their-page`)
    expect(await page.json()).toEqual({ app: true, ip: expect.stringContaining('127.0.0.1') })
    expect(page.headers.has('content-security-policy')).toBe(false)
    expect(page.headers.get('x-powered-by')).toBe('Express')
    const api = await fetch(`${url}/their-api`, {
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    })
    expect(await api.json()).toEqual({ body: { a: 1 }, same: true })
    expect((await fetch(`${url}/neither`)).status).toBe(404)
  })
})

describe('by itself', () => {
  test('it is alive and ready', async () => {
    expect(await (await fetch(`${it.url}/healthz`)).json()).toEqual({ product: 'livetag', status: 'alive' })
    const ready = await fetch(`${it.url}/readyz`)
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', fenced: true }])
  })

  test.each([
    '/',
    '/overview',
    '/live',
    '/login',
    '/join',
    '/share/x',
    '/demo/',
    '/api/v2/sites',
    '/nothing',
    '/assets/nothing',
  ])('%s has the headers that keep other sites and scripts out', async path => {
    const { headers } = await fetch(it.url + path, { redirect: 'manual' })
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.has('x-powered-by')).toBe(false)
  })

  test('what is at no path is a page for people and a problem for programs', async () => {
    const [page, program, api] = await Promise.all([
      fetch(`${it.url}/nothing`, { headers: { accept: 'text/html' } }),
      fetch(`${it.url}/nothing`, { headers: { accept: 'application/json' } }),
      it.ask('/api/v2/nothing', { headers: { accept: 'text/html' } }),
    ])
    expect([page.status, page.headers.get('content-type')]).toEqual([404, expect.stringContaining('text/html')])
    for (const response of [program, api]) {
      expect(response.headers.get('content-type')).toContain('application/problem+json')
      expect(await response.json()).toMatchObject({ status: 404, code: 'not-found' })
    }
  })

  test('a path that can not be decoded is a mistake of who asks', async () => {
    expect((await fetch(`${it.url}/t/%E0%A4%A`)).status).toBe(400)
  })
})
