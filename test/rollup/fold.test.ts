import { ObjectId, UUID } from 'mongodb'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  type Delta,
  type Dimension,
  type JournalPage,
  type StoredPage,
  toStored,
} from '../../collector/journal/index.ts'
import { createFolder, type Minutes, OTHER, readMinutes } from '../../collector/rollup/index.ts'
import { MOST_VALUES, type RollupDocument, rollupId } from '../../collector/rollup/rollup.ts'
import { type Lane, LaneLost } from '../../collector/settle/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { openPage } from '../fixtures/events.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await ensureCollections(database.db)
})
afterAll(() => database.drop())
afterEach(() => Promise.all([journal().deleteMany({}), rollups().deleteMany({})]))

const lane: Lane = { id: 0, holder: 'me', sid: new UUID(), epoch: 1, settled: 0 }
const journal = () => database.db.collection<StoredPage>('journal')
const rollups = () => database.db.collection<RollupDocument>('rollups')
const folder = (id = 0) => createFolder(database.db, { ...lane, id })

const delta = (dim: Dimension, minute: number, rows: Record<string, number>): Delta => ({
  site: 'shop',
  dim,
  at: minute * 60_000,
  values: Object.keys(rows),
  counters: Object.values(rows).map(n => [n, 0, 0, 0, 0, 0]),
})
const settledPage = (settled: number, deltas: Delta[], change: Partial<JournalPage> = {}) =>
  openPage([], { _id: new ObjectId(), state: 'settled', settled, deltas, ...change })
const plant = (...pages: JournalPage[]) => journal().insertMany(pages.map(toStored))
const notFolded = () => journal().updateMany({}, { $unset: { foldedAt: 1 } })

/** What a reader sees: `dim minute value` → events. */
async function seen(): Promise<Record<string, number>> {
  const range = { site: 'shop', dims: ['total', 'name', 'page'] as const, from: 0, to: 1e12 }
  const read = await database.client.withSession({ snapshot: true }, session =>
    readMinutes(database.db, range, session),
  )
  return flat(read)
}
const flat = (read: Map<Dimension, Minutes>) =>
  Object.fromEntries(
    [...read].flatMap(([dim, minutes]) =>
      [...minutes].flatMap(([at, rows]) =>
        [...rows].map(([value, [n = 0]]) => [`${dim} ${at / 60_000} ${value}`, n] as const),
      ),
    ),
  )

const PAGES = () => [
  settledPage(1, [delta('total', 1, { '': 2 }), delta('page', 1, { '/a': 1, '/b': 1 })]),
  settledPage(2, [delta('total', 1, { '': 3 }), delta('total', 2, { '': 1 })]),
  settledPage(3, [delta('page', 1, { '/b': 5 }), delta('total', 2, { '': -1 })]),
]
const SUM = { 'total 1 ': 5, 'page 1 /a': 1, 'page 1 /b': 6, 'total 2 ': 0 }

test('every settled page is seen, folded or not', async () => {
  await plant(...PAGES())
  expect(await seen()).toEqual(SUM)
  expect(await rollups().countDocuments()).toBe(0)
  expect(await folder().fold()).toBe(3)
  expect(await seen()).toEqual(SUM)
  expect(await journal().countDocuments({ foldedAt: { $type: 'date' } })).toBe(3)
  expect(await rollups().countDocuments()).toBe(3)
})

test('folding again does nothing, with what is in memory and without', async () => {
  await plant(...PAGES())
  const one = folder()
  await one.fold()
  const before = await rollups().find().toArray()
  expect([await one.fold(), await folder().fold()]).toEqual([0, 0])
  expect(await rollups().find().toArray()).toEqual(before)
})

test('an end between the rollups and their pages’ mark is mended by folding again', async () => {
  await plant(...PAGES())
  await folder().fold()
  await notFolded()
  expect(await seen()).toEqual(SUM)
  expect(await folder().fold()).toBe(3)
  expect(await seen()).toEqual(SUM)
  expect(await journal().countDocuments({ foldedAt: null as never })).toBe(0)
})

