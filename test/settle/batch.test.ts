import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type JournalEvent, type JournalPage, type StoredPage, toStored } from '../../collector/journal/index.ts'
import { settleBatch } from '../../collector/settle/batch.ts'
import type { Fence } from '../../collector/settle/fence.ts'
import { type Lane, LaneLost, type RawEvent, raiseFence, type Session } from '../../collector/settle/index.ts'
import { lanes, leaseLane, readopt } from '../../collector/settle/lane.ts'
import { toRaw } from '../../collector/settle/raw.ts'
import { claimKey } from '../../collector/settle/seen.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

let database: FreshDatabase
let lane: Lane
let fence: Fence
beforeAll(async () => {
  database = await freshDatabase()
  await ensureCollections(database.db)
})
afterAll(() => database.drop())
beforeEach(async () => {
  lane = await leaseLane(database.db, 'me')
  fence = await raiseFence(database.db, lane)
})
afterEach(async () => {
  await fence.end()
  for (const name of ['journal', 'seen', 'sessions', 'lanes', 'parked', 'revisions'])
    await database.db.collection(name).deleteMany({})
  await database.db.collection('events').deleteMany({ 'meta.site': { $in: ['shop', 'other'] } })
})

const journal = () => database.db.collection<StoredPage>('journal')
const plant = async (events: JournalEvent[], change: Partial<JournalPage> = {}): Promise<JournalPage> => {
  const page = openPage(events, { lane: lane.id, epoch: lane.epoch, ...change })
  await journal().insertOne(toStored(page))
  return page
}
const settle = (...pages: JournalPage[]) => settleBatch({ db: database.db, lane, fence, pages })
const adoptAgain = async () => {
  await readopt(database.db, lane)
  await fence.end()
  fence = await raiseFence(database.db, lane)
}
const rawIds = async () => {
  const events = await database.db.collection<RawEvent>('events').find().toArray()
  return events.map(({ id }) => id).sort()
}
const counted = async () => {
  const rows = (await journal().find({ state: 'settled' }).toArray()).flatMap(({ deltas = [] }) => deltas)
  const totals = rows.filter(({ dim }) => dim === 'total').flatMap(({ counters }) => counters)
  return totals.reduce((sum, [events = 0]) => sum + events, 0)
}
const events = (...ids: string[]) => ids.map(id => journalEvent({ id, session: 's' }))

describe('a batch of pages', () => {
  test('each event is counted once, however often it is in a page, in a batch and in later ones', async () => {
    const first = await plant(events('a', 'b', 'a'))
    const second = await plant(events('b', 'c', 'c'))
    expect(await settle(first, second)).toBe(3)
    expect(await settle(await plant(events('c', 'a', 'd')))).toBe(1)
    expect(await rawIds()).toEqual(['a', 'b', 'c', 'd'])
    expect(await counted()).toBe(4)
    expect(await database.db.collection<Session>('sessions').findOne({ _id: 'shop:s' } as object)).toMatchObject({
      events: 4,
    })
  })

  test('raises the revisions of its sessions, by the hour and lane, once for each change of one', async () => {
    const ts = new Date('2026-10-25T10:30:00Z')
    const event = (id: string, change: Partial<JournalEvent> = {}) => journalEvent({ id, ts, session: 's', ...change })
    const revisions = () => database.db.collection('revisions').find({ site: 'shop' }).toArray()
    await settle(await plant([event('a'), event('b', { name: 'click' })]), await plant([event('c', { session: 't' })]))
    const day = new Date('2026-10-25T00:00:00Z')
    expect(await revisions()).toMatchObject([{ day, lane: lane.id, hours: { 10: 2 } }])
    await settle(await plant([event('d', { name: 'click', ts: new Date(+ts + 60_000) }), event('a')]))
    expect(await revisions()).toMatchObject([{ hours: { 10: 2 } }])
    await settle(await plant([event('e', { visitor: 'v', ts: new Date(+ts - 3_600_000) })]))
    expect(await revisions()).toMatchObject([{ hours: { 9: 1, 10: 3 } }])
  })

  test('gives each page a number of its own, without gaps', async () => {
    await settle(await plant(events('a')), await plant(events('b')))
    await settle(await plant(events('b')))
    const pages = await journal().find().sort({ _id: 1 }).toArray()
    expect(pages.map(({ settled, state }) => [settled, state])).toEqual([1, 2, 3].map(n => [n, 'settled']))
    expect(pages[2]?.deltas).toEqual([])
    expect(await lanes(database.db).findOne({ _id: lane.id })).toMatchObject({ settled: 3 })
  })

  test('can not be settled twice', async () => {
    const page = await plant(events('a', 'b'))
    await settle(page)
    const after = await journal().findOne({ _id: page._id })
    await adoptAgain()
    await expect(settle(page)).rejects.toThrow('1 pages were settled by another epoch')
    expect(await journal().findOne({ _id: page._id })).toEqual(after)
    expect(await lanes(database.db).findOne({ _id: lane.id })).toMatchObject({ settled: 1 })
    expect(await rawIds()).toEqual(['a', 'b'])
    expect(await database.db.collection('sessions').findOne()).toMatchObject({ events: 2 })
  })

  test('is all or nothing: with a page of another epoch in it that is settled, none of it counts', async () => {
    const [settled, open] = [await plant(events('a')), await plant(events('b'))]
    await settle(settled)
    await adoptAgain()
    await expect(settle(settled, open)).rejects.toThrow()
    expect(await journal().findOne({ _id: open._id })).toMatchObject({ state: 'open' })
    expect(await counted()).toBe(1)
    await adoptAgain()
    await settle(open)
    expect(await counted()).toBe(2)
    expect(await rawIds()).toEqual(['a', 'b'])
  })
})

