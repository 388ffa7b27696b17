import type { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readOplog } from '../../collector/status/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'

let it: FreshDatabase
beforeAll(async () => {
  it = await freshDatabase()
})
afterAll(() => it.drop())

test('says how far the oplog reaches back: less than the run of this mongod, and more than nothing', async () => {
  await it.db.collection('some').insertOne({})
  const oplog = await readOplog(it.client)
  expect(oplog?.reachesMs).toBeGreaterThan(0)
  expect(oplog?.reachesMs).toBeLessThan(24 * 3_600_000)
  expect(oplog?.filled).toBeGreaterThan(0)
  expect(oplog?.filled).toBeLessThanOrEqual(1)
})

test('where it can’t be read nothing is said, and nothing fails', async () => {
  const failing = () => Promise.reject(new Error('not authorized on local'))
  const collection = { findOne: failing, aggregate: () => ({ toArray: failing }) }
  const refused = { db: () => ({ collection: () => collection }) } as unknown as MongoClient
  expect(await readOplog(refused)).toBeUndefined()
})
