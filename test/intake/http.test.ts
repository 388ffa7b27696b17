import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventsOf, type StoredPage } from '../../collector/journal/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

let it: TestCollector
let now = Date.now()
beforeAll(async () => {
  it = await startCollector({ clock: () => now })
})
afterAll(() => it.close())

const post = (body: BodyInit, query = '', init: RequestInit = {}) =>
  fetch(`${it.url}/e${query}`, { method: 'POST', body, ...init })
const eventOf = async (id: string) => {
  const page = await it.db.collection<StoredPage>('journal').findOne({ 'envelopes.events.id': id })
  return eventsOf(page?.envelopes ?? []).find(event => event.id === id)
}

test('what is taken is answered with an empty 204, readable from every origin', async () => {
  const response = await post(JSON.stringify(envelope()))
  expect(response.status).toBe(204)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(response.headers.get('access-control-expose-headers')).toBe('retry-after, x-livetag')
  expect(response.headers.has('x-livetag')).toBe(false)
  expect(response.headers.has('set-cookie')).toBe(false)
  expect(await response.text()).toBe('')
})

test('the reasons of refused events are in x-livetag, each once', async () => {
  const events = [{ n: '' }, { n: '' }, { n: 'ok' }, { t: 8 * 86_400_000 }]
  const response = await post(JSON.stringify(envelope(events)))
  expect([response.status, response.headers.get('x-livetag')]).toEqual([204, 'name-invalid, too-late'])
})

test.each(['?debug', '?debug=1', '?a=b&debug'])('/e%s tells what became of each event', async query => {
  const response = await post(JSON.stringify(envelope([{}, { n: '' }])), query)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  const { accepted, rejected } = await response.json()
  expect(accepted).toBe(1)
  expect(rejected).toEqual([{ q: 1, reason: 'name-invalid', detail: expect.any(String) }])
})

test.each(['', '?debugger', '?nodebug'])('/e%s tells nothing', async query => {
  expect((await post(JSON.stringify(envelope()), query)).status).toBe(204)
})

test('a detail never repeats what the visitor sent', async () => {
  const secret = 'jane.doe@mail.example'
  const one = envelope([
    { n: secret.repeat(10) },
    { id: secret.repeat(10) },
    { d: { [secret]: 1 } },
    { d: { a: `${secret}\0` } },
  ])
  const wrong = { ...envelope(), w: secret, c: secret, i: secret }
  for (const body of [one, wrong]) {
    const text = await (await post(JSON.stringify(body), '?debug')).text()
    expect(text).toContain('reason')
    expect(text).not.toContain(secret)
  }
})

test('a preflight is answered, for those who send another content type', async () => {
  const response = await fetch(`${it.url}/e`, { method: 'OPTIONS' })
  expect(response.status).toBe(204)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  expect(response.headers.get('access-control-allow-methods')).toBe('POST')
  expect(response.headers.get('access-control-allow-headers')).toBe('content-type')
})

test.each(['GET', 'HEAD', 'PUT', 'DELETE'])('%s /e is not allowed', async method => {
  const response = await fetch(`${it.url}/e`, { method })
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')).toBe('POST, OPTIONS')
  expect(response.headers.get('x-livetag')).toBe('method-not-allowed')
})

test('a body of 65,536 bytes is read, one more is 413', async () => {
  const text = JSON.stringify(envelope())
  expect((await post(text.padEnd(65_536))).status).toBe(204)
  const response = await post(text.padEnd(65_537))
  expect([response.status, response.headers.get('x-livetag')]).toEqual([413, 'body-too-large'])
})

test('1 MB is answered 413 while it is sent, each time, with or without a length', async () => {
  const mega = new Uint8Array(1024 * 1024).fill(32)
  const chunked = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < mega.length; at += 8_192) controller.enqueue(mega.subarray(at, at + 8_192))
        controller.close()
      },
    })
  for (let i = 0; i < 20; i++) {
    const responses = await Promise.all([post(mega), post(chunked(), '', { duplex: 'half' } as RequestInit)])
    expect(responses.map(({ status }) => status)).toEqual([413, 413])
  }
})

test('a gzipped body is no JSON', async () => {
  const body = new Uint8Array(gzipSync(JSON.stringify(envelope())))
  const response = await post(body, '', { headers: { 'content-encoding': 'gzip' } })
  expect([response.status, response.headers.get('x-livetag')]).toEqual([400, 'json-invalid'])
})

