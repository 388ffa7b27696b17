/** The present is read once for all who ask, and let go when the last of them has. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
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

test('who comes soon after reads in the same snapshot, unless something was counted since', async () => {
  const lanes = database.db.collection<{ _id: number; settled: number; changes?: number }>('lanes')
  await lanes.insertOne({ _id: 0, settled: 3 }, { writeConcern: { w: 'majority' } })
  const present = createPresent(database.client, database.db, 60_000)
  const ask = async () => {
    const { session, moment, release } = await present()
    release()
    return { session, at: moment.at }
  }
  const [first, second] = [await ask(), await ask()]
  expect(second.session).toBe(first.session)
  expect(first.session.hasEnded).toBe(false)
  // It is known to be so now.
  expect(second.at).toBeGreaterThanOrEqual(first.at)
  let before = first
  for (const change of [{ $inc: { settled: 1 } }, { $inc: { changes: 1 } }]) {
    await lanes.updateOne({ _id: 0 }, change, { writeConcern: { w: 'majority' } })
    const next = await ask()
    expect(next.session).not.toBe(before.session)
    expect([before.session.hasEnded, next.session.hasEnded]).toEqual([true, false])
    before = next
  }
})

test('and is let go when nobody has come for a while', async () => {
  const present = createPresent(database.client, database.db, 1)
  const { session, release } = await present()
  await vi.waitFor(async () => {
    // Held by who asked alone.
    const { session: another, release: letGo } = await present()
    letGo()
    expect(another).not.toBe(session)
  })
  expect(session.hasEnded).toBe(false)
  release()
  expect(session.hasEnded).toBe(true)
})
