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
  const sites = ['shop', 'agrees', 'midnight', 'moves'].map(key => ({ key, goals }))
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
