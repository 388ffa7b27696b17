import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createJournal,
  fromStored,
  type Journal,
  JournalError,
  type JournalPage,
  type StoredPage,
} from '../../collector/journal/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent } from '../fixtures/events.ts'

let database: FreshDatabase
let journal: Journal
const written: { page: JournalPage; bytes: number; requests: number }[] = []

beforeAll(async () => {
  database = await freshDatabase()
  // A server that refuses a page, for the tests of what happens then.
  await database.db.createCollection('journal', { validator: { 'envelopes.events.name': { $ne: 'refused' } } })
})
afterAll(() => database.drop())
beforeEach(() => {
  written.length = 0
  journal = createJournal({
    pages: pages(),
    lane: () => ({ id: 3, epoch: 7 }),
    limit: 10_000,
    written: (page, bytes, requests) => written.push({ page, bytes, requests }),
  })
})
afterEach(async () => {
  await journal.close()
  await pages().deleteMany({})
})

const pages = () => database.db.collection<StoredPage>('journal')
const stored = async () => (await pages().find().sort({ _id: 1 }).toArray()).map(fromStored)
const why = (promise: Promise<void>) =>
  promise.then(
    () => 'durable',
    (error: unknown) => (error instanceof JournalError ? error.why : error),
  )

describe('what arrives together becomes one page', () => {
  test('of the lane and its epoch, open, in the order of arrival', async () => {
    const ids = Array.from({ length: 300 }, (_, i) => `e${i}`)
    await Promise.all(ids.map(id => journal.append([journalEvent({ id })], 1)))
    const [page, ...others] = await stored()
    expect(others).toEqual([])
    expect(page).toMatchObject({ lane: 3, epoch: 7, n: 300, state: 'open' })
    expect(page?.events.map(({ id }) => id)).toEqual(ids)
    expect(page).not.toHaveProperty('settled')
    expect(page).not.toHaveProperty('foldedAt')
  })

  test('and of 500 events at most; pages follow each other in the order of arrival', async () => {
    const ids = Array.from({ length: 2_100 }, (_, i) => `e${i}`)
    await Promise.all(ids.map(id => journal.append([journalEvent({ id })], 1)))
    const found = await stored()
    expect(found.map(({ n }) => n)).toEqual([500, 500, 500, 500, 100])
    expect(found.flatMap(({ events }) => events.map(({ id }) => id))).toEqual(ids)
  })

  test('a request is never divided', async () => {
    const request = (name: string) => Array.from({ length: 300 }, (_, i) => journalEvent({ id: `${name}${i}` }))
    await Promise.all(['a', 'b', 'c'].map(name => journal.append(request(name), 1)))
    expect((await stored()).map(({ n }) => n)).toEqual([300, 300, 300])
  })

  test('at most 1 MB together', async () => {
    const large = createJournal({ pages: pages(), lane: () => ({ id: 0, epoch: 1 }), limit: 10_000_000 })
    const ids = ['a', 'b', 'c', 'd', 'e']
    await Promise.all(ids.map(id => large.append([journalEvent({ id })], 400_000)))
    expect((await stored()).map(({ n }) => n)).toEqual([2, 2, 1])
  })

  test('whoever waits for settling is told of each page, its bytes and its requests', async () => {
    await Promise.all(['a', 'b', 'c'].map((id, i) => journal.append([journalEvent({ id })], i + 1)))
    expect(written.map(({ page, bytes, requests }) => [page.n, bytes, requests])).toEqual([[3, 6, 3]])
  })
})

test('it is durable when it is acknowledged', async () => {
  await journal.append([journalEvent({ id: 'a' })], 1)
  expect(await pages().countDocuments({}, { readConcern: { level: 'majority' } })).toBe(1)
})

test('past its bound in bytes it takes nothing, and takes again when what waited is written', async () => {
  const first = [4_000, 4_000].map((bytes, i) => journal.append([journalEvent({ id: `a${i}` })], bytes))
  expect(journal.waiting).toBe(8_000)
  expect(await why(journal.append([journalEvent({ id: 'late' })], 4_000))).toBe('full')
  await Promise.all(first)
  expect(journal.waiting).toBe(0)
  expect(await why(journal.append([journalEvent({ id: 'again' })], 4_000))).toBe('durable')
  const ids = (await stored()).flatMap(({ events }) => events.map(({ id }) => id))
  expect(ids).toEqual(['a0', 'a1', 'again'])
})

test('a page that could not be written is told to each of its requests, and the next one is taken', async () => {
  expect(journal.healthy).toBe(true)
  const together = ['fine', 'refused'].map(name => why(journal.append([journalEvent({ id: name, name })], 10)))
  expect(await Promise.all(together)).toEqual(['away', 'away'])
  expect([journal.healthy, journal.waiting]).toEqual([false, 0])
  expect(written).toEqual([])
  expect(await why(journal.append([journalEvent({ id: 'next' })], 10))).toBe('durable')
  expect(journal.healthy).toBe(true)
  expect((await stored()).flatMap(({ events }) => events.map(({ id }) => id))).toEqual(['next'])
})

test('closing writes what waits and takes nothing more', async () => {
  const waiting = Array.from({ length: 1_200 }, (_, i) => why(journal.append([journalEvent({ id: `e${i}` })], 1)))
  await journal.close()
  expect((await stored()).reduce((sum, { n }) => sum + n, 0)).toBe(1_200)
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['durable']))
  expect(await why(journal.append([journalEvent({ id: 'late' })], 1))).toBe('away')
  expect(await pages().countDocuments({ 'envelopes.events.id': 'late' })).toBe(0)
})
