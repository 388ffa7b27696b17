import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { LiveDelta } from '../../collector/live/messages.ts'
import { createRecord } from '../../collector/live/record.ts'
import { createRoom } from '../../collector/live/room.ts'
import { startSse } from '../../collector/live/sse.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { openStream, type Stream } from '../fixtures/sse.ts'

const START = Date.now()
const MINUTE = 60_000
let it: TestCollector
const now = START
beforeAll(async () => {
  it = await startCollector({ clock: () => now, sites: [{}, { key: 'old' }] })
})
afterAll(() => it.close())

const join = (site: string): Promise<Stream> =>
  openStream(`${it.url}/api/v2/live?site=${site}`, { authorization: `Bearer ${OWNER_KEY}` })
const snapshotOf = async (stream: Stream) => {
  await vi.waitFor(() => expect(stream.messages[0]?.event).toBe('snapshot'))
  return JSON.parse(stream.messages[0]?.data ?? '') as { deltas: LiveDelta[]; active: number; everSeen: boolean }
}

test('asking for the headers of a stream (HEAD) ends at once', async () => {
  const response = await it.ask('/api/v2/live?site=shop', { method: 'HEAD', signal: AbortSignal.timeout(2_000) })
  expect(response.status).toBe(200)
})

test('what is older than 30 minutes is in no snapshot, but the site has been seen', async () => {
  await it.deliver(envelope([{ t: 31.5 * MINUTE }, { t: 20 * MINUTE }], { s: 'old' }))
  await it.settled()
  const stream = await join('old')
  const { deltas, everSeen } = await snapshotOf(stream)
  expect(deltas.filter(([, dim]) => dim === 'total').map(([, , , events]) => events)).toEqual([1])
  expect(everSeen).toBe(true)
  stream.leave()
})

describe('a viewer that does not read', () => {
  /** A stream over a real socket that is read only when everything was sent. */
  async function slow(action: (viewer: ReturnType<typeof startSse>) => void) {
    let refreshed = 0
    const server = createServer((_, response) => {
      const viewer = startSse(response, () => {
        refreshed++
        viewer.send('snapshot', 'r.9', '{"anew":true}')
        viewer.end()
      })
      action(viewer)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const [response] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    server.close()
    return { text, refreshed }
  }

  test('is sent no more than its bound, and a snapshot when it reads again', async () => {
    const big = JSON.stringify('x'.repeat(64 * 1024))
    const { text, refreshed } = await slow(viewer => {
      for (let i = 1; i <= 200; i++) viewer.send('tick', `r.${i}`, big)
    })
    expect(refreshed).toBe(1)
    expect(text.length).toBeLessThan(1024 * 1024)
    expect(text.trimEnd().endsWith('event: snapshot\nid: r.9\ndata: {"anew":true}')).toBe(true)
  })
})

describe('the record of ticks', () => {
  test('gives exactly what came after an id, in order, while it holds it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.nat(40), (count, seen) => {
        const record = createRecord()
        const ids = [record.lastId(), ...Array.from({ length: count }, (_, i) => record.add(`t${i}`))]
        const from = Math.min(seen, count)
        const expected = Array.from({ length: count - from }, (_, i) => `t${from + i}`)
        expect(record.after(ids[from] ?? '')?.map(({ data }) => data)).toEqual(expected)
      }),
    )
  })

  test('lets the oldest go past 1 MiB, and then says that it does not know', () => {
    const record = createRecord()
    const first = record.lastId()
    const ids = Array.from({ length: 50 }, () => record.add('x'.repeat(50_000)))
    expect(record.after(first)).toBeUndefined()
    expect(record.after(ids.at(-3) ?? '')).toHaveLength(2)
    const held = ids.filter(id => record.after(id) !== undefined).length
    expect(held * 100_000).toBeLessThanOrEqual(1024 * 1024 + 100_000)
  })

  test('knows no id that it has not given', () => {
    const [record, other] = [createRecord(), createRecord()]
    for (let i = 0; i < 5; i++) {
      record.add('a')
      other.add('b')
    }
    const name = record.lastId().split('.')[0]
    const ids = [other.lastId(), `${name}.6`, `${name}.-1`, `${name}.x`, `${name}`]
    for (const id of ids) expect([id, record.after(id)]).toEqual([id, undefined])
  })
})

