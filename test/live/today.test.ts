import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { LiveSnapshot, LiveTick } from '../../collector/live/messages.ts'
import { readGoal, setSite } from '../../collector/sites/index.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { openStream, type Stream, sumOfToday, todayOf } from '../fixtures/sse.ts'

const DAY = 86_400_000
const NOON = Math.floor(Date.now() / DAY) * DAY + DAY / 2
/** The collectors' clock is moved, and goes on. */
let moved = NOON - Date.now()
const clock = () => Date.now() + moved
const key = { authorization: `Bearer ${OWNER_KEY}` }

let it: TestCollector
beforeAll(async () => {
  const goals = [
    { name: 'Order', event: 'purchase' },
    { name: 'Shoes', page: '/shoes', value: { amount: '1.50', currency: 'EUR' } },
  ].map(goal => readGoal(goal, new Date(0)))
  const sites = ['shop', 'agrees', 'midnight', 'moves', 'ads'].map(key => ({ key, goals }))
  it = await startCollector({ clock, sites })
})
afterAll(() => it.close())

const live = (site: string) => openStream(`${it.url}/api/v2/live?site=${site}`, key)
const send = (site: string, who: string, events: Parameters<typeof envelope>[0] = [{}]) =>
  it.deliver(envelope(events, { s: site, i: who, k: `${who}-1`, t: clock() }))
const today = (stream: Stream) => todayOf(stream.messages)
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 50 })

async function query(site: string, body: object): Promise<{ results: { metrics: number[]; dimensions: string[] }[] }> {
  const asked = JSON.stringify({ site_id: site, date_range: 'day', ...body })
  const answer = await it.ask('/api/v2/query', { method: 'POST', body: asked })
  expect(answer.status).toBe(200)
  return (await answer.json()) as Awaited<ReturnType<typeof query>>
}

test('the day has what the query API answers, for who was there and for who joins: views, visits, events, goals, visitors', async () => {
  await send('agrees', 'a', [{}, { n: 'click' }, { n: 'purchase', id: 'order-1' }])
  await it.settled()
  const first = await live('agrees')
  await send('agrees', 'b', [{}, {}, { t: 20 * 3_600_000 }])
  await send('agrees', 'c')
  await send('agrees', 'c', [{ n: 'purchase', id: 'order-1' }])
  await it.settled()
  const second = await live('agrees')
  const metrics = ['pageviews', 'events', 'visits', 'visitors']
  const [totals] = (await query('agrees', { metrics })).results
  const goals = (await query('agrees', { metrics: ['events'], dimensions: ['event:goal'] })).results
  // A page view of yesterday, with which a visit began, and an order that was there already, are in none of them.
  expect(totals?.metrics).toEqual([4, 6, 2, 2])
  expect(goals.map(({ dimensions, metrics }) => [...dimensions, ...metrics])).toEqual([
    ['Shoes', 4],
    ['Order', 1],
  ])
  for (const stream of [first, second]) {
    await eventually(() => {
      const heard = today(stream)
      const [events, views] = sumOfToday(heard, 'total')
      const [, , visits] = sumOfToday(heard, 'visits')
      expect([views, events, visits, heard.visitors?.count]).toEqual(totals?.metrics)
      expect(['Shoes', 'Order'].map(goal => sumOfToday(heard, 'goal', goal)[0])).toEqual([4, 1])
    })
    expect(today(stream).visitors).not.toHaveProperty('error')
    stream.leave()
  }
})

test('visitors are told again when visits change, and not before; counts never take themselves back', async () => {
  const stream = await live('shop')
  await eventually(() => expect(today(stream).visitors?.count).toBe(0))
  const counted = () =>
    stream.messages.flatMap(({ data }) => {
      const visitors = (JSON.parse(data) as LiveSnapshot | LiveTick).today?.visitors
      return visitors ? [visitors.count] : []
    })
  await send('shop', 'one')
  await eventually(() => expect(counted().at(-1)).toBe(1))
  const told = counted().length
  await send('shop', 'one', [{ n: 'click' }])
  await send('shop', 'two')
  await eventually(() => expect(counted().at(-1)).toBe(2))
  expect(counted().length - told).toBeLessThanOrEqual(2)
  expect(counted()).toEqual(counted().toSorted((a, b) => a - b))
  stream.leave()
})