describe('a page that an older epoch tried before', () => {
  test.each([0, 1, 2, 3])('%i of its 3 raw events are there already: it ends with each once', async there => {
    const page = await plant(events('a', 'b', 'c'), { epoch: lane.epoch - 1 })
    const done = page.events.slice(0, there).map(event => toRaw(event, page._id))
    if (done.length > 0) await database.db.collection<RawEvent>('events').insertMany(done, { ignoreUndefined: true })
    const claims = page.events.map(event => ({ _id: claimKey(event), page: page._id }))
    await database.db.collection<{ _id: string }>('seen').insertMany(claims)
    expect(await settle(page)).toBe(3)
    expect(await rawIds()).toEqual(['a', 'b', 'c'])
    expect(await counted()).toBe(3)
  })

  test('an event that another page owns stays that page’s, though it was tried later', async () => {
    const [owner, late] = [await plant(events('a')), await plant(events('a', 'b'), { epoch: lane.epoch - 1 })]
    await database.db
      .collection<{ _id: string }>('seen')
      .insertOne({ _id: 'shop:a', page: owner._id } as { _id: string })
    expect(await settle(late)).toBe(1)
    expect(await rawIds()).toEqual(['b'])
    expect(await settle(owner)).toBe(1)
    expect(await rawIds()).toEqual(['a', 'b'])
  })

  test('one that none had tried is stored without a look at the raw record, unless its claims may have expired', async () => {
    let looks = 0
    const { prepare, reading, transactions, spent, end } = fence
    const watched = {
      prepare,
      get reading() {
        looks++
        return reading
      },
      transactions,
      spent,
      end,
    }
    const settleWatched = (page: JournalPage) => settleBatch({ db: database.db, lane, fence: watched, pages: [page] })
    const older = { epoch: lane.epoch - 1 }
    await settle(await plant(events('a')))
    expect(await settleWatched(await plant(events('a', 'b'), older))).toBe(1)
    expect(looks).toBe(0)
    const at = new Date(Date.now() - 7.5 * 86_400_000)
    expect(await settleWatched(await plant(events('c'), { ...older, at }))).toBe(1)
    expect(looks).toBe(1)
    expect(await rawIds()).toEqual(['a', 'b', 'c'])
  })

  test('one that was settled, and is read as open by a primary that was just elected, is stored and counted no more', async () => {
    const page = await plant(events('a', 'b'))
    expect(await settle(page)).toBe(2)
    await expect(settle(page)).rejects.toThrow('settled by another epoch')
    expect(await rawIds()).toEqual(['a', 'b'])
    expect(await counted()).toBe(2)
  })

  test('events of the same name and id, of two sites, are two', async () => {
    const page = await plant([...events('a'), journalEvent({ id: 'a', site: 'other' })], { epoch: 0 })
    expect(await settle(page)).toBe(2)
    expect(await rawIds()).toEqual(['a', 'a'])
  })
})

