/** The present is read once for all who ask, and let go when the last of them has. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPresent } from '../../collector/query/present.ts'
import { once } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

test('who asks at the same time has the same session, which ends when the last one lets go', async () => {
  const present = createPresent(database.client, database.db)
  const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => present()))
  // The first has begun it; those who came meanwhile have the next.
  expect(new Set(others.map(({ session }) => session)).size).toBe(1)
  expect(others[0]?.session).not.toBe(first?.session)
  const [one] = others
  if (!one || !first) throw new Error('nobody is there')
  first.release()
  expect(first.session.hasEnded).toBe(true)
  const again = one.hold()
  for (const { release } of others) {
    release()
    // Twice is once.
    release()
  }
  expect(one.session.hasEnded).toBe(false)
  again.release()
  expect(one.session.hasEnded).toBe(true)
})

test('what several read in it is read once, and by who comes later anew', async () => {
  const present = createPresent(database.client, database.db)
  const reads = database.db.collection<{ _id: string }>('read')
  const count = async () => {
    const { session, release } = await present()
    const read = () => once({ session }, 'read', () => reads.countDocuments({}, { session }))
    const both = [await read()]
    await reads.insertOne({ _id: String(Math.random()) }, { writeConcern: { w: 'majority' } })
    both.push(await read())
    release()
    return both
  }
  expect([await count(), await count()]).toEqual([
    [0, 0],
    [1, 1],
  ])
})
