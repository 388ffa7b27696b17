import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { EVENT_COLUMNS, feedCursor, follow, readEnd } from '../../collector/export/index.ts'
import { type StoredPage, toStored } from '../../collector/journal/index.ts'
import { lanes } from '../../collector/settle/lane.ts'
import { addSite } from '../../collector/sites/index.ts'
import { collectorProcess } from '../crash/collectors.ts'
import { startLoad } from '../crash/load.ts'
import { recount, settledAndFolded } from '../crash/recount.ts'
import { seeded } from '../crash/seeded.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { freshDatabase } from '../fixtures/database.ts'
import { idsOf, journalEvent, openPage } from '../fixtures/events.ts'
import { outcome } from '../fixtures/people.ts'
import { openStream } from '../fixtures/sse.ts'
import { type Line, linesOf } from './reading.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
const start = async (options: Parameters<typeof startCollector>[0] = {}): Promise<TestCollector> => {
  const it = await startCollector({ sites: [{}, { key: 'other' }], ...options })
  ends.push(() => it.close())
  return it
}

interface Told {
  cursor: string
  event?: Line
}
interface Reading {
  told: Told[]
  ids(): unknown[]
  stop(): Promise<void>
}
/** Reads a stream until it is stopped or cut; lines that are not whole are not read. */
async function read(url: string, cursor?: string, site = 'shop'): Promise<Reading> {
  const stop = new AbortController()
  const query = new URLSearchParams({ site_id: site, ...(cursor !== undefined && { cursor }) })
  const response = await fetch(`${url}/api/v2/stream?${query}`, {
    headers: { authorization: `Bearer ${OWNER_KEY}` },
    signal: stop.signal,
  })
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
  const told: Told[] = []
  const reading = (async () => {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of response.body ?? []) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true })
      const end = rest.lastIndexOf('\n') + 1
      told.push(...(linesOf(rest.slice(0, end)) as unknown as Told[]))
      rest = rest.slice(end)
    }
  })().catch(() => {})
  const one: Reading = {
    told,
    ids: () => told.flatMap(({ event }) => (event ? [event.id] : [])),
    async stop() {
      stop.abort()
      await reading
    },
  }
  ends.push(one.stop)
  return one
}
const begun = (reading: Reading) => vi.waitFor(() => expect(reading.told.length).toBeGreaterThan(0))

test('tells each event once as it is counted, as events have it, and nothing of other sites', async () => {
  const it = await start()
  await it.deliver(envelope([{ n: 'before' }]))
  await it.settled()
  const stream = await read(it.url)
  await begun(stream)
  expect(stream.told[0]).toEqual({ cursor: expect.stringMatching(/^shop:\d/) })
  const one = envelope([{}, { n: 'click', d: { x: '=1' } }, { n: 'order', id: 'A1' }])
  await it.deliver([one, one, envelope([{}], { s: 'other' })])
  await it.deliver(one)
  await it.deliver(envelope([{ n: 'order', id: 'A1' }, { n: 'last' }]))
  await vi.waitFor(() => expect(stream.told.at(-1)?.event?.name).toBe('last'), { timeout: 10_000 })
  expect(stream.ids().slice(0, -1)).toEqual(idsOf(one))
  expect(Object.keys(stream.told.at(-1)?.event ?? {})).toEqual(Object.keys(EVENT_COLUMNS))
  const day = linesOf(await (await it.ask('/api/v2/events?site_id=shop&date_range=day')).text())
  const told = new Map(stream.told.flatMap(({ event }) => (event ? [[event.id, event]] : [])))
  expect(day.filter(({ name }) => name !== 'before')).toEqual(day.flatMap(({ id }) => told.get(id) ?? []))
  expect(told.size).toBe(day.length - 1)
})