test('bytes that are not UTF-8 are replaced, the event is kept', async () => {
  const one = envelope([{ d: { text: 'caf?' } }])
  const bytes = new Uint8Array(Buffer.from(JSON.stringify(one)))
  bytes[bytes.lastIndexOf('?'.charCodeAt(0))] = 0xe9
  expect((await post(bytes)).status).toBe(204)
  expect((await eventOf(`${one.w}.0`))?.props).toEqual({ text: 'caf\ufffd' })
})

test('a title and a URL that can not be stored are mended: they do not cost the page view', async () => {
  const one = envelope([{}], {
    p: { u: `https://shop.example/\ud800?utm_source=a%00b`, ti: `a\0\udc00${'t'.repeat(400)}`, r: '\0' },
  })
  expect((await post(JSON.stringify(one))).status).toBe(204)
  const event = await eventOf(`${one.w}.0`)
  expect(event).toMatchObject({ path: '/%EF%BF%BD', source: 'ab', title: `a\ufffd${'t'.repeat(297)}` })
})

test('the worst body that is taken makes a page that can be stored', async () => {
  const wide = '\u4e00'.repeat(2_048)
  const p = {
    u: `https://${'ü'.repeat(700)}.example/${wide}?utm_source=${wide}`,
    r: `https://other.example/${wide}`,
    ti: wide,
  }
  const events = Array.from({ length: 500 }, () => ({ n: 'n' }))
  const one = envelope(events, { p })
  expect((await post(JSON.stringify(one))).status).toBe(204)
  await it.settled()
  expect(await it.db.collection('events').countDocuments({ id: { $gt: `${one.w}.`, $lt: `${one.w}/` } })).toBe(500)
})

test('names, keys and texts of every script are kept as they are', async () => {
  const one = envelope([{ n: '購入 🛒', d: { größe: 'عربى', '👩‍👩‍👧': [true, null, { ключ: 1.5 }] } }])
  expect((await post(JSON.stringify(one))).status).toBe(204)
  expect(await eventOf(`${one.w}.0`)).toMatchObject({
    name: '購入 🛒',
    props: { größe: 'عربى', '👩‍👩‍👧': [true, null, { ключ: 1.5 }] },
  })
})

test('keys that every object has are only keys', async () => {
  const one = envelope([
    { d: { constructor: 'a', toString: 'b', hasOwnProperty: { prototype: 1 }, toJSON: 1, toBSON: 2, length: 3 } },
  ])
  expect((await post(JSON.stringify(one))).status).toBe(204)
  expect((await eventOf(`${one.w}.0`))?.props).toEqual(one.e[0]?.d)
  expect({}).not.toHaveProperty('polluted')
})

test.each([
  ['a device clock that is 40 years behind', -40 * 365 * 86_400_000, 1_000, -1_000],
  ['a device clock that is in the year 9999', 8_000 * 365 * 86_400_000, 1_000, -1_000],
  ['an event 7 days before', 0, 7 * 86_400_000, -7 * 86_400_000],
  ['an event from the future, which is set to the receipt', 0, -3_600_000, 0],
])('%s', async (_name, clock, age, expected) => {
  now = Date.parse('2026-03-01T12:00:00.500Z')
  const one = envelope([{ t: age }], { t: now + clock })
  expect((await post(JSON.stringify(one))).status).toBe(204)
  expect((await eventOf(`${one.w}.0`))?.ts).toEqual(new Date(now + expected))
})

test('an upload that ends in the middle leaves nothing and takes nothing with it', async () => {
  const socket: Socket = connect(Number(new URL(it.url).port), '127.0.0.1')
  const one = envelope()
  socket.write(`POST /e HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n${JSON.stringify(one)}`)
  await once(socket, 'connect')
  await vi.waitFor(() => expect(socket.bytesWritten).toBeGreaterThan(100))
  socket.destroy()
  const next = envelope()
  expect((await post(JSON.stringify(next))).status).toBe(204)
  expect(await eventOf(`${one.w}.0`)).toBeUndefined()
  expect(await eventOf(`${next.w}.0`)).toBeDefined()
})

test('all of it is settled, and nothing was parked', async () => {
  await it.settled()
  expect(await it.db.collection('parked').countDocuments()).toBe(0)
})
