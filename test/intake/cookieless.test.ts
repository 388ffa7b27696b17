import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { RawEvent, Session } from '../../collector/settle/index.ts'
import { dayOf } from '../../collector/sites/index.ts'
import type { Envelope, WireEvent } from '../../tag/wire.ts'
import { CHROME, envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0'

/** What the collector's clock shows; at noon in Berlin, so that a few hours before are the same day. */
const clock = { now: dayOf(Date.now(), 'Europe/Berlin').start + 12 * 60 * MINUTE }
const START = clock.now

/** Each test has a site of its own, as a collector holds counters in memory. */
const SITES = Array.from({ length: 20 }, (_, i) => `site${i}`)
let number = 0
let site = ''

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({
    clock: () => clock.now,
    trustProxy: ['127.0.0.0/8'],
    sites: ['shop', ...SITES].map(key => ({ key, consent: 'cookieless', timezone: 'Europe/Berlin' })),
  })
})
afterAll(() => it.close())
beforeEach(() => {
  clock.now = START
  site = SITES[number++] ?? ''
})

interface From {
  address?: string
  agent?: string
  head?: Partial<Envelope>
}

/** Sends events as a cookieless tag does, and gives back what is stored of them. */
async function visit(events: Partial<WireEvent>[], { address = '203.0.113.77', agent = CHROME, head }: From = {}) {
  const { i: _, k: _k, ...bare } = envelope(events, { s: site, c: 'l', t: clock.now })
  const body = { ...bare, ...head }
  const headers = { 'x-forwarded-for': address, 'user-agent': agent }
  const response = await it.send(body, headers)
  expect(await response.json()).toEqual({ accepted: events.length, rejected: [] })
  await it.settled()
  const prefix = new RegExp(`^${body.w}\\.`)
  return await it.db.collection<RawEvent>('events').find({ id: prefix }).sort({ id: 1 }).toArray()
}
const visitorOf = async (from?: From): Promise<unknown> => (await visit([{}], from))[0]?.visitor
const sessions = () => it.db.collection<Session>('sessions').find({ site }).sort({ _id: 1 }).toArray()

describe('who is one visitor', () => {
  test('two addresses of one network with the same agent are one, another network or agent is another', async () => {
    const one = await visitorOf()
    expect(one).toMatch(/^~[\w-]{22}$/)
    expect(await visitorOf({ address: '203.0.113.200' })).toBe(one)
    expect(await visitorOf({ address: '::ffff:203.0.113.1' })).toBe(one)
    const six = await visitorOf({ address: '2001:db8:1:2::3' })
    expect(await visitorOf({ address: '2001:db8:1:ffff::1' })).toBe(six)
    const others = [
      six,
      await visitorOf({ address: '203.0.114.77' }),
      await visitorOf({ address: '2001:db8:2::1' }),
      await visitorOf({ agent: FIREFOX }),
    ]
    expect(new Set([one, ...others]).size).toBe(5)
  })

  test('on another site it is another', async () => {
    expect(await visitorOf()).not.toBe(await visitorOf({ head: { s: 'shop' } }))
  })

  test('on another day of the site it is another: from midnight in its time zone on, to the millisecond', async () => {
    const midnight = dayOf(START, 'Europe/Berlin').start
    clock.now = midnight + 5
    const events = await visit([{ t: 6 }, { t: 5 }, { t: 0 }])
    const [before, at, after] = events.map(({ visitor }) => visitor)
    expect(events.map(({ ts }) => +ts - midnight)).toEqual([-1, 0, 5])
    expect(before).not.toBe(at)
    expect(at).toBe(after)
    expect(await sessions()).toHaveLength(2)
  })

  test('an event from before the salts that are left has no visitor and no session, and is counted all the same', async () => {
    const [old] = await visit([{ t: 3 * DAY }])
    expect(old).not.toHaveProperty('visitor')
    expect(old).not.toHaveProperty('session')
    expect(await sessions()).toEqual([])
  })

  test('ids that a device sends nevertheless are dropped: nothing of them is stored', async () => {
    const secrets = { i: 'from-the-device', k: 'session-of-the-device' }
    const [event] = await visit([{}], { head: secrets })
    expect(event?.visitor).toMatch(/^~/)
    expect(event?.session).toBe(event?.visitor)
    const documents = await Promise.all(
      (await it.db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) =>
        it.db.collection(name).find().toArray(),
      ),
    )
    for (const secret of Object.values(secrets)) expect(JSON.stringify(documents)).not.toContain(secret)
  })

  test('a pixel has the same visitor as the tag on the same day', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9', 'user-agent': CHROME }
    await fetch(`${it.url}/p.gif?site=${site}&event=pixel&visitor=v1&session=s1`, { headers })
    await it.settled()
    const event = await it.db.collection<RawEvent>('events').findOne({ 'meta.name': 'pixel' })
    expect(event?.visitor).toBe(await visitorOf())
  })
})

