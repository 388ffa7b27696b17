import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { LiveSnapshot, LiveTick } from '../../collector/live/messages.ts'
import { readGoal } from '../../collector/sites/index.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { openStream, type Stream } from '../fixtures/sse.ts'

let it: TestCollector
beforeAll(async () => {
  const goals = [
    { name: 'Order', event: 'purchase' },
    { name: 'Shoes', page: '/shoes' },
  ].map(goal => readGoal(goal, new Date(0)))
  it = await startCollector({ sites: [{ goals }] })
})
afterAll(() => it.close())

const live = () => openStream(`${it.url}/api/v2/live?site=shop`, { authorization: `Bearer ${OWNER_KEY}` })
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 50 })

test('campaigns, bots and conversions: as they arrive, as settled, and to who joins later', async () => {
  const first = await live()
  const shown = [
    { n: 'impression', d: { campaign: 'spring' } },
    { n: 'impression', d: { campaign_id: 7 } },
    { n: 'click', d: { campaign: 'spring' } },
    { n: 'impression' },
    { n: 'purchase', id: 'o-1', d: { revenue: { amount: '49.90', currency: 'EUR' } } },
  ]
  const p = { u: 'https://shop.example/shoes?utm_campaign=newsletter' }
  await it.deliver(envelope(shown, { p }))
  const bot = await it.send(envelope([{}, { n: 'click', d: { campaign: 'spring' } }]), {
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
  const second = await live()
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