test('goes on from any line, in the middle of a page too, and from where an export began', async () => {
  const it = await start()
  const head = await it.ask('/api/v2/events?site_id=shop&date_range=day', { method: 'HEAD' })
  const cursor = head.headers.get('x-livetag-stream-cursor') ?? ''
  for (let i = 0; i < 4; i++) await it.deliver([envelope(Array.from({ length: 5 }, () => ({ n: 'click' })))])
  await it.settled()
  const stream = await read(it.url, cursor)
  await vi.waitFor(() => expect(stream.ids()).toHaveLength(20), { timeout: 10_000 })
  for (const [i, { cursor: from }] of stream.told.entries()) {
    const rest = await read(it.url, from)
    await vi.waitFor(() => expect(rest.ids()).toHaveLength(20 - i), { timeout: 10_000 })
    expect(rest.ids()).toEqual(stream.ids().slice(i))
    await rest.stop()
  }
})

test('what was set aside is not told, and pages of before envelopes are', async () => {
  const it = await start()
  const cursor = feedCursor('shop', await readEnd(it.db))
  const events = ['a', 'b', 'c'].map(id => journalEvent({ id }))
  const [page, old] = [openPage(events, { lane: 5 }), openPage([journalEvent({ id: 'd' })], { lane: 5 })]
  const settled = (n: number) => ({ state: 'settled' as const, settled: n, foldedAt: new Date() })
  await it.db.collection('parked').insertOne({ _id: `${page._id.toHexString()}:shop:b` as never, site: 'shop' })
  await it.db.collection<StoredPage>('journal').insertOne({ ...toStored(page), ...settled(1) })
  await it.db.collection('journal').insertOne({ ...old, ...settled(2) } as never)
  const [mine] = await lanes(it.db).find().toArray()
  if (!mine) throw new Error('no lane')
  await lanes(it.db).insertOne({ ...mine, _id: 5, holder: '', settled: 2 })
  const stream = await read(it.url, cursor)
  await vi.waitFor(() => expect(stream.ids()).toEqual(['a', 'c', 'd']), { timeout: 10_000 })
})

test('as server-sent events, a browser goes on by itself', async () => {
  const it = await start()
  const headers = { authorization: `Bearer ${OWNER_KEY}`, accept: 'text/event-stream' }
  const cursor = feedCursor('shop', await readEnd(it.db))
  const one = envelope([{}, { n: 'click' }])
  await it.deliver(one)
  const url = `${it.url}/api/v2/stream?site_id=shop&cursor=${cursor}`
  const first = await openStream(url, headers)
  await vi.waitFor(() => expect(first.messages).toHaveLength(2), { timeout: 10_000 })
  first.leave()
  expect(first.messages.map(({ event, data }) => [event, JSON.parse(data).id])).toEqual(
    idsOf(one).map(id => ['event', id]),
  )
  const next = await openStream(url, { ...headers, 'last-event-id': first.messages[0]?.id ?? '' })
  await vi.waitFor(() => expect(next.messages).toHaveLength(1), { timeout: 10_000 })
  expect(next.messages[0]?.id).toBe(first.messages[1]?.id)
  next.leave()
})

test('says in the quiet how far it is, so that a cursor does not grow old', async () => {
  const it = await start()
  const stop = new AbortController()
  const cursor = await readEnd(it.db)
  const told = follow({ db: it.db, site: 'shop', cursor, heartbeat: 10, signal: stop.signal })
  const first = (await told.next()).value
  await it.deliver(envelope([{}], { s: 'other' }))
  await it.settled()
  let last = first
  while (last?.cursor === first?.cursor) last = (await told.next()).value
  expect(last).toEqual({ cursor: feedCursor('shop', await readEnd(it.db)) })
  stop.abort()
  await expect(told.next()).rejects.toThrow()
})

