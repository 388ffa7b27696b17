import { UUID } from 'mongodb'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type StoredPage, toStored } from '../../collector/journal/index.ts'
import { LEASE_MS, type RawEvent } from '../../collector/settle/index.ts'
import { type LaneDocument, lanes } from '../../collector/settle/lane.ts'
import { recount } from '../crash/recount.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { idsOf, journalEvent, openPage } from '../fixtures/events.ts'

const open: TestCollector[] = []
const start = async (...options: Parameters<typeof startCollector>) => {
  const collector = await startCollector(...options)
  open.push(collector)
  return collector
}
afterEach(() => Promise.all(open.splice(0).map(collector => collector.close())))

const expire = (seconds: number) => [
  { $set: { holder: 'somebody', epoch: { $add: ['$epoch', 1] }, expires: { $add: ['$$NOW', seconds * 1_000] } } },
]

describe('what is sent more than once counts once', () => {
  test('in one body, in the next body, and in ten at the same moment', async () => {
    const it = await start()
    const one = envelope([{}, { n: 'click' }, { n: 'click', q: 1 }, { q: 0 }])
    await Promise.all(Array.from({ length: 10 }, () => it.deliver([one, one])))
    await it.deliver(one)
    await it.settled()
    const { ids, byName, rolledUp, total, sessions } = await recount(it.db, 'shop')
    expect([...ids]).toEqual([
      [`${one.w}.0`, 1],
      [`${one.w}.1`, 1],
    ])
    expect(rolledUp).toEqual(byName)
    expect(total).toEqual({ events: 2, views: 1, sessions: 1 })
    expect(sessions).toEqual({ sessions: 1, events: 2, views: 1 })
  })

  test('what is repeated is counted by site and name, as rejects are', async () => {
    const it = await start()
    const one = envelope([{}, { n: 'click' }])
    await it.deliver(one)
    await it.settled()
    await it.deliver([one, envelope([{ n: 'order', id: 'A1' }]), envelope([{ n: 'order', id: 'A1' }])])
    await it.settled()
    await it.collector.close()
    const counts = await it.db
      .collection('rejects')
      .find({}, { projection: { _id: 0, at: 0 } })
      .toArray()
    const by = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
    expect((counts as unknown as { name: string }[]).sort(by)).toEqual(
      ['click', 'order', 'pageview'].map(name => ({ site: 'shop', name, reason: 'duplicate', n: 1 })),
    )
  })

  test('ids of one’s own are unique per site and name, across page views', async () => {
    const it = await start({ sites: [{}, { key: 'other' }] })
    const orders = [
      { n: 'order', id: 'A1' },
      { n: 'order', id: 'A2' },
      { n: 'refund', id: 'A1' },
      { n: 'a', id: 'b:c' },
      { n: 'a:b', id: 'c' },
      { n: 'a%3Ab', id: 'c' },
    ]
    for (let i = 0; i < 3; i++) await it.deliver([envelope(orders), envelope(orders, { s: 'other' })])
    await it.settled()
    for (const site of ['shop', 'other']) {
      const events = await it.db.collection<RawEvent>('events').find({ 'meta.site': site }).toArray()
      expect(events.map(({ meta, id }) => `${meta.name} ${id}`).sort()).toEqual(
        orders.map(({ n, id }) => `${n} ${id}`).sort(),
      )
      const { total } = await recount(it.db, site)
      expect(total.events).toBe(orders.length)
    }
  })

  test('an id of one’s own can not be taken for that of a page view', async () => {
    const it = await start()
    const view = envelope([{}])
    await it.deliver(envelope([{ id: `${view.w}.0` }]))
    await it.deliver(view)
    await it.settled()
    expect((await recount(it.db, 'shop')).total.views).toBe(2)
  })
})

test('a collector whose lane another one takes leases another, and nothing is lost or counted twice', async () => {
  const it = await start()
  const sent: string[] = []
  const send = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const one = envelope([{}, { n: 'click' }])
      await it.deliver(one)
      sent.push(...idsOf(one))
    }
  }
  await send(10)
  const [mine] = await lanes(it.db).find().toArray()
  expect(mine).toBeDefined()
  await lanes(it.db).updateOne({ _id: mine?._id ?? -1 }, expire(1))
  await send(30)
  const held = (lane: LaneDocument) => lane.expires > new Date() && lane.holder !== 'somebody'
  await vi.waitFor(async () => expect((await lanes(it.db).find().toArray()).some(held)).toBe(true), {
    timeout: LEASE_MS,
  })
  await send(10)
  await it.folded()
  const { ids, rolledUp, byName, total } = await recount(it.db, 'shop')
  expect([...ids.keys()].sort()).toEqual(sent.sort())
  expect([...ids.values()].every(times => times === 1)).toBe(true)
  expect(rolledUp).toEqual(byName)
  expect(total).toMatchObject({ events: 100, views: 50, sessions: 1 })
  const ready = await fetch(`${it.url}/readyz`)
  expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', fenced: true }])
})

test('a lane whose holder is gone is drained by a living collector, and then given back', async () => {
  const it = await start()
  // The one that waits lies there as collectors wrote pages before they had envelopes.
  const [settled, tried] = [
    openPage([journalEvent({ id: 'a' })], { lane: 7 }),
    openPage([journalEvent({ id: 'b' })], { lane: 7 }),
  ]
  const deltas = [{ site: 'shop', dim: 'total' as const, at: 0, values: [''], counters: [[1, 1, 0, 0, 0, 0]] }]
  await it.db
    .collection<StoredPage>('journal')
    .insertMany([toStored({ ...settled, state: 'settled', settled: 1, deltas }), tried as unknown as StoredPage])
  const gone: LaneDocument = { _id: 7, holder: 'gone', sid: new UUID(), epoch: 1, expires: new Date(0), settled: 1 }
  await lanes(it.db).insertOne(gone)
  await it.folded()
  const pages = await it.db.collection<StoredPage>('journal').find({ lane: 7 }).sort({ _id: 1 }).toArray()
  expect(pages.map(page => page.settled)).toEqual([1, 2])
  await vi.waitFor(async () => {
    const lane = await lanes(it.db).findOne({ _id: 7 })
    expect([lane?.epoch, lane?.settled, +(lane?.expires ?? 1)]).toEqual([2, 2, 0])
  }, 5_000)
  expect(await lanes(it.db).countDocuments({ expires: { $gt: new Date() } })).toBe(1)
})

test('a collector that closes leaves nothing open, gives its lane back, and the next one takes the same', async () => {
  const it = await start()
  await Promise.all(Array.from({ length: 50 }, () => it.deliver(envelope([{}, {}, {}]))))
  await it.collector.close()
  expect(await it.db.collection<StoredPage>('journal').countDocuments({ foldedAt: null as never })).toBe(0)
  expect((await recount(it.db, 'shop')).total.events).toBe(150)
  expect(await lanes(it.db).find().toArray()).toMatchObject([{ expires: new Date(0) }])
})
