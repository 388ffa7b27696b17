import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { LiveSnapshot, LiveTick } from '../../collector/live/messages.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { openStream } from '../fixtures/sse.ts'

const key = { authorization: `Bearer ${OWNER_KEY}` }
let it: TestCollector
beforeAll(async () => {
  it = await startCollector({ sites: [{}, { key: 'empty' }, { key: 'asks', consent: 'required' }] })
})
afterAll(() => it.close())

const live = (site: string, headers: Record<string, string> = key) =>
  openStream(`${it.url}/api/v2/live?site=${site}`, headers)

test('a stream begins with a snapshot; events come as ticks, with their exact counters', async () => {
  await it.deliver(envelope([{}], { i: 'before', k: 'before' }))
  await it.settled()
  const stream = await live('shop')
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(stream.response.headers.get('cache-control')).toBe('no-store, no-transform')
  await vi.waitFor(() => expect(stream.messages).toHaveLength(1))
  const snapshot = JSON.parse(stream.messages[0]?.data ?? '') as LiveSnapshot
  expect(snapshot).toMatchObject({
    site: { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC' },
    active: 1,
    everSeen: true,
    recent: [
      { name: 'pageview', path: '/shoes', host: 'shop.example', title: 'Shoes', browser: 'Chrome', device: 'desktop' },
    ],
  })
  const [pageview] = snapshot.deltas.filter(([, dim]) => dim === 'page')
  expect(pageview?.slice(1)).toEqual(['page', '/shoes', 1, 1])

  await it.deliver(envelope([{}, { n: 'buy', d: { price: 5 } }], { i: 'second', k: 'second' }))
  await it.settled()
  const ticks = () => stream.messages.slice(1).map(({ data }) => JSON.parse(data) as LiveTick)
  await vi.waitFor(() => {
    expect(ticks().flatMap(({ events }) => events.map(({ name }) => name))).toEqual(['pageview', 'buy'])
    expect(ticks().flatMap(({ deltas }) => deltas.filter(([, dim]) => dim === 'total'))).toEqual([
      [expect.any(Number), 'total', '', 2, 1],
    ])
  })
  expect(ticks().at(-1)?.active).toBe(2)
  expect(ticks().flatMap(({ events }) => events)[1]?.properties).toEqual({ price: 5 })
  stream.leave()
})

test('no message names a visitor or a session, nor holds an address', async () => {
  const stream = await live('shop')
  const secret = { i: 'visitor-8e51f2', k: 'session-77ad03' }
  await it.send(envelope([{}, { n: 'click' }], secret), { 'x-forwarded-for': '203.0.113.77' })
  await it.settled()
  await vi.waitFor(() => expect(stream.text()).toMatch(/"name","click",1/))
  const again = await live('shop')
  await vi.waitFor(() => expect(again.messages.length).toBeGreaterThan(0))
  for (const text of [stream.text(), again.text()]) {
    expect(text).toContain('click')
    for (const word of [secret.i, secret.k, '203.0.113', '127.0.0.1', 'visitor"', 'session"'])
      expect(text).not.toContain(word)
  }
  stream.leave()
  again.leave()
})

test('events of one site are not seen at another, and one that is new has seen none', async () => {
  const stream = await live('empty')
  await vi.waitFor(() => expect(stream.messages).toHaveLength(1))
  await it.deliver(envelope([{ n: 'elsewhere' }]))
  await it.deliver(envelope([{ n: 'here' }], { s: 'empty' }))
  await it.settled()
  await vi.waitFor(() => expect(stream.text()).toContain('here'))
  expect(JSON.parse(stream.messages[0]?.data ?? '')).toMatchObject({
    everSeen: false,
    active: 0,
    recent: [],
    deltas: [],
    seconds: [],
  })
  expect(stream.text()).not.toContain('elsewhere')
  stream.leave()
})

test('what is refused is not shown', async () => {
  const stream = await live('asks')
  await it.send(envelope([{ n: 'without-consent' }], { s: 'asks' }))
  await it.deliver(envelope([{ n: '' }, { n: 'with-consent' }], { s: 'asks', c: 'g' }))
  await vi.waitFor(() => expect(stream.text()).toContain('with-consent'))
  expect(stream.text()).not.toContain('without-consent')
  stream.leave()
})

test.each<[string, string, Record<string, string>, number, string]>([
  ['without a key', '?site=shop', {}, 401, 'not-signed-in'],
  ['with a wrong key', '?site=shop', { authorization: 'Bearer the-owner-key-of-a-tesu' }, 401, 'not-signed-in'],
  ['with the key and another scheme', '?site=shop', { authorization: `Basic ${OWNER_KEY}` }, 401, 'not-signed-in'],
  ['for an unknown site', '?site=nobody', key, 404, 'site-unknown'],
  ['for no site', '', key, 400, 'parameter-invalid'],
  ['for two sites', '?site=shop&site=asks', key, 400, 'parameter-invalid'],
])('%s nothing is streamed', async (_name, query, headers, status, code) => {
  const response = await fetch(`${it.url}/api/v2/live${query}`, { headers })
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  expect(await response.json()).toMatchObject({ status, code })
})

test('closing the collector ends the streams', async () => {
  const own = await startCollector()
  const stream = await openStream(`${own.url}/api/v2/live?site=shop`, key)
  await vi.waitFor(() => expect(stream.messages).not.toHaveLength(0))
  await own.close()
  await stream.ended
  expect(stream.messages.filter(({ event }) => event === 'snapshot')).toHaveLength(1)
})