test('so is an end in the middle of the rollups: some hold all, some a part, one nothing', async () => {
  const [first, second, third] = PAGES()
  if (!first || !second || !third) throw new Error('there are three pages')
  await plant(first)
  await folder().fold()
  const old = await rollups().findOne({ _id: rollupId({ site: 'shop', dim: 'page', at: 60_000 }, 0) })
  await plant(second, third)
  await folder().fold()
  if (old) await rollups().replaceOne({ _id: old._id }, old)
  await rollups().deleteOne({ _id: rollupId({ site: 'shop', dim: 'total', at: 120_000 }, 0) })
  await notFolded()
  expect(await seen()).toEqual(SUM)
  await folder().fold()
  expect(await seen()).toEqual(SUM)
})

test('pages of other lanes and open pages are left alone; reading adds lanes up', async () => {
  await plant(...PAGES(), settledPage(1, [delta('total', 1, { '': 10 })], { lane: 1 }), openPage([]))
  await folder(0).fold()
  expect(await journal().countDocuments({ foldedAt: null as never })).toBe(2)
  expect((await seen())['total 1 ']).toBe(15)
  await folder(1).fold()
  expect((await seen())['total 1 ']).toBe(15)
  expect(await rollups().countDocuments({ dim: 'total', at: new Date(60_000) })).toBe(2)
})

test('who folds a lane that somebody else folds is told so, and his pages are not marked', async () => {
  const [one, other] = [folder(), folder()]
  await plant(settledPage(1, [delta('total', 1, { '': 1 })]))
  await one.fold()
  await plant(settledPage(2, [delta('total', 1, { '': 1 })]))
  await other.fold()
  await plant(settledPage(3, [delta('total', 1, { '': 1 })]))
  await expect(one.fold()).rejects.toBeInstanceOf(LaneLost)
  expect(await journal().countDocuments({ foldedAt: null as never })).toBe(1)
  expect(await seen()).toEqual({ 'total 1 ': 3 })
  // It has forgotten what it held, so that trying again is right.
  await one.fold()
  expect(await seen()).toEqual({ 'total 1 ': 3 })
})

test('who makes a rollup that somebody else made in the meantime is told so, too', async () => {
  const [one, other] = [folder(), folder()]
  await plant(settledPage(1, [delta('total', 1, { '': 1 })]))
  const results = await Promise.allSettled([one.fold(), other.fold()])
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LaneLost)
  expect(await seen()).toEqual({ 'total 1 ': 1 })
})

test('a document of as many of the longest values as there can be is stored', async () => {
  const values = Array.from({ length: MOST_VALUES + 1_000 }, (_, i) => `${i}`.padEnd(500, '\u4e00'))
  for (let i = 0; i * 1_000 < values.length; i++) {
    const some = values.slice(i * 1_000, (i + 1) * 1_000)
    await plant(settledPage(i + 1, [delta('page', 1, Object.fromEntries(some.map(value => [value, 1])))]))
  }
  await folder().fold()
  const rows = Object.entries(await seen())
  expect(rows).toHaveLength(MOST_VALUES + 1)
  expect(rows.find(([key]) => key.endsWith(OTHER))?.[1]).toBe(1_000)
})

test('who reads while it is folded sees each settled page once, at every moment', async () => {
  const one = folder()
  let settled = 0
  let reads = 0
  let done = false
  const write = async () => {
    for (; settled < 80; ) {
      const page = settledPage(settled + 1, [
        delta('total', (settled % 3) + 1, { '': 1 }),
        delta('name', 1, { [`n${settled % 7}`]: 1 }),
      ])
      await plant(page)
      settled++
    }
  }
  const fold = async () => {
    while (!done) await one.fold()
  }
  const read = async () => {
    while (!done) {
      const before = settled
      const rows = Object.entries(await seen())
      const after = settled
      for (const dim of ['total', 'name']) {
        const sum = rows.filter(([key]) => key.startsWith(dim)).reduce((all, [, n]) => all + n, 0)
        expect(sum).toBeGreaterThanOrEqual(before)
        // One more may be written and not be counted yet.
        expect(sum).toBeLessThanOrEqual(after + 1)
      }
      reads++
    }
  }
  const others = [fold(), read(), read()]
  await write()
  done = true
  await Promise.all(others)
  expect(reads).toBeGreaterThan(5)
  expect(Object.values(await seen()).reduce((sum, n) => sum + n, 0)).toBe(160)
})
