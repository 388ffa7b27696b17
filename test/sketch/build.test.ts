/** Building at the same time, and after who has ended in the middle. */
import { ObjectId } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Session } from '../../collector/settle/index.ts'
import { SKETCHED_FIELDS } from '../../collector/sketch/documents.ts'
import { buildDay, readDays, readValues } from '../../collector/sketch/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { makeEvents, record } from '../query/recorded.ts'

const DAY = 86_400_000
const FIRST = Date.parse('2026-10-23T00:00:00Z')
const SPAN = { from: FIRST, to: FIRST + DAY }

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  const site = { key: 'shop', timezone: 'UTC', from: FIRST, to: FIRST + DAY }
  await record(database.db, [makeEvents(site, 5)], () => 'UTC')
})
afterAll(() => database.drop())

const sketches = () => database.db.collection<{ _id: string; version?: ObjectId; dim?: string }>('sketches')
/** Of all that is there. */
const versions = async () => await sketches().distinct('version', { dim: { $exists: true } })
const revise = () =>
  database.db.collection<{ hours: object }>('revisions').updateOne({ site: 'shop' }, { $inc: { 'hours.1': 1 } })

test('a day is built once, and again when its sessions were revised', async () => {
  expect(await buildDay(database.db, 'shop', SPAN, 0)).toBe(true)
  expect(await buildDay(database.db, 'shop', SPAN, 0)).toBe(false)
  const [first] = await versions()
  await revise()
  expect(await buildDay(database.db, 'shop', SPAN, 0)).toBe(true)
  expect(await versions()).toHaveLength(1)
  expect(await versions()).not.toEqual([first])
})

test('of several at the same time one wins, and nothing of the others is left', async () => {
  for (let round = 0; round < 5; round++) {
    await revise()
    if (round === 3) await sketches().deleteMany({ dim: { $exists: true } })
    const built = await Promise.all(Array.from({ length: 4 }, () => buildDay(database.db, 'shop', SPAN, 0)))
    expect(built.filter(Boolean)).toHaveLength(1)
    expect(await versions()).toHaveLength(1)
    // A head, and a chunk of each attribute.
    expect(await sketches().countDocuments({ dim: { $exists: true } })).toBe(1 + SKETCHED_FIELDS.length)
  }
})

test('what somebody has left who ended in the middle goes with the next building', async () => {
  const chunk = await sketches().findOne({ dim: 'source' })
  if (!chunk) throw new Error('nothing is built')
  await sketches().insertOne({ ...chunk, _id: 'left', version: new ObjectId() })
  // Nor is it read until then.
  const sources = await database.client.withSession({ snapshot: true }, async session => {
    const asked = { site: 'shop', ...SPAN, told: 'source', fits: () => true } as const
    const { days } = await readDays(database.db, asked, { session })
    const read: string[] = []
    for await (const { value } of readValues(database.db, { site: 'shop', field: 'source', days }, { session }))
      read.push(value)
    return read
  })
  expect(sources.length).toBeGreaterThan(1)
  expect(sources).toHaveLength(new Set(sources).size)
  await revise()
  await buildDay(database.db, 'shop', SPAN, 0)
  expect(await sketches().findOne({ _id: 'left' })).toBeNull()
})

test('it says nothing of who the visitors are but hashes that no other site has', async () => {
  const texts = JSON.stringify(await sketches().find().toArray())
  for (const { visitor } of await database.db.collection<Session>('sessions').find().toArray())
    if (visitor?.startsWith('~')) expect(texts).not.toContain(visitor)
})

test('days of a zone that the site no longer has go when those of the new one are built', async () => {
  const begins = async () => (await sketches().distinct('at')).map(Number)
  const [day, half] = [DAY, DAY / 2]
  await buildDay(database.db, 'shop', { from: FIRST + day, to: FIRST + 2 * day }, 0)
  await buildDay(database.db, 'shop', { from: FIRST + half, to: FIRST + half + day }, 0)
  expect(await begins()).toEqual([FIRST + half])
  await buildDay(database.db, 'shop', SPAN, 0)
  await buildDay(database.db, 'shop', { from: FIRST + day, to: FIRST + 2 * day }, 0)
  expect(await begins()).toEqual([FIRST, FIRST + day])
})