describe('a lane that another collector has adopted', () => {
  test('nothing is settled in it by the one that held it', async () => {
    const page = await plant(events('a'))
    await lanes(database.db).updateOne({ _id: lane.id }, { $set: { holder: 'other' }, $inc: { epoch: 1 } })
    await expect(settle(page)).rejects.toBeInstanceOf(LaneLost)
    await expect(readopt(database.db, lane)).rejects.toBeInstanceOf(LaneLost)
    expect(await journal().findOne({ _id: page._id })).toMatchObject({ state: 'open' })
    expect(await counted()).toBe(0)
    expect(await database.db.collection('sessions').countDocuments()).toBe(0)
  })

  test('and the other one settles what the first began, each event once', async () => {
    const page = await plant(events('a', 'b'))
    await lanes(database.db).updateOne({ _id: lane.id }, { $set: { expires: new Date(0) } })
    const other = await leaseLane(database.db, 'other')
    expect([other.id, other.epoch]).toEqual([lane.id, lane.epoch + 1])
    await expect(settle(page)).rejects.toBeInstanceOf(LaneLost)
    const its = await raiseFence(database.db, other)
    const batch = { db: database.db, lane: other, fence: its, pages: [page] }
    expect(await settleBatch(batch)).toBe(2)
    await its.end()
    expect(await rawIds()).toEqual(['a', 'b'])
    expect(await counted()).toBe(2)
  })

  test('a new lane is made only when all are held', async () => {
    expect((await leaseLane(database.db, 'second')).id).toBe(lane.id + 1)
    await lanes(database.db).updateOne({ _id: lane.id }, { $set: { expires: new Date(0) } })
    expect((await leaseLane(database.db, 'third')).id).toBe(lane.id)
    expect(await lanes(database.db).countDocuments()).toBe(2)
  })
})

describe('an event that can not be stored is set aside, and all others of the page count', () => {
  test.each<[string, object]>([
    ['whose time is none', { ts: 'never' }],
    ['whose time is missing', { ts: null }],
    ['that is too large for any bucket', { props: { text: 'x'.repeat(6_000_000) } }],
  ])('one %s', async (_name, wrong) => {
    const bad = { ...journalEvent({ id: 'bad', session: 's' }), ...wrong }
    const page = await plant([...events('a', 'b', 'c'), bad as JournalEvent, ...events('d', 'e')])
    const next = await plant(events('f'))
    expect(await settle(page, next)).toBe(6)
    expect(await rawIds()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect(await counted()).toBe(6)
    const parked = await database.db.collection('parked').find().toArray()
    expect(parked).toMatchObject([{ site: 'shop', page: page._id, error: expect.any(String) }])
    expect(JSON.parse(parked[0]?.event)).toMatchObject({ id: 'bad' })
    expect(await journal().countDocuments({ state: 'open' })).toBe(0)
  })

  test('once, however often it is tried', async () => {
    const bad = { ...journalEvent({ id: 'bad' }), ts: null } as unknown as JournalEvent
    const page = await plant([bad, ...events('a')], { epoch: 0 })
    await lanes(database.db).updateOne({ _id: lane.id }, { $set: { holder: 'other' } })
    await expect(settle(page)).rejects.toBeInstanceOf(LaneLost)
    await lanes(database.db).updateOne({ _id: lane.id }, { $set: { holder: 'me' } })
    expect(await settle(page)).toBe(1)
    expect(await database.db.collection('parked').countDocuments()).toBe(1)
    expect(await rawIds()).toEqual(['a'])
  })
})
