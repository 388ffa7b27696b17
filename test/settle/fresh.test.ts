import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StoredPage, toStored } from '../../collector/journal/index.ts'
import { holdFreshPages } from '../../collector/settle/fresh.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

test('a batch of large pages ends when enough of them are read, and what was held in memory is not read', async () => {
  const journal = database.db.collection<StoredPage>('journal')
  const large = { text: 'x'.repeat(3 * 1024 * 1024) }
  const pages = Array.from({ length: 9 }, (_, i) => openPage([journalEvent({ id: `${i}`, props: large })]))
  await journal.insertMany(pages.map(toStored))
  const fresh = holdFreshPages()
  const [first, ...rest] = pages
  if (first) fresh.add(first, 100)
  const ids = pages.map(({ _id }) => _id)
  const taken = await fresh.take(journal, ids)
  expect(taken).toEqual([first, ...rest.slice(0, 6)])
  expect(taken[0]).toBe(first)
  expect(await fresh.take(journal, ids.slice(7))).toEqual(rest.slice(6))
})
