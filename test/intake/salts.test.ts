import { Binary } from 'mongodb'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createSalts, type SaltDocument } from '../../collector/intake/salts.ts'
import { connect, ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { startTestMongod } from '../fixtures/test-mongod.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  await ensureCollections(database.db)
})
afterAll(() => database.drop())
afterEach(() => salts().deleteMany({}))

const salts = () => database.db.collection<SaltDocument>('salts')

/** A collector's salts, and its clock. */
function collector(now: number, db = database.db) {
  const clock = { now }
  const own = createSalts(db, () => clock.now)
  const get = async (at: number, zone = 'UTC'): Promise<string | undefined> => {
    const found = own.find(at, zone)
    if (found && !Buffer.isBuffer(found)) await own.load(found)
    const salt = own.find(at, zone)
    return Buffer.isBuffer(salt) ? salt.toString('hex') : undefined
  }
  return { clock, get, find: own.find }
}

test('collectors that ask at once for a day’s salt all get the same one', async () => {
  const now = Date.now()
  const all = await Promise.all(Array.from({ length: 20 }, () => collector(now).get(now)))
  expect(new Set(all).size).toBe(1)
  expect(all[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(await salts().countDocuments()).toBe(1)
})

test('each day of each time zone has a salt of its own, and it tells nothing of a visitor', async () => {
  const noon = Date.parse('2026-03-28T12:00:00Z')
  const { get } = collector(noon + DAY / 2)
  const all = [await get(noon), await get(noon - DAY / 2), await get(noon + DAY / 2 - 1), await get(noon + DAY / 2)]
  expect(all[0]).toBe(all[1])
  expect(all[0]).toBe(all[2])
  expect(new Set([...all, await get(noon, 'Europe/Berlin')]).size).toBe(3)
  const documents = await salts().find().toArray()
  for (const document of documents) expect(Object.keys(document).sort()).toEqual(['_id', 'expires', 'salt'])
  expect(documents.map(({ _id }) => _id).sort()).toEqual([
    'Europe/Berlin 2026-03-28',
    'UTC 2026-03-28',
    'UTC 2026-03-29',
  ])
})

test('a day begins and ends where its time zone says, also when it has 23 or 25 hours', async () => {
  const midnight = Date.parse('2026-03-29T00:00:00+01:00')
  const { get } = collector(midnight + 24 * HOUR)
  const first = await get(midnight, 'Europe/Berlin')
  expect(await get(midnight + 23 * HOUR - 1, 'Europe/Berlin')).toBe(first)
  expect(await get(midnight + 23 * HOUR, 'Europe/Berlin')).not.toBe(first)
  expect(await get(midnight - 1, 'Europe/Berlin')).not.toBe(first)
  const autumn = Date.parse('2026-10-25T00:00:00+02:00')
  const later = collector(autumn + 26 * HOUR)
  expect(await later.get(autumn + 25 * HOUR - 1, 'Europe/Berlin')).toBe(await later.get(autumn, 'Europe/Berlin'))
  expect(await later.get(autumn + 25 * HOUR, 'Europe/Berlin')).not.toBe(await later.get(autumn, 'Europe/Berlin'))
})

test('two days after a day began its salt is gone from memory, and is never made again', async () => {
  const day = Date.parse('2026-03-28T00:00:00Z')
  const { clock, get, find } = collector(day)
  const salt = await get(day)
  clock.now = day + 2 * DAY - 1
  expect(await get(day)).toBe(salt)
  clock.now = day + 2 * DAY
  expect(find(day, 'UTC')).toBeUndefined()
  expect(await get(day)).toBeUndefined()
  // Nor by a collector that was started later, or that asks the database.
  await salts().deleteMany({})
  expect(await collector(day + 2 * DAY).get(day)).toBeUndefined()
  expect(await salts().countDocuments()).toBe(0)
})

test('MongoDB deletes the salts of two days ago, and leaves those of today and yesterday', async () => {
  const mongod = await startTestMongod('ttlMonitorSleepSecs=1')
  const client = await connect(mongod.uri, { appName: 'livetag-test' })
  try {
    const db = client.db('salts')
    await ensureCollections(db)
    const now = Date.now()
    // Made as two days ago: by a collector whose clock shows that.
    const old = await collector(now - 2 * DAY, db).get(now - 2 * DAY)
    expect(old).toHaveLength(64)
    const { get } = collector(now, db)
    const [today, yesterday] = [await get(now), await get(now - DAY)]
    const held = async () =>
      (await db.collection<SaltDocument>('salts').find().toArray()).map(({ salt }) =>
        Buffer.from(salt.buffer).toString('hex'),
      )
    await vi.waitFor(async () => expect(await held()).not.toContain(old), { timeout: 20_000, interval: 100 })
    expect((await held()).sort()).toEqual([today, yesterday].sort())
    // What README and `livetag doctor` say is true: the oplog has it still.
    const logged = client.db('local').collection('oplog.rs')
    const entry = await logged.findOne({
      op: 'i',
      ns: 'salts.salts',
      'o.salt': new Binary(Buffer.from(old ?? '', 'hex')),
    })
    expect(entry).not.toBeNull()
  } finally {
    await client.close()
    await mongod.close()
  }
}, 60_000)
