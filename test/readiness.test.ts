import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Collector, createCollector } from '../collector/server.ts'
import { addSite } from '../collector/sites/index.ts'
import { connect } from '../collector/store/index.ts'
import { CHROME, envelope, OWNER_KEY } from './fixtures/collector.ts'
import { startTestMongod } from './fixtures/test-mongod.ts'

let mongod: Awaited<ReturnType<typeof startTestMongod>>
let collector: Collector
let home: string
let url: string
beforeAll(async () => {
  mongod = await startTestMongod()
  home = await mkdtemp(join(tmpdir(), 'livetag-test-'))
  const options = { mongodbUri: mongod.uri, host: '127.0.0.1', port: 0, ownerKey: OWNER_KEY, home }
  collector = await createCollector({ ...options, logLevel: 'silent' }, {})
  url = (await collector.listen()).url
})
afterAll(async () => {
  await collector.close()
  await mongod.close()
  await rm(home, { recursive: true, force: true })
})

const ask = async (path: string) => {
  const asked = performance.now()
  const headers = { authorization: `Bearer ${OWNER_KEY}` }
  const response = await fetch(url + path, { headers, signal: AbortSignal.timeout(10_000) })
  const answer: unknown = await response.json()
  return { status: response.status, answer, ms: performance.now() - asked }
}

test('a mongod that is frozen: both say so within their bound, however often they are asked, and when it goes on', async () => {
  expect(await ask('/readyz')).toMatchObject({ status: 200, answer: { status: 'ready', fenced: true } })
  const known = { disk: { free: expect.any(Number), total: expect.any(Number) }, transactions: 20 }
  expect(await ask('/api/v2/doctor')).toMatchObject({ status: 200, answer: known })

  process.kill(mongod.pid ?? 0, 'SIGSTOP')
  try {
    // More than the driver has connections: each that waited by itself would take one.
    const answers = await Promise.all(Array.from({ length: 150 }, () => ask('/readyz')))
    for (const { status, answer, ms } of answers) {
      expect({ status, answer }).toEqual({
        status: 503,
        answer: { status: 'not ready', fenced: true, why: 'mongod-away' },
      })
      expect(ms).toBeLessThan(4_000)
    }
    const unknown = await ask('/api/v2/doctor')
    expect(unknown).toMatchObject({ status: 200, answer: { disk: null, transactions: null } })
    expect(unknown.ms).toBeLessThan(4_000)
  } finally {
    process.kill(mongod.pid ?? 0, 'SIGCONT')
  }
  await vi.waitFor(async () => expect((await ask('/readyz')).status).toBe(200), { timeout: 10_000, interval: 50 })
})

test('a mongod that died: ready again as soon as it is back, though nobody sent anything', async () => {
  process.kill(mongod.pid ?? 0, 'SIGKILL')
  await vi.waitFor(async () => expect(await ask('/readyz')).toMatchObject({ status: 200 }), { timeout: 20_000 })
})

test('a mongod that is frozen: a request is refused in time; sent again it is there once', async () => {
  const client = await connect(mongod.uri, { appName: 'livetag-test' })
  const events = client.db('livetag').collection('events')
  const site = { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC' } as const
  await addSite(client.db('livetag'), site)
  const body = JSON.stringify(envelope([{}, { n: 'click' }]))
  const headers = { 'content-type': 'text/plain', 'user-agent': CHROME }
  const send = (text = body) => fetch(`${url}/e`, { method: 'POST', body: text, headers })
  const first = () => send(JSON.stringify(envelope()))
  await vi.waitFor(async () => expect((await first()).status).toBe(204), { timeout: 5_000 })

  process.kill(mongod.pid ?? 0, 'SIGSTOP')
  try {
    const asked = performance.now()
    const refused = await send()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
    expect(performance.now() - asked).toBeLessThan(7_000)
  } finally {
    process.kill(mongod.pid ?? 0, 'SIGCONT')
  }
  expect((await send()).status).toBe(204)
  const stored = async () => (await events.find({ 'meta.site': 'shop' }).toArray()).length
  await vi.waitFor(async () => expect(await stored()).toBe(3), { timeout: 15_000 })
  await collector.close()
  expect(await stored()).toBe(3)
  await client.close()
})