test('at midnight another day begins for everybody, at 0', async () => {
  await send('midnight', 'early')
  await it.settled()
  const stream = await live('midnight')
  await eventually(() => expect(today(stream).visitors?.count).toBe(1))
  const { start, end } = today(stream)
  expect([start, end]).toEqual([NOON - DAY / 2, NOON + DAY / 2])
  moved += DAY / 2
  await eventually(() => expect(today(stream)).toMatchObject({ start: end, end: end + DAY }))
  expect(today(stream).hours.size).toBe(0)
  await eventually(() => expect(today(stream).visitors?.count).toBe(0))
  await send('midnight', 'late')
  await eventually(() => {
    expect(sumOfToday(today(stream), 'total')).toEqual([1, 1])
    expect(today(stream).visitors?.count).toBe(1)
  })
  expect(stream.messages.filter(({ event }) => event === 'snapshot')).toHaveLength(1)
  stream.leave()
})

test('when the site moves to another time zone, all who watch get its day there', async () => {
  const stream = await live('moves')
  await eventually(() => expect(stream.messages).not.toHaveLength(0))
  await setSite(it.db, 'moves', { timezone: 'Asia/Kolkata' })
  await eventually(() => expect(stream.messages.filter(({ event }) => event === 'snapshot')).toHaveLength(2))
  expect(today(stream).start % DAY).toBe(DAY - 5.5 * 3_600_000)
  await send('moves', 'a')
  await eventually(() => expect(sumOfToday(today(stream), 'total')).toEqual([1, 1]))
  stream.leave()
})

test('campaigns, bots and conversions: as they arrive, as settled, and to who joins later', async () => {
  const first = await live('ads')
  const shown = [
    { n: 'impression', d: { campaign: 'spring' } },
    { n: 'impression', d: { campaign_id: 7 } },
    { n: 'click', d: { campaign: 'spring' } },
    { n: 'impression' },
    { n: 'purchase', id: 'o-1', d: { revenue: { amount: '49.90', currency: 'EUR' } } },
  ]
  const p = { u: 'https://shop.example/shoes?utm_campaign=newsletter' }
  await it.deliver(envelope(shown, { s: 'ads', t: clock(), p }))
  const bot = await it.send(envelope([{}, { n: 'click', d: { campaign: 'spring' } }], { s: 'ads', t: clock() }), {
    'user-agent': 'Googlebot/2.1',
  })
  expect(bot.status).toBe(200)
  await it.settled()
  const rows = (stream: Stream) =>
    Object.fromEntries(
      [...stream.counters()].flatMap(([key, [events]]) => {
        const [dim = '', , ...value] = key.split(' ')
        return ['impression', 'click', 'bot'].includes(dim) ? [[`${dim} ${value.join(' ')}`, events]] : []
      }),
    )
  const expected = {
    'impression spring': 1,
    'impression 7': 1,
    'impression newsletter': 1,
    'click spring': 1,
    'bot Google': 2,
  }
  await eventually(() => expect(rows(first)).toEqual(expected))
  const second = await live('ads')
  await eventually(() => expect(rows(second)).toEqual(expected))
  const snapshot = JSON.parse(second.messages[0]?.data ?? '') as LiveSnapshot
  expect(snapshot.conversions).toMatchObject([
    { name: 'purchase', goals: ['Order'], revenue: { value: 49.9, currency: 'EUR' } },
  ])
  // What a bot does is in the minute, and is told apart there; nobody is active by it.
  expect(snapshot.deltas.filter(([, dim]) => dim === 'total').map(row => row.slice(3))).toEqual([[7, 1, 2]])
  expect(snapshot).toMatchObject({ active: 1, activeBy: { page: [['/shoes', 1]] } })
  const seconds = first.messages.flatMap(({ data }) => (JSON.parse(data) as LiveTick).seconds)
  const sum = (column: number) => seconds.reduce((n, row) => n + (row[column] ?? 0), 0)
  expect([sum(1), sum(2), sum(3)]).toEqual([7, 3, 1])
  for (const stream of [first, second]) stream.leave()
})
