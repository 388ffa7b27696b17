import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type JournalPage, type StoredPage, toStored } from '../../collector/journal/index.ts'
import { lanes, leaseLane } from '../../collector/settle/index.ts'
import { readStatus } from '../../collector/status/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

let it: FreshDatabase
beforeAll(async () => {
  it = await freshDatabase()
  await ensureCollections(it.db)
})
afterAll(() => it.drop())
afterEach(async () => {
  for (const name of ['lanes', 'journal', 'parked']) await it.db.collection(name).deleteMany({})
})

const plant = (change: Partial<JournalPage>, ...ids: string[]) =>
  it.db.collection<StoredPage>('journal').insertOne(
    toStored(
      openPage(
        ids.map(id => journalEvent({ id })),
        change,
      ),
    ),
  )

test('a deployment where nothing has run yet is well', async () => {
  expect(await readStatus(it.db)).toEqual({ ok: true, lanes: [], parked: 0, rejected: 0 })
})

test('tells what waits in each lane, for how long, and who holds it', async () => {
  for (const holder of ['one', 'two']) await leaseLane(it.db, holder)
  await plant({ at: new Date(Date.now() - 90_000) }, 'a', 'b')
  await plant({ at: new Date(Date.now() - 1_000) }, 'c')
  await plant({ at: new Date(0), state: 'settled', settled: 1 }, 'd')
  await plant({ at: new Date(0), state: 'settled', settled: 1, foldedAt: new Date() }, 'e')
  const { ok, lanes: all } = await readStatus(it.db)
  expect(ok).toBe(true)
  expect(all).toMatchObject([
    { lane: 0, holder: 'one', live: true, epoch: 1, open: { pages: 2, events: 3 }, unfolded: 1 },
    { lane: 1, holder: 'two', live: true, epoch: 1, open: { pages: 0, events: 0, lag: 0 }, unfolded: 0 },
  ])
  expect(all[0]?.open.lag).toBeGreaterThanOrEqual(89)
  expect(all[0]?.open.lag).toBeLessThan(150)
  expect(all[0]?.expiresIn).toBeGreaterThan(0)
  expect(all[0]?.expiresIn).toBeLessThanOrEqual(10)
})

test('a lane without a live holder is no fault before it has work', async () => {
  const { id } = await leaseLane(it.db, 'gone')
  await lanes(it.db).updateOne({ _id: id }, { $set: { expires: new Date(Date.now() - 60_000) } })
  expect(await readStatus(it.db)).toMatchObject({ ok: true, lanes: [{ live: false, holder: 'gone' }] })
  await plant({ state: 'settled', settled: 1 }, 'a')
  const { ok, lanes: all } = await readStatus(it.db)
  expect([ok, all[0]?.unfolded]).toEqual([false, 1])
  expect(all[0]?.expiresIn).toBeLessThan(-50)
})

test('a lane that nobody has any document of is shown by its pages', async () => {
  await plant({ lane: 7 }, 'a')
  expect(await readStatus(it.db)).toMatchObject({ ok: false, lanes: [{ lane: 7, live: false, expiresIn: null }] })
})

test('counts what was set aside, and what was rejected in the last hour', async () => {
  await it.db.collection('parked').insertOne({ site: 'shop' })
  const at = (ago: number) => ({ at: new Date(Date.now() - ago), site: 'shop', name: 'x', reason: 'too-late' })
  await it.db.collection('rejects').insertMany([
    { ...at(1_000), n: 3 },
    { ...at(60_000), n: 2 },
    { ...at(3_700_000), n: 100 },
  ])
  expect(await readStatus(it.db)).toMatchObject({ ok: true, parked: 1, rejected: 5 })
})
