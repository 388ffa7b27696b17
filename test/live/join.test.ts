import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { LiveSnapshot, LiveTick } from '../../collector/live/messages.ts'
import { recount } from '../crash/recount.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { countersOf, openStream, type Stream } from '../fixtures/sse.ts'

const SITES = Array.from({ length: 30 }, (_, i) => `site${i}`)
const key = { authorization: `Bearer ${OWNER_KEY}` }

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({ sites: SITES.map(key => ({ key })) })
})
afterAll(() => it.close())

const join = (site: string, headers = {}): Promise<Stream> =>
  openStream(`${it.url}/api/v2/live?site=${site}`, { ...key, ...headers })
const totalOf = (counters: Map<string, [number, number]>, dim: string) =>
  [...counters].filter(([key]) => key.startsWith(`${dim} `)).reduce((sum, [, [events]]) => sum + events, 0)

test('who joins while events come in sees each of them once: 30 times, and each time a second viewer', async () => {
  let loading = true
  let round = 0
  const load = async () => {
    while (loading) {
      const path = `https://shop.example/p${round++ % 5}`
      const bodies = SITES.map(s => envelope([{}, { n: 'click' }], { s, p: { u: path }, k: `session-${round}` }))
      await it.deliver(bodies)
    }
  }
  const running = load()
  const streams: { site: string; stream: Stream }[] = []
  const watch = async (site: string) => {
    for (let viewer = 0; viewer < 2; viewer++) {
      const stream = await join(site)
      streams.push({ site, stream })
      await vi.waitFor(() => expect(stream.messages[0]?.event).toBe('snapshot'), { timeout: 5_000, interval: 5 })
    }
  }
  for (let i = 0; i < SITES.length; i += 3) await Promise.all(SITES.slice(i, i + 3).map(watch))
  loading = false
  await running
  await it.settled()
  expect(round).toBeGreaterThan(5)
  for (const { site, stream } of streams) {
    const { total, rolledUp } = await recount(it.db, site)
    expect(total.events).toBe(2 * round)
    await vi.waitFor(() => expect(totalOf(stream.counters(), 'total')).toBeGreaterThanOrEqual(total.events))
    const counters = stream.counters()
    expect(['total', 'name', 'page'].map(dim => totalOf(counters, dim))).toEqual([2 * round, 2 * round, round])
    for (const [name, events] of rolledUp) {
      const live = [...counters].filter(([key]) => key.startsWith('name ') && key.endsWith(` ${name}`))
      expect(live.reduce((sum, [, [n]]) => sum + n, 0)).toBe(events)
    }
    const [{ seconds }, ...ticks] = stream.messages.map(({ data }) => JSON.parse(data) as LiveSnapshot | LiveTick) as [
      LiveSnapshot,
      ...LiveTick[],
    ]
    const received = [...seconds, ...ticks.flatMap(tick => tick.seconds)].reduce((sum, [, n]) => sum + n, 0)
    // Of the past only the newest pages are read; none is ever counted twice.
    expect(received).toBeLessThanOrEqual(2 * round)
    expect(received).toBeGreaterThan(0)
  }
  for (const { stream } of streams) stream.leave()
})

test('a browser that comes back gets exactly what it missed, and no snapshot', async () => {
  const [site = ''] = SITES
  const watching = await join(site)
  const one = await join(site)
  const send = (count: number) =>
    it.deliver(Array.from({ length: count }, () => envelope([{ n: 'missed' }], { s: site })))
  const all = (stream: Stream) => stream.messages.map(({ id }) => id)
  await send(1)
  await vi.waitFor(() => expect(one.messages.length).toBeGreaterThan(1))
  one.leave()
  await one.ended
  const last = one.messages.at(-1)?.id ?? ''
  for (let i = 0; i < 3; i++) {
    const before = watching.messages.length
    await send(5)
    await vi.waitFor(() => expect(watching.messages.length).toBeGreaterThan(before))
  }
  await it.settled()
  const again = await join(site, { 'last-event-id': last })
  await send(1)
  await it.settled()
  const expected = () => all(watching).slice(all(watching).indexOf(last) + 1)
  await vi.waitFor(() => {
    expect(expected().length).toBeGreaterThan(2)
    expect(all(again)).toEqual(expected())
  })
  expect(again.messages.every(({ event }) => event === 'tick')).toBe(true)
  expect(countersOf([...one.messages, ...again.messages])).toEqual(watching.counters())
  watching.leave()
  again.leave()
})

test.each(['of-another-room.5', '', 'x'.repeat(50), '.1', '..', 'NaN'])(
  'with an id that is not held it gets a snapshot: “%s”',
  async id => {
    const stream = await join('site1', { 'last-event-id': id })
    await vi.waitFor(() => expect(stream.messages[0]?.event).toBe('snapshot'))
    stream.leave()
  },
)