describe('visits', () => {
  test('a day is one document, divided by pauses; the report counts its visits, bounces and time', async () => {
    await visit([{ t: 180 * MINUTE }, { n: 'click', q: 1, t: 170 * MINUTE }])
    await visit([{ t: 100 * MINUTE }, { q: 1, t: 90 * MINUTE }])
    await visit([{ t: 0 }])
    await visit([{ t: 130 * MINUTE }], { agent: FIREFOX })
    const days = (await sessions()).map(({ visits = [] }) => visits.map(({ views, events }) => [views, events]))
    expect(days.sort((a, b) => b.length - a.length)).toEqual([
      [
        [1, 2],
        [2, 2],
        [1, 1],
      ],
      [[1, 1]],
    ])
    const { totals } = (await (await it.ask(`/api/v2/stats?site=${site}&period=today`)).json()) as {
      totals: Record<string, number>
    }
    expect(totals).toMatchObject({ visitors: 2, sessions: 4, bounces: 3, views: 5, duration: 20 * MINUTE })
  })

  test('what comes late joins two visits, and the counters follow', async () => {
    await visit([{ t: 60 * MINUTE }])
    await visit([{ t: 0 }])
    await visit([{ n: 'click', t: 30 * MINUTE }])
    expect((await sessions()).map(({ visits }) => visits?.length)).toEqual([1])
    const { totals } = (await (await it.ask(`/api/v2/stats?site=${site}&period=6h`)).json()) as {
      totals: Record<string, number>
    }
    expect(totals).toMatchObject({ visitors: 1, sessions: 1, bounces: 0, duration: 60 * MINUTE })
  })

  test('a visitor of this morning who comes back counts in the last six hours', async () => {
    await visit([{ t: 8 * 60 * MINUTE }])
    await visit([{ t: 10 * MINUTE }])
    const { totals } = (await (await it.ask(`/api/v2/stats?site=${site}&period=6h`)).json()) as {
      totals: Record<string, number>
    }
    expect(totals).toMatchObject({ visitors: 1, sessions: 1 })
  })

  test('who is there before and after midnight is one visitor of each day, and the days of the site are told apart', async () => {
    clock.now = dayOf(START, 'Europe/Berlin').start + 10 * MINUTE
    await visit([{ t: 20 * MINUTE }, { q: 1, t: 15 * MINUTE }, { q: 2, t: 5 * MINUTE }, { q: 3, t: 0 }])
    await visit([{ t: 2 * MINUTE }], { address: '203.0.113.99' })
    const totals = async (period: string) =>
      ((await (await it.ask(`/api/v2/stats?site=${site}&period=${period}`)).json()) as { totals: object }).totals
    expect(await totals('today')).toMatchObject({ visitors: 1, sessions: 1, views: 3, bounces: 0 })
    expect(await totals('30d')).toMatchObject({ visitors: 2, sessions: 2, views: 5, bounces: 0 })
  })

  test('who agrees goes on with ids of the device; what came before stays cookieless, and so does what comes after a withdrawal', async () => {
    const granted = { c: 'g', i: 'visitor-1', k: 'session-1' } as const
    const consent = (purposes: string[]) => ({ n: 'consent', d: { purposes, signal: 'api' } })
    const [before] = await visit([{}])
    const during = await visit([consent(['measure', 'identify']), { q: 1 }], { head: granted })
    const after = await visit([consent([]), { q: 1 }])
    expect(during.map(({ visitor, session }) => [visitor, session])).toEqual(Array(2).fill(['visitor-1', 'session-1']))
    expect(after.map(({ visitor }) => visitor)).toEqual(Array(2).fill(before?.visitor))
    const stored = await sessions()
    expect(stored.map(({ _id, visits, events }) => [_id, visits?.length, events])).toEqual([
      [`${site}:session-1`, undefined, 2],
      [`${site}:${before?.visitor}`, 1, 3],
    ])
  })
})

test('the live view counts cookieless visitors as active, also for who joins later', async () => {
  clock.now = Date.now()
  await visit([{}, { q: 1 }])
  await visit([{}], { address: '203.0.113.78' })
  await visit([{}], { agent: FIREFOX })
  const stop = new AbortController()
  const response = await it.ask(`/api/v2/live?site=${site}`, { signal: stop.signal })
  const reader = response.body?.getReader()
  let text = ''
  while (!/data: .*\n\n/.test(text)) text += Buffer.from((await reader?.read())?.value ?? []).toString()
  stop.abort()
  const [, data = '{}'] = /data: (.*)\n\n/.exec(text) ?? []
  expect(JSON.parse(data)).toMatchObject({ active: 2 })
  expect(data).not.toContain('~')
})
