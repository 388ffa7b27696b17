import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey, addSite, KeyError, listKeys, revokeKey, type Scope } from '../../collector/sites/index.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'

const START = Date.now()
let now = START
let it: TestCollector
beforeAll(async () => {
  it = await startCollector({ sites: [{}, { key: 'blog' }], clock: () => now })
})
afterAll(() => it.close())

const ask = (path: string, key: string, init: RequestInit = {}) =>
  fetch(`${it.url}/api/v2${path}`, { ...init, headers: { authorization: `Bearer ${key}` } })
const newKey = async (sites: string[], scope: Scope = 'read', name = 'a test') =>
  (await addKey(it.db, { name, scope, sites })).key
const outcome = async (response: Response) => [response.status, ((await response.json()) as { code?: string }).code]

describe('a key with the scope read', () => {
  test('reads its own sites, and of others does not even learn that they exist', async () => {
    const key = await newKey(['shop'])
    expect((await ask('/stats?site=shop', key)).status).toBe(200)
    const { sites } = (await (await ask('/sites', key)).json()) as { sites: { key: string }[] }
    expect(sites.map(site => site.key)).toEqual(['shop'])
    for (const path of ['/stats', '/live'])
      for (const site of ['blog', 'none', '_doctor'])
        expect(await outcome(await ask(`${path}?site=${site}`, key))).toEqual([404, 'site-unknown'])
  })

  test('of all sites reads those that are made later, too', async () => {
    const key = await newKey(['*'])
    await addSite(it.db, { key: 'later', domain: 'later.example', consent: 'none', timezone: 'UTC' })
    await vi.waitFor(async () => expect((await ask('/stats?site=later', key)).status).toBe(200), 2_000)
  })

  test('makes no link that signs in, and asks nothing of the doctor', async () => {
    for (const scope of ['read', 'admin'] as const) {
      const key = await newKey(['*'], scope)
      expect(await outcome(await ask('/login-links', key, { method: 'POST' }))).toEqual([403, 'not-allowed'])
      expect(await outcome(await ask('/doctor/x', key))).toEqual([403, 'not-allowed'])
    }
  })
})

test('a key with the scope write reads nothing, one with admin does', async () => {
  expect(await outcome(await ask('/stats?site=shop', await newKey(['shop'], 'write')))).toEqual([403, 'not-allowed'])
  expect((await ask('/stats?site=shop', await newKey(['shop'], 'admin'))).status).toBe(200)
})

test('a key is nowhere in the database, and what stands there opens nothing', async () => {
  const key = await newKey(['shop'])
  const document = await it.db.collection('keys').findOne({ start: key.slice(0, 8) })
  expect(JSON.stringify(document)).not.toContain(key.slice(8))
  for (const text of [String(document?._id), key.slice(0, 8), `${key}x`, key.slice(0, -1), 'lt_', ''])
    expect((await ask('/sites', text)).status).toBe(401)
})

test('a revoked key is worthless after a second', async () => {
  const key = await newKey(['shop'])
  expect((await ask('/sites', key)).status).toBe(200)
  await revokeKey(it.db, key.slice(0, 8))
  now += 1_000
  expect((await ask('/sites', key)).status).toBe(401)
})

test('its last use is kept to the minute, and written once a minute', async () => {
  const key = await newKey(['shop'], 'read', 'used')
  const used = async () => (await listKeys(it.db)).find(({ name }) => name === 'used')?.usedAt
  expect(await used()).toBeUndefined()
  await ask('/sites', key)
  expect(+((await used()) ?? 0)).toBe(now - (now % 60_000))
  now += 5 * 60_000
  await ask('/sites', key)
  expect(+((await used()) ?? 0)).toBe(now - (now % 60_000))
})

test('thousands of wrong keys are refused, and a right one among them works', async () => {
  const key = await newKey(['shop'])
  const tries = Array.from({ length: 1_500 }, (_, i) => `lt_${String(i).padStart(32, 'x')}`)
  const statuses = new Set<number>()
  for (let i = 0; i < tries.length; i += 50)
    for (const { status } of await Promise.all(tries.slice(i, i + 50).map(text => ask('/sites', text))))
      statuses.add(status)
  expect([...statuses]).toEqual([401])
  expect((await ask('/sites', key)).status).toBe(200)
})

test('what is wrong with a key that is asked for is said all at once', async () => {
  const wrong = addKey(it.db, { name: '', scope: 'all' as Scope, sites: ['none', '_doctor'] })
  const error: unknown = await wrong.catch(reason => reason)
  expect(error).toBeInstanceOf(KeyError)
  expect((error as KeyError).message.split('\n')).toHaveLength(4)
  await expect(addKey(it.db, { name: 'x', scope: 'read', sites: [] })).rejects.toBeInstanceOf(KeyError)
})

test('what begins no key, or too little of one, revokes none', async () => {
  await newKey(['shop'])
  const before = await listKeys(it.db)
  for (const start of ['', 'lt_', 'lt_!!!!!']) await expect(revokeKey(it.db, start)).rejects.toBeInstanceOf(KeyError)
  expect(await listKeys(it.db)).toEqual(before)
})