test('a cursor that can not be gone on from is answered with a problem that says what to do', async () => {
  const it = await start()
  const of = async (cursor: string, site = 'shop') =>
    outcome(await it.ask(`/api/v2/stream?${new URLSearchParams({ site_id: site, cursor })}`))
  const before = feedCursor('shop', await readEnd(it.db))
  await it.deliver(envelope())
  await it.settled()
  for (const bad of ['', 'x', 'shop', 'shop:a', 'shop:0.-1', 'shop:0.1.2.3', `shop:${'0.1_'.repeat(2_000)}0.1`])
    expect(await of(bad), bad.slice(0, 20)).toEqual([400, 'parameter-invalid'])
  expect(await of(before, 'other')).toEqual([400, 'parameter-invalid'])
  expect(await of('shop:0.99')).toEqual([410, 'cursor-expired'])
  await it.folded()
  await it.db.collection('journal').deleteMany({})
  expect(await of(before)).toEqual([410, 'cursor-expired'])
  const stream = await read(it.url, feedCursor('shop', await readEnd(it.db)))
  await begun(stream)
  const one = envelope()
  await it.deliver(one)
  await vi.waitFor(() => expect(stream.ids()).toEqual(idsOf(one)), { timeout: 10_000 })
})

test('tells all that is counted once, though collectors are killed and readers are cut', async () => {
  const { db, uri, name, drop } = await freshDatabase()
  ends.push(drop)
  const folder = await mkdtemp(join(tmpdir(), 'livetag-feed-'))
  ends.push(() => rm(folder, { recursive: true, force: true }))
  const built = new URL('../../dist/collector/index.js', import.meta.url).href
  const collectors = []
  for (const own of ['a', 'b']) {
    const options = {
      ...{ mongodbUri: uri, database: name, host: '127.0.0.1', port: await freePort(), ownerKey: OWNER_KEY },
      ...{ home: join(folder, own), logLevel: 'silent' as const },
    }
    const one = collectorProcess({ name: own, folder, built, without: undefined, closing: undefined, options })
    await one.start()
    ends.push(() => one.end('SIGKILL'))
    collectors.push(one)
  }
  await addSite(db, { key: 'crash', domain: 'shop.example', consent: 'none', timezone: 'UTC' })
  const urls = collectors.map(({ url }) => url)
  for (const url of urls)
    await vi.waitFor(async () => expect((await fetch(`${url}/t/crash.js`)).status).toBe(200), { timeout: 10_000 })

  const random = seeded(3)
  const told: string[] = []
  let [cuts, finished] = [0, false]
  let cursor = feedCursor('crash', await readEnd(db))
  const consume = (async () => {
    while (!finished) {
      const url = urls[Math.floor(random() * 2)] ?? ''
      const stream = await read(url, cursor, 'crash').catch(() => undefined)
      if (!stream) {
        await new Promise(resolve => setTimeout(resolve, 50))
        continue
      }
      const most = Math.floor(random() * 600)
      const least = stream.told.length
      await vi
        .waitFor(() => expect(finished || stream.ids().length > most).toBe(true), { timeout: 1_500, interval: 10 })
        .catch(() => {})
      await stream.stop()
      cuts += stream.told.length > least ? 1 : 0
      told.push(...(stream.ids() as string[]))
      cursor = stream.told.at(-1)?.cursor ?? cursor
    }
  })()
  const loads = urls.map((url, i) =>
    startLoad({ url, site: 'crash', random: seeded(i), clients: 3, batch: 10, twice: 0.1 }),
  )
  const acknowledged = () => loads.reduce((sum, load) => sum + load.acknowledged.size, 0)
  for (let kill = 0; kill < 4; kill++) {
    const before = acknowledged()
    await vi.waitFor(() => expect(acknowledged()).toBeGreaterThan(before + 500), { timeout: 30_000 })
    const pid = collectors[kill % 2]?.pid
    if (pid) process.kill(pid, 'SIGKILL')
  }
  await Promise.all(loads.map(load => load.finish()))
  await vi.waitFor(async () => expect(await settledAndFolded(db)).toBe(true), { timeout: 60_000, interval: 200 })
  const { ids } = await recount(db, 'crash')
  await vi.waitFor(() => expect(told.length).toBeGreaterThanOrEqual(ids.size), { timeout: 30_000, interval: 200 })
  finished = true
  await consume
  expect(cuts).toBeGreaterThan(3)
  expect(new Set(told).size).toBe(told.length)
  expect([...told].sort()).toEqual([...ids.keys()].sort())
  for (const load of loads) for (const id of load.acknowledged) expect(ids.get(id)).toBe(1)
}, 180_000)

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
