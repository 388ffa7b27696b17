import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { RawEvent } from '../../collector/settle/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { idsOf } from '../fixtures/events.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({ journalBytes: 1024 * 1024 })
})
afterAll(() => it.close())

test('while the disk takes nothing, what waits is bounded: the rest is refused with 503 and a time, and nothing acknowledged is lost', async () => {
  const admin = it.client.db('admin')
  const bodies = Array.from({ length: 60 }, () => envelope(Array.from({ length: 100 }, () => ({ n: 'load' }))))
  await admin.command({ fsync: 1, lock: true })
  let answered: Promise<Response[]>
  let ready: Response
  try {
    let refused = 0
    answered = Promise.all(
      bodies.map(async one => {
        const response = await it.send(one)
        if (response.status === 503) refused++
        return response
      }),
    )
    await vi.waitFor(() => expect(refused).toBeGreaterThan(10), { timeout: 5_000 })
    ready = await fetch(`${it.url}/readyz`)
  } finally {
    await admin.command({ fsyncUnlock: 1 })
  }
  const responses = await answered
  const [taken, refused] = [200, 503].map(status => responses.filter(response => response.status === status).length)
  expect(taken).toBeGreaterThan(2)
  expect((taken ?? 0) + (refused ?? 0)).toBe(bodies.length)
  for (const { headers } of responses.filter(({ status }) => status === 503)) {
    expect(headers.get('retry-after')).toBe('2')
    expect(headers.get('x-livetag')).toBe('overloaded')
    expect(headers.get('access-control-expose-headers')).toContain('retry-after')
  }
  expect(ready.status).toBe(503)
  await it.settled()
  const stored = new Set(
    (
      await it.db
        .collection<RawEvent>('events')
        .find({}, { projection: { id: 1 } })
        .toArray()
    ).map(({ id }) => id),
  )
  responses.forEach((response, i) => {
    const ids = idsOf(bodies[i] ?? envelope())
    expect(ids.filter(id => stored.has(id))).toHaveLength(response.status === 200 ? 100 : 0)
  })
  expect((await it.send(envelope())).status).toBe(200)
})
