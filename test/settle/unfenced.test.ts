import { type Db, MongoClient } from 'mongodb'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { StoredPage } from '../../collector/journal/index.ts'
import { startPipeline } from '../../collector/pipeline.ts'
import { noFence, type RawEvent, testFence } from '../../collector/settle/index.ts'
import { lanes, leaseLane } from '../../collector/settle/lane.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent } from '../fixtures/events.ts'

let database: FreshDatabase
/** of a driver that sends no transaction numbers; `connect` refuses it */
let unnumbered: MongoClient
beforeAll(async () => {
  database = await freshDatabase()
  unnumbered = new MongoClient(database.uri, { retryWrites: false, ignoreUndefined: true })
  await ensureCollections(database.db)
})
afterAll(async () => {
  await unnumbered.close()
  await database.drop()
})

const raw = () => database.db.collection<RawEvent>('events')
const TWICE = 'an insert that is sent twice is stored 2 times'

describe('the self-test', () => {
  afterEach(async () => {
    expect(await raw().countDocuments()).toBe(0)
    expect(await lanes(database.db).countDocuments()).toBe(0)
  })

  test('passes here, however many collectors start at once, and leaves nothing behind', async () => {
    const faults = await Promise.all([1, 2, 3].map(() => testFence(database.db)))
    expect(faults).toEqual([undefined, undefined, undefined])
  })

  test('removes what others left that were killed, an hour ago or before, and what is at work it leaves alone', async () => {
    const left = ['3f2a', `${(Date.now() - 3_700_000).toString(36)} 3f2a`]
    const atWork = `${(Date.now() - 60_000).toString(36)} 3f2a`
    for (const name of [...left, atWork])
      await raw().insertOne({ ts: new Date(), meta: { site: '_fence', name } } as RawEvent)
    expect(await testFence(database.db)).toBeUndefined()
    expect(await raw().distinct('meta.name')).toEqual([atWork])
    await raw().deleteMany({ 'meta.site': '_fence' })
  })

  test('says what is wrong, and leaves nothing behind', async () => {
    expect(await testFence(unnumbered.db(database.name))).toBe(TWICE)
  })

  test('does not trust a sharded cluster', async () => {
    const mongos: Db = Object.assign(Object.create(database.db), { command: async () => ({ msg: 'isdbgrid' }) })
    expect(await testFence(mongos)).toContain('sharded')
  })

  test('blames nobody for a server that is away', async () => {
    const away = new MongoClient('mongodb://127.0.0.1:1/', { serverSelectionTimeoutMS: 50 })
    await expect(testFence(away.db('x'))).rejects.toThrow('ECONNREFUSED')
    await away.close()
  })
})

test('a collector that can not be fenced says so loudly and works without', async () => {
  const lines: { level: number; fault?: string }[] = []
  const log = pino({ base: null }, { write: line => void lines.push(JSON.parse(line)) })
  const db = unnumbered.db(database.name)
  const pipeline = await startPipeline({ db, log }, 1_000_000)
  expect(pipeline.fenced).toBe(false)
  expect(lines).toMatchObject([{ level: pino.levels.values.error, fault: TWICE }])
  await pipeline.journal.append([journalEvent({ id: 'a' }), journalEvent({ id: 'b' })], 1_000)
  await pipeline.close()
  expect((await raw().find().toArray()).map(({ id }) => id).sort()).toEqual(['a', 'b'])
  const journal = database.db.collection<StoredPage>('journal')
  await vi.waitFor(async () => expect(await journal.countDocuments({ foldedAt: { $ne: null as never } })).toBe(1))
  expect(await lanes(database.db).findOne()).not.toHaveProperty('fence')
})

test('without a fence raw events are read at a majority all the same', async () => {
  const fence = await noFence(database.db, await leaseLane(database.db, 'me'))
  expect(fence.reading).toEqual({ readConcern: { level: 'majority' } })
})
