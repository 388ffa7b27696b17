/** What owners and editors change at a site: its settings and its API keys. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey } from '../../collector/sites/index.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'
import { newMember, outcome } from '../fixtures/people.ts'

/** Passwords take a processor half a second each, and more where others want it too. */
vi.setConfig({ testTimeout: 120_000 })

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({ sites: [{}, { key: 'blog' }], trustProxy: ['127.0.0.1'] })
})
afterAll(() => it.close())

const asOwner = async (method: string, path: string, body?: unknown) =>
  it.ask(`/api/v2${path}`, { method, body: body === undefined ? null : JSON.stringify(body) })

describe('a site', () => {
  test('is made by the owner, is there at once, and is changed by an editor', async () => {
    const site = { key: 'made', domain: 'made.example', consent: 'cookieless', timezone: 'Europe/Berlin' }
    const made = await asOwner('POST', '/sites', site)
    expect([made.status, await made.json()]).toEqual([201, { ...site, role: 'owner' }])
    expect((await asOwner('GET', '/goals?site=made')).status).toBe(200)
    expect((await fetch(`${it.url}/t/made.js`)).status).toBe(200)
    expect(await outcome(await asOwner('POST', '/sites', site))).toEqual([409, 'site-exists'])
    const editor = await newMember(it, 'made', 'editor')
    const change = (body: unknown) => editor.send('PATCH', '/api/v2/sites?site=made', body)
    expect(await (await change({ timezone: 'Asia/Tokyo' })).json()).toEqual({
      ...site,
      timezone: 'Asia/Tokyo',
      role: 'editor',
    })
    for (const [body, code] of [
      [{ timezone: 'Mars/Base' }, 'site-invalid'],
      [{ key: 'other' }, 'body-invalid'],
      [{}, 'body-invalid'],
      [{ goals: [] }, 'body-invalid'],
    ] as const)
      expect(await outcome(await change(body))).toEqual([400, code])
  })

  test.each([
    [{ key: '_doctor' }, 'site-invalid'],
    [{ key: '../x' }, 'site-invalid'],
    [{ domain: 'https://x/' }, 'site-invalid'],
    [{ consent: 'maybe' }, 'body-invalid'],
    [{ internal: true }, 'body-invalid'],
  ])('with %j is refused', async (change, code) => {
    const site = { key: 'wrong', domain: 'wrong.example', consent: 'none', timezone: 'UTC', ...change }
    expect(await outcome(await asOwner('POST', '/sites', site))).toEqual([400, code])
  })
})

describe('API keys of a site', () => {
  test('are made by its owner, shown whole once, and revoked at once', async () => {
    const owner = await newMember(it, 'shop', 'owner')
    const made = await owner.send('POST', '/api/v2/keys?site=shop', { name: 'reports', scope: 'read' })
    const { key, start, ...rest } = (await made.json()) as { key: string; start: string }
    expect([made.status, rest]).toEqual([201, { name: 'reports', scope: 'read', createdAt: expect.any(String) }])
    const ask = () => fetch(`${it.url}/api/v2/stats?site=shop`, { headers: { authorization: `Bearer ${key}` } })
    expect((await ask()).status).toBe(200)
    const listed = await (await owner.get('/api/v2/keys?site=shop')).text()
    expect(listed).toContain(start)
    expect(listed).not.toContain(key)
    expect((await owner.send('DELETE', `/api/v2/keys?site=shop&start=${start}`)).status).toBe(204)
    expect((await ask()).status).toBe(401)
    expect(await outcome(await owner.send('DELETE', `/api/v2/keys?site=shop&start=${start}`))).toEqual([
      404,
      'key-unknown',
    ])
  })

  test('that are for other sites too are neither seen nor revoked by the owner of one', async () => {
    const owner = await newMember(it, 'shop', 'owner')
    for (const sites of [['shop', 'blog'], ['blog'], ['*']]) {
      const { key } = await addKey(it.db, { name: 'of others', scope: 'read', sites })
      const start = key.slice(0, 8)
      expect(await (await owner.get('/api/v2/keys?site=shop')).text()).not.toContain(start)
      expect(await outcome(await owner.send('DELETE', `/api/v2/keys?site=shop&start=${start}`))).toEqual([
        404,
        'key-unknown',
      ])
      expect((await fetch(`${it.url}/api/v2/sites`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(200)
    }
  })

  test.each([
    [{ name: '', scope: 'read' }, 'key-invalid'],
    [{ name: 'x', scope: 'all' }, 'body-invalid'],
    [{ name: 'x', scope: 'read', sites: ['blog'] }, 'body-invalid'],
  ])('as %j are refused', async (body, code) => {
    expect(await outcome(await asOwner('POST', '/keys?site=shop', body))).toEqual([400, code])
  })
})
