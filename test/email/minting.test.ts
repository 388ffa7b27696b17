import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { type Minted, makeMailing } from './sending.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector()
})
afterAll(() => it.close())

const N = 100_000
/** Long ones, so that all together are far more than what the sockets between hold. */
const reference = (i: number): string => `customer-${i}`.padEnd(240, '-')

test('100,000 recipients go through while both sides hold little of them', { timeout: 240_000 }, async () => {
  const { id } = await makeMailing(it, { links: ['https://shop.example/'] })
  let sent = 0
  const recipients = Readable.from(
    (function* () {
      for (; sent < N; sent++) yield `{"recipient":"${reference(sent)}"}\n`
    })(),
    { highWaterMark: 16 },
  )
  const asking = request(`${it.url}/api/v2/mailings/${id}/mint?site=shop`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OWNER_KEY}` },
  })
  recipients.pipe(asking)
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  // Nobody reads: the collector stops reading, too, once what lies between is full, long before the end.
  let before = -1
  await vi.waitFor(
    () => {
      const stands = sent === before
      before = sent
      expect(stands).toBe(true)
    },
    { timeout: 60_000, interval: 2_000 },
  )
  expect(sent).toBeLessThan(N * 0.9)

  const pixels = new Set<string>()
  for await (const line of createInterface({ input: response })) {
    const { recipient, pixel } = JSON.parse(line) as Minted
    expect(recipient).toBe(reference(pixels.size))
    pixels.add(pixel)
  }
  expect(pixels.size).toBe(N)
  await vi.waitFor(async () => expect(await it.db.collection('mailings').countDocuments({ minted: N })).toBe(1))
})

test('who leaves in the middle has what was minted counted, and disturbs nobody', async () => {
  const { id } = await makeMailing(it)
  const asking = request(`${it.url}/api/v2/mailings/${id}/mint?site=shop`, {
    method: 'POST',
    headers: { authorization: `Bearer ${OWNER_KEY}` },
  })
  asking.on('error', () => {})
  asking.write('{"recipient":"a"}\n{"recipient":"b"}\n{"recip')
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  response.on('error', () => {})
  await once(response, 'data')
  asking.destroy()
  await vi.waitFor(async () => expect(await it.db.collection('mailings').countDocuments({ minted: 2 })).toBe(1), {
    timeout: 10_000,
  })
  expect((await it.ask('/api/v2/mailings?site=shop')).status).toBe(200)
})
