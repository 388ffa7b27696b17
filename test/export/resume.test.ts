import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { ObjectId } from 'mongodb'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { AT_ONCE } from '../../collector/export-api.ts'
import { type RawEvent, toRaw } from '../../collector/settle/index.ts'
import { addKey, revokeKey } from '../../collector/sites/index.ts'
import { seeded } from '../crash/seeded.ts'
import { OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { journalEvent } from '../fixtures/events.ts'
import { outcome } from '../fixtures/people.ts'
import { fromCsv, fromNdjson, fromParquet, type Line, linesOf, type Texts } from './reading.ts'

/** Other things may run on the machine, and much is read here; ms. */
vi.setConfig({ testTimeout: 120_000 })

const EVENTS = 12_000
const BEGIN = Date.parse('2026-03-10T00:00:00Z')
const QUERY = 'site_id=shop&date_range=2026-03-10,2026-03-10'
const LARGE = 'site_id=large&date_range=2026-03-10,2026-03-10'
/** Bytes of an event of the site `large`, and of all of them. */
const [SIZE, LARGE_EVENTS] = [8_000, 12_000] as const

let it: TestCollector
const random = seeded(7)
beforeAll(async () => {
  it = await startCollector({ sites: [{}, { key: 'large' }] })
  const store = (site: string, n: number, props: object) =>
    it.db.collection<RawEvent>('events').insertMany(
      Array.from({ length: n }, (_, i) => {
        // Many have their millisecond in common.
        const ts = new Date(BEGIN + Math.floor(random() * 3_000) * 20_000)
        return toRaw(journalEvent({ site, id: `e${i}`, ts, props: { ...props, i } }), new ObjectId())
      }),
      { writeConcern: { w: 'majority' } },
    )
  await store('shop', EVENTS, {})
  for (let i = 0; i < 4; i++) await store('large', LARGE_EVENTS / 4, { text: 'x'.repeat(SIZE) })
})
afterAll(() => it.close())

const text = async (query: string): Promise<string> => (await it.ask(`/api/v2/events?${query}`)).text()
const cursorOf = (line: Line | undefined): string =>
  line ? `&cursor=${encodeURIComponent(JSON.stringify([line.time, line.id, line.name]))}` : ''

/** Reads of `events` that are open in mongod, asked or not. */
const openCursors = async (): Promise<number> => {
  const operations = await it.client
    .db('admin')
    .aggregate([{ $currentOp: { idleCursors: true, allUsers: true } }])
    .toArray()
  const names = ['events', 'system.buckets.events'].map(name => `${it.db.databaseName}.${name}`)
  return operations.filter(({ ns }) => names.includes(ns)).length
}

test('a download that is cut at any place is taken up again by its last whole line', async () => {
  const whole = linesOf(await text(QUERY))
  expect(new Set(whole.map(({ id }) => id)).size).toBe(EVENTS)
  const got: Line[] = []
  let cuts = 0
  for (;;) {
    const stop = new AbortController()
    const response = await it.ask(`/api/v2/events?${QUERY}${cursorOf(got.at(-1))}`, {
      signal: stop.signal,
      headers: { 'accept-encoding': 'identity' },
    })
    expect(response.status).toBe(200)
    const most = cuts < 12 ? Math.floor(random() * 1_000_000) : Number.POSITIVE_INFINITY
    let read = ''
    try {
      const decoder = new TextDecoder()
      for await (const chunk of response.body ?? []) {
        read += decoder.decode(chunk as Uint8Array, { stream: true })
        if (read.length > most) stop.abort()
      }
    } catch {
      cuts++
      // Cut in the middle of a line, mostly.
      got.push(...linesOf(read.slice(0, Math.min(read.lastIndexOf('\n') + 1, read.length))))
      continue
    }
    got.push(...linesOf(read))
    break
  }
  expect(cuts).toBeGreaterThan(3)
  expect(got).toEqual(whole)
  await vi.waitFor(async () => expect(await openCursors()).toBe(0), { timeout: 10_000 })
})

test('in parts, each format gives the same whole, and parts have the size that was asked for', async () => {
  const whole = fromNdjson(await text(QUERY))
  const readers: Record<string, (response: Response) => Promise<Texts[]>> = {
    ndjson: async response => fromNdjson(await response.text()),
    csv: async response => fromCsv(await response.text()),
    parquet: async response => (await fromParquet(await response.arrayBuffer())).rows,
  }
  for (const [format, read] of Object.entries(readers)) {
    const parts: Texts[][] = []
    let next: string | undefined = `/api/v2/events?${QUERY}&format=${format}&limit=5000`
    while (next !== undefined) {
      const response: Response = await it.ask(next)
      parts.push(await read(response))
      next = /^<(.*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
    }
    expect(parts.flat()).toEqual(whole)
    expect(parts.length).toBe(3)
    expect(Math.max(...parts.map(part => part.length))).toBeLessThanOrEqual(5_000)
  }
  // More in one millisecond than a part has: it is a part of its own.
  const one = await it.ask(`/api/v2/events?${QUERY}&limit=1`)
  const rows = linesOf(await one.text())
  expect(rows.length).toBeGreaterThan(0)
  expect(new Set(rows.map(({ time }) => time)).size).toBe(1)
  expect(one.headers.get('link')).toContain('rel="next"')
})

/** The API on a server of one's own, whose responses can be looked at. */
async function startServer(): Promise<{ port: number; last(): ServerResponse; close(): void }> {
  let last: ServerResponse | undefined
  const server = createServer((request, response) => {
    last = response
    it.collector.handler(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    last: () => {
      if (!last) throw new Error('nobody has asked')
      return last
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
const slowly = (port: number, path: string, key = OWNER_KEY): Socket => {
  const socket = connect(port, '127.0.0.1').pause()
  socket.on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n\r\n`)
  return socket
}

test.each(['ndjson', 'csv'])('who does not read fills no memory, and gets all of %s later', async format => {
  const server = await startServer()
  const socket = slowly(server.port, `/api/v2/events?${LARGE}&format=${format}`)
  const sent = () => (server.last().socket?.bytesWritten ?? 0) + server.last().writableLength
  // What the network takes is taken, and then nothing more comes.
  let before = -1
  await vi.waitFor(
    () => {
      const [now, then] = [sent(), before]
      before = now
      expect(now).toBeGreaterThan(0)
      expect(now).toBe(then)
    },
    { timeout: 20_000, interval: 500 },
  )
  expect(server.last().writableLength).toBeLessThan(3 * 1_000 * (SIZE + 1_000))
  expect(sent()).toBeLessThan((SIZE * LARGE_EVENTS) / 2)
  expect(await openCursors()).toBe(1)
  let bytes = 0
  socket.on('data', chunk => {
    bytes += chunk.length
  })
  socket.resume()
  await once(server.last(), 'close')
  await vi.waitFor(() => expect(bytes).toBeGreaterThan(SIZE * LARGE_EVENTS), { timeout: 10_000 })
  server.close()
})

test('of one caller so many are open; who is gone leaves nothing open', async () => {
  const server = await startServer()
  const sockets: Socket[] = []
  for (let i = 0; i < AT_ONCE.caller; i++) {
    sockets.push(slowly(server.port, `/api/v2/events?${LARGE}`))
    await vi.waitFor(async () => expect(await openCursors()).toBe(i + 1), { timeout: 10_000 })
  }
  expect(await outcome(await it.ask(`/api/v2/events?${QUERY}`))).toEqual([429, 'too-many-queries'])
  expect(await outcome(await it.ask('/api/v2/stream?site_id=shop'))).toEqual([429, 'too-many-queries'])
  for (const socket of sockets) socket.destroy()
  await vi.waitFor(async () => expect(await openCursors()).toBe(0), { timeout: 10_000 })
  expect(linesOf(await text(QUERY))).toHaveLength(EVENTS)
  server.close()
})

test('whose key is revoked gets nothing more', async () => {
  const server = await startServer()
  const { key, id } = await addKey(it.db, { name: 'k', scope: 'read', sites: ['large'] })
  const socket = slowly(server.port, `/api/v2/events?${LARGE}`, key)
  await vi.waitFor(async () => expect(await openCursors()).toBe(1), { timeout: 10_000 })
  const closed = once(server.last(), 'close')
  await revokeKey(it.db, id)
  await closed
  await vi.waitFor(async () => expect(await openCursors()).toBe(0), { timeout: 10_000 })
  socket.destroy()
  server.close()
})
