/** Building at the same time, and after who has ended in the middle. */
import { ObjectId } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Session } from '../../collector/settle/index.ts'
import { SKETCHED_FIELDS, type Told } from '../../collector/sketch/documents.ts'
import {
  buildDay,
  buildWeek,
  emptySketch,
  estimate,
  readSpans,
  readTotals,
  readValues,
  type SketchedSpan,
  unitePacked,
} from '../../collector/sketch/index.ts'
import { dueWeeks } from '../../collector/sketch/week.ts'
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
    const { spans } = await readSpans(database.db, asked, { session })
    const read: string[] = []
    for await (const { value } of readValues(database.db, { site: 'shop', field: 'source', spans }, { session }))
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

describe('a week', () => {
  /** a Monday */
  const FROM = Date.parse('2026-11-02T00:00:00Z')
  const WEEK = { from: FROM, to: FROM + 7 * DAY }
  const SITE = { key: 'weekly', timezone: 'UTC', from: FROM - DAY, to: FROM + 9 * DAY }
  const dayAt = (place: number) => ({ from: FROM + place * DAY, to: FROM + (place + 1) * DAY })
  const buildDayAt = (place: number) => buildDay(database.db, SITE.key, dayAt(place), 0)
  const reviseAt = (place: number) =>
    database.db
      .collection<{ site: string; day: Date; hours: object }>('revisions')
      .updateOne({ site: SITE.key, day: new Date(FROM + place * DAY) }, { $inc: { 'hours.1': 1 } })
  const due = (at = WEEK.to + DAY) =>
    dueWeeks(database.db, { site: SITE.key, zone: 'UTC', from: SITE.from, to: at, wait: 0 })
  const read = (told: Told, fits = (_: { from: number; to: number }) => true) =>
    database.client.withSession({ snapshot: true }, async session => {
      const asked = { site: SITE.key, from: SITE.from, to: SITE.to, told, fits }
      const { spans } = await readSpans(database.db, asked, { session })
      return spans
    })
  const lengths = async (...asked: Parameters<typeof read>) =>
    (await read(...asked)).map(({ from, to }) => (to - from) / DAY)
  const valuesOf = (spans: SketchedSpan[]) =>
    database.client.withSession({ snapshot: true }, async session => {
      const sums = new Map<string, ReturnType<typeof emptySketch>>()
      for await (const { value, packed } of readValues(
        database.db,
        { site: SITE.key, field: 'source', spans },
        { session },
      )) {
        const sum = sums.get(value) ?? emptySketch(12)
        sums.set(value, sum)
        unitePacked(sum, packed)
      }
      return new Map([...sums].map(([value, sum]) => [value, estimate(sum)]))
    })
  const totalOf = (told: 'visits' | 'events' | 'views', spans: SketchedSpan[]) =>
    database.client.withSession({ snapshot: true }, async session => {
      const sum = emptySketch(14)
      for await (const { packed } of readTotals(database.db, { site: SITE.key, told, spans }, { session }))
        unitePacked(sum, packed)
      return estimate(sum)
    })

  beforeAll(async () => {
    await record(database.db, [makeEvents(SITE, 11)], () => 'UTC')
    for (let place = -1; place < 9; place++) if (place !== 3) await buildDayAt(place)
  })

  test('of which a day is missing is not built', async () => {
    expect(await due()).toEqual([])
    expect(await buildWeek(database.db, SITE.key, WEEK, 0)).toBe(false)
    await buildDayAt(3)
    expect(await due(WEEK.to - 1)).toEqual([])
    expect(await due()).toEqual([WEEK])
  })

  test('is read in the place of its days, and says the same', async () => {
    const days = await read('source')
    expect(await buildWeek(database.db, SITE.key, WEEK, 0)).toBe(true)
    expect(await buildWeek(database.db, SITE.key, WEEK, 0)).toBe(false)
    expect(await due()).toEqual([])
    const spans = await read('source')
    expect([days.length, spans.map(({ grain }) => grain)]).toEqual([10, ['day', 'week', 'day', 'day']])
    const said = await valuesOf(spans)
    expect(said.size).toBeGreaterThan(1)
    expect(said).toEqual(await valuesOf(days))
    for (const told of ['visits', 'events', 'views'] as const) {
      const weeks = (await read(told)).filter(({ grain }) => grain === 'week')
      const own = (await read(told, span => span.to - span.from === DAY)).filter(
        ({ from, to }) => from >= WEEK.from && to <= WEEK.to,
      )
      const total = await totalOf(told, own)
      expect(total.count).toBeGreaterThan(10)
      expect(await totalOf(told, weeks)).toEqual(total)
    }
  })

  test('is not read where its days are counted apart, nor when one of them was built anew', async () => {
    expect(await lengths('source', ({ from, to }) => to - from === DAY)).toEqual(Array(10).fill(1))
    await reviseAt(4)
    expect(await buildDayAt(4)).toBe(true)
    expect(await lengths('source')).toEqual(Array(10).fill(1))
    expect(await due()).toEqual([WEEK])
    expect(await buildWeek(database.db, SITE.key, WEEK, 0)).toBe(true)
    expect(await lengths('source')).toEqual([1, 7, 1, 1])
    // Of the one before nothing is left.
    const left = await sketches().distinct('version', { site: SITE.key, dim: /^week/ })
    expect(left).toHaveLength(1)
  })

  test('of several that build it at the same time one wins, and nothing of the others is left', async () => {
    await reviseAt(2)
    await buildDayAt(2)
    const built = await Promise.all(Array.from({ length: 4 }, () => buildWeek(database.db, SITE.key, WEEK, 0)))
    expect(built.filter(Boolean)).toHaveLength(1)
    expect(await sketches().distinct('version', { site: SITE.key, dim: /^week/ })).toHaveLength(1)
    expect(await lengths('source')).toEqual([1, 7, 1, 1])
  })
})
