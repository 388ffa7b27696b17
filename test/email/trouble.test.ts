import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startListening } from '../../collector/cli/lead-on.ts'
import type { Mailing } from '../../collector/email/index.ts'
import type { StoredPage } from '../../collector/journal/index.ts'
import { type Collector, createCollector } from '../../collector/server.ts'
import { addSite } from '../../collector/sites/index.ts'
import { CHROME, OWNER_KEY } from '../fixtures/collector.ts'
import { startTestMongod } from '../fixtures/test-mongod.ts'
import { LINKS, type Minted } from './sending.ts'

let mongod: Awaited<ReturnType<typeof startTestMongod>>
let client: MongoClient
let home: string
let collector: Collector
let url: string
let mailing: Mailing
let minted: Minted
const options = () => ({ mongodbUri: mongod.uri, host: '127.0.0.1', ownerKey: OWNER_KEY, home, logLevel: 'silent' })
const api = (path: string, body?: unknown) =>
  fetch(`${url}/api/v2/mailings${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${OWNER_KEY}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
/** Asks, and says how long that took, in lengths of half a second as a timer on this machine measures it at that moment. */
const visit = async (path: string) => {
  const asked = performance.now()
  const since = () => performance.now() - asked
  const half = pause(500).then(since)
  const response = await fetch(url + path, { redirect: 'manual', headers: { 'user-agent': CHROME } })
  await response.arrayBuffer()
  const ms = since()
  return { response, halves: ms / (await half), reason: response.headers.get('x-livetag') }
}
const expectLedOn = ({ response, halves }: Awaited<ReturnType<typeof visit>>) => {
  expect([response.status, response.headers.get('location')]).toEqual([302, LINKS[0]])
  expect(halves).toBeLessThan(2)
}
const freeze = () => process.kill(mongod.pid ?? 0, 'SIGSTOP')
const thaw = () => process.kill(mongod.pid ?? 0, 'SIGCONT')
const uncounted = async () => ((await (await api(`/${mailing.id}?site=shop`)).json()) as Mailing).uncounted
const clicks = () =>
  client.db('livetag').collection<StoredPage>('journal').countDocuments({ 'envelopes.events.name': 'email_click' })

beforeAll(async () => {
  mongod = await startTestMongod()
  home = await mkdtemp(join(tmpdir(), 'livetag-test-'))
  client = await MongoClient.connect(mongod.uri)
  await addSite(client.db('livetag'), { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC' })
  collector = await createCollector({ ...options(), port: 0 }, {})
  url = (await collector.listen()).url
  mailing = (await (await api('?site=shop', { name: 'March', policy: 'measure', links: LINKS })).json()) as Mailing
  minted = (await (await api(`/${mailing.id}/mint?site=shop`, { recipient: 'anna' })).json()) as Minted
})
afterAll(async () => {
  thaw()
  await collector.close()
  await client.close()
  await mongod.close()
  await rm(home, { recursive: true, force: true })
})

test('a click while mongod is frozen leads on within a second, and counts when that is over', async () => {
  freeze()
  const clicked = await visit(minted.links[0] ?? '').finally(thaw)
  expectLedOn(clicked)
  expect(clicked.reason).toBe('overloaded')
  await vi.waitFor(async () => expect(await clicks()).toBe(1), { timeout: 20_000, interval: 50 })
  expect(await uncounted()).toEqual({ opens: 0, clicks: 0 })
})

test('a collector that starts without a database leads on, and says later what it could not count', {
  timeout: 120_000,
}, async () => {
  await collector.close()
  freeze()
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  const starting = startListening({ ...options(), port })
  try {
    await vi.waitFor(() => fetch(url), { timeout: 10_000, interval: 50 })
    const clicked = await visit(minted.links[0] ?? '')
    expectLedOn(clicked)
    expect(clicked.reason).toBe('overloaded')
    const opened = await visit(minted.pixel)
    expect([opened.response.status, opened.response.headers.get('content-type')]).toEqual([200, 'image/gif'])
    expect(opened.reason).toBe('overloaded')
    const forged = `/l/${minted.links[0]?.slice(4)}A`
    expect((await visit(forged)).response.status).toBe(404)
    const other = await visit('/readyz')
    expect([other.response.status, other.response.headers.get('retry-after')]).toEqual([503, '2'])
  } finally {
    thaw()
  }
  const started = await starting
  collector = started.collector
  expect(started.url).toBe(url)
  await vi.waitFor(async () => expect(await uncounted()).toEqual({ opens: 1, clicks: 1 }), {
    timeout: 15_000,
    interval: 100,
  })
  expect(await clicks()).toBe(1)
  const after = await visit(minted.links[0] ?? '')
  expectLedOn(after)
  expect(after.reason).toBeNull()
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
