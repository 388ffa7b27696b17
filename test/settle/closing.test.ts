import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StoredPage, toStored } from '../../collector/journal/index.ts'
import { type RawEvent, startSettler } from '../../collector/settle/index.ts'
import { leaseLane, release } from '../../collector/settle/lane.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

const PAGES = 60
let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await ensureCollections(database.db)
})
afterAll(() => database.drop())

test('closing with no patience leaves a backlog open for the next holder, who settles all of it, each once', async () => {
  const { db, client } = database
  const journal = db.collection<StoredPage>('journal')
  const first = await leaseLane(db, 'first')
  for (let i = 0; i < PAGES; i++) {
    const events = Array.from({ length: 500 }, (_, n) => journalEvent({ id: `${i}.${n}` }))
    await journal.insertOne(toStored(openPage(events, { lane: first.id, epoch: first.epoch })))
  }
  const errors: unknown[] = []
  const options = { client, db, failed: (error: unknown) => errors.push(error), lost: () => {} }
  const settler = startSettler({ ...options, lane: first })
  await settler.close(0)
  expect(await journal.countDocuments({ state: 'open' })).toBeGreaterThan(0)

  await release(db, first)
  const second = await leaseLane(db, 'second')
  expect(second.id).toBe(first.id)
  const next = startSettler({ ...options, lane: second })
  await next.close(60_000)
  expect(await journal.countDocuments({ state: 'open' })).toBe(0)
  expect(settler.settled + next.settled).toBe(PAGES * 500)
  expect(await db.collection<RawEvent>('events').countDocuments()).toBe(PAGES * 500)
  expect(errors).toEqual([])
})