describe('a room', () => {
  const change = fc.record({
    minute: fc.integer({ min: 0, max: 3 }),
    value: fc.constantFrom('/a', '/b', '/c'),
    events: fc.integer({ min: -2, max: 5 }),
    views: fc.integer({ min: -2, max: 5 }),
  })

  test('at every moment the snapshot and the ticks after it add up to all that was settled', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.nat(40), fc.nat(6), (changes, joinAt, tickEvery) => {
        const room = createRoom('UTC')
        const sum = new Map<string, [number, number]>()
        const all = new Map<string, [number, number]>()
        const add = (to: typeof sum, [at, dim, value, events, views]: LiveDelta) => {
          const [e, v] = to.get(`${at} ${dim} ${value}`) ?? [0, 0]
          to.set(`${at} ${dim} ${value}`, [e + events, v + views])
        }
        let joined = false
        const joinNow = () => {
          room.tick(START)
          for (const delta of room.view(START).deltas) add(sum, delta)
          joined = true
        }
        const tick = () => {
          for (const delta of room.tick(START)?.deltas ?? []) if (joined) add(sum, delta)
        }
        changes.forEach(({ minute, value, events, views }, i) => {
          if (i === joinAt) joinNow()
          const at = START - minute * MINUTE
          const counters = [[events, views, 0, 0, 0, 0]]
          room.settled([{ site: 'shop', dim: 'page', at, values: [value], counters }], [])
          add(all, [at, 'page', value, events, views])
          if (i % (tickEvery + 1) === 0) tick()
        })
        if (!joined) joinNow()
        tick()
        const withoutZeros = (map: typeof sum) => new Map([...map].filter(([, [e, v]]) => e !== 0 || v !== 0).sort())
        expect(withoutZeros(sum)).toEqual(withoutZeros(all))
      }),
    )
  })

  test('a visitor is active for five minutes after the last event, and the room says when that is over', () => {
    const room = createRoom('UTC')
    const fields = { site: 'shop', name: 'click', id: 'e', host: 'h', path: '/', source: 'direct' }
    const event = (visitor: string) =>
      ({ ...fields, visitor, device: 'd', browser: 'b', os: 'o', consent: 'x', ts: new Date(START) }) as const
    room.inserted([event('a'), event('b'), event('a')], START)
    expect(room.tick(START)).toMatchObject({ active: 2, more: 0 })
    room.inserted([{ ...event('a'), ts: new Date(START + MINUTE) }], START + MINUTE)
    expect(room.tick(START + 5 * MINUTE)?.active).toBe(2)
    expect(room.tick(START + 5 * MINUTE + 1)).toMatchObject({ active: 1, events: [] })
    expect(room.tick(START + 6 * MINUTE)).toBeUndefined()
    expect(room.tick(START + 6 * MINUTE + 1)?.active).toBe(0)
  })

  test('a tick shows the newest 50 events and says how many more there were', () => {
    const room = createRoom('UTC')
    const fields = {
      site: 'shop',
      name: 'click',
      host: 'h',
      path: '/',
      source: 's',
      device: 'd',
      browser: 'b',
      os: 'o',
    }
    const events = Array.from({ length: 130 }, (_, i) => ({ ...fields, id: `e${i}`, ts: new Date(START) }))
    for (let i = 0; i < 130; i += 13)
      room.inserted(
        events.slice(i, i + 13).map(event => ({ ...event, consent: 'x' as const })),
        START,
      )
    const tick = room.tick(START)
    expect(tick?.more).toBe(80)
    expect(tick?.events.map(({ id }) => id)).toEqual(events.slice(-50).map(({ id }) => id))
    expect(room.view(START).recent).toHaveLength(50)
    expect(tick?.seconds).toEqual([[Math.floor(START / 1000) * 1000, 130, 0, 130]])
  })
})
