import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { startSse } from '../../collector/live/index.ts'
import { recount } from '../crash/recount.ts'
import { envelope, OWNER_KEY, startCollector } from '../fixtures/collector.ts'
import { countersOf, type Message, openStream } from '../fixtures/sse.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A response of server-sent events, and the socket of who asked for it and has not read yet. */
async function oneViewer(refresh: () => void, heartbeatMs?: number) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = ask((server.address() as AddressInfo).port, '/')
  ends.push(
    () => server.close(),
    () => socket.destroy(),
  )
  const [, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse]
  return { response, viewer: startSse(response, refresh, heartbeatMs), socket }
}

function ask(port: number, path: string): Socket {
  const socket = connect(port, '127.0.0.1').pause()
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${OWNER_KEY}\r\n\r\n`)
  return socket
}

test('a viewer that does not read holds 256 KB and one message at most; what it missed is in a snapshot', async () => {
  let sent = 0
  const { response, viewer, socket } = await oneViewer(() => viewer.send('snapshot', `room.${sent - 1}`, `${sent}`))
  const message = 'x'.repeat(64 * 1024)
  let most = 0
  for (; sent < 1_000; sent++) {
    viewer.send('tick', `room.${sent}`, message)
    most = Math.max(most, response.writableLength)
    await new Promise(setImmediate)
  }
  expect(most).toBeGreaterThan(256 * 1024)
  expect(most).toBeLessThan(256 * 1024 + 2 * message.length)

  const text = reading(socket)
  await vi.waitFor(() => expect(messagesOf(text()).at(-1)).toMatchObject({ event: 'snapshot', data: '1000' }), {
    timeout: 5_000,
  })
  let next = 0
  for (const { event, id, data } of messagesOf(text())) {
    if (event === 'tick') expect(id).toBe(`room.${next++}`)
    else next = Number(data)
  }
  expect(messagesOf(text()).length).toBeLessThan(500)
})

test('one large message is no reason to send it again', async () => {
  const refreshed = vi.fn()
  const { viewer, socket } = await oneViewer(refreshed)
  viewer.send('snapshot', 'room.1', 'x'.repeat(20 * 1024 * 1024))
  const text = reading(socket)
  await vi.waitFor(() => expect(text().length).toBeGreaterThan(20 * 1024 * 1024), { timeout: 10_000 })
  viewer.send('tick', 'room.2', 'the next')
  await vi.waitFor(() => expect(text().length).toBeGreaterThan(20 * 1024 * 1024 + 20))
  expect(refreshed).not.toHaveBeenCalled()
})

test('a comment keeps the line while nothing happens, and stops with it', async () => {
  const { viewer, response, socket } = await oneViewer(() => {}, 10)
  const text = reading(socket)
  await vi.waitFor(() => expect(text().match(/^: still here$/gm)?.length).toBeGreaterThan(2))
  expect(text()).toContain('retry: 1000\n\n')
  expect(text()).not.toMatch(/^(event|data|id):/m)
  viewer.end()
  viewer.send('tick', 'room.1', 'late')
  await once(response, 'close')
  expect(text()).not.toContain('late')
})

test('a viewer of a collector that stops reading under load gets a snapshot when it reads again, and is exact', async () => {
  const it = await startCollector()
  ends.push(() => it.close())
  const socket = ask(Number(new URL(it.url).port), '/api/v2/live?site=shop')
  ends.push(() => socket.destroy())
  const steady = await openStream(`${it.url}/api/v2/live?site=shop`, { authorization: `Bearer ${OWNER_KEY}` })
  await vi.waitFor(() => expect(steady.messages).toHaveLength(1))
  const d = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, 'x'.repeat(2_000)]))
  const bodies = () => Array.from({ length: 4 }, () => envelope([{ d }]))
  const sizes = () => steady.messages.reduce((sum, { data }) => sum + data.length, 0)
  let sent = 0
  while (sizes() < 8 * 1024 * 1024) {
    await Promise.all(bodies().map(body => it.deliver(body)))
    sent += 4
  }
  const text = reading(socket)
  const snapshots = () => messagesOf(text()).filter(({ event }) => event === 'snapshot')
  await vi.waitFor(() => expect(snapshots()).toHaveLength(2), { timeout: 10_000 })
  await it.deliver(envelope([{ n: 'last' }]))
  await it.settled()
  const { total } = await recount(it.db, 'shop')
  expect(total.events).toBe(sent + 1)
  await vi.waitFor(() => {
    const counters = countersOf(messagesOf(text()))
    const events = [...counters].filter(([key]) => key.startsWith('total')).reduce((sum, [, [n]]) => sum + n, 0)
    expect(events).toBe(total.events)
  })
  expect(messagesOf(text()).length).toBeLessThan(steady.messages.length)
  steady.leave()
})

test('a change stream that can not go on is opened anew, and everybody gets a snapshot of what is there', async () => {
  const it = await startCollector()
  ends.push(() => it.close())
  const stream = await openStream(`${it.url}/api/v2/live?site=shop`, { authorization: `Bearer ${OWNER_KEY}` })
  ends.push(() => stream.leave())
  await it.deliver(envelope([{}, {}]))
  await it.folded()
  await it.db.collection('journal').drop()
  await it.deliver(envelope([{}]))
  await vi.waitFor(() => expect(stream.messages.filter(({ event }) => event === 'snapshot')).toHaveLength(2), {
    timeout: 5_000,
  })
  await it.deliver(envelope([{}]))
  await vi.waitFor(() => {
    const counters = [...stream.counters()].filter(([key]) => key.startsWith('total'))
    expect(counters.reduce((sum, [, [events]]) => sum + events, 0)).toBe(4)
  })
})

/** Begins to read; gives the text so far. */
function reading(socket: Socket): () => string {
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  socket.resume()
  return () => text
}

/** The messages in a response as it came over the socket; chunk sizes of HTTP may stand between them. */
function messagesOf(text: string): Message[] {
  const body = text.replace(/\r\n[0-9a-f]+\r\n/g, '')
  return [...body.matchAll(/event: (\w+)\nid: (\S+)\ndata: (.*)\n\n/g)].map(([, event = '', id = '', data = '']) => ({
    event,
    id,
    data,
  }))
}
