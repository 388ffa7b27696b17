/** Sketches that were read are held: what is asked again, or has come along, is read no more. */
import { Binary, ObjectId } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type ChunkDocument,
  chunkId,
  type HeadDocument,
  headId,
  heads,
  sketches,
} from '../../collector/sketch/documents.ts'
import { createHeldSketches } from '../../collector/sketch/index.ts'
import { addHash, emptySketch, estimate, packSketch, unpackSketch } from '../../collector/sketch/sketch.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'

const SITE = 'shop'
const DAY = 86_400_000
const version = new ObjectId()
const spans = [
  { grain: 'day' as const, from: 0, version, name: version.toHexString() },
  { grain: 'day' as const, from: DAY, version: new ObjectId(), name: 'another' },
]

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

const sketchOf = (visitors: number, precision: 12 | 14 = 12): Binary => {
  const sketch = emptySketch(precision)
  for (let n = 1; n <= visitors; n++) addHash(sketch, n * 1_000_003)
  return new Binary(packSketch(sketch))
}
const shared = { site: SITE, at: new Date(0), version, expires: new Date(Date.now() + DAY) }
const chunk = (place: number, values: Record<string, number>): ChunkDocument => ({
  _id: chunkId(SITE, 0, 'source', version, place),
  ...shared,
  dim: 'source',
  values: Object.keys(values),
  sketches: Object.values(values).map(n => sketchOf(n)),
})

test('values of a chunk that came along need not be read, nor those that are nowhere', async () => {
  const { db, client } = database
  await sketches(db).insertMany([chunk(0, { news: 3, mail: 200 }), chunk(1, { wiki: 1 })])
  const held = createHeldSketches()
  const read = (...wanted: string[]) =>
    client.withSession({ snapshot: true }, async session => {
      const found = await held.values(db, { site: SITE, field: 'source', spans, wanted: new Set(wanted) }, { session })
      return Object.fromEntries(found.map(({ value, packed }) => [value, estimate(unpackSketch(packed)).count]))
    })
  expect(await read('news', 'none')).toEqual({ news: 3 })
  await sketches(db).deleteOne({ _id: chunkId(SITE, 0, 'source', version, 0) })
  expect(await read('news', 'mail', 'none')).toEqual({ news: 3, mail: 200 })
  // Of a chunk that nobody has asked for it is read.
  expect(await read('wiki', 'mail')).toMatchObject({ wiki: 1 })
  await sketches(db).deleteMany({})
  expect(Object.keys(await read('wiki', 'mail', 'news', 'none')).sort()).toEqual(['mail', 'news', 'wiki'])
  // Another version is another one.
  const anew = { ...spans[0], grain: 'day' as const, from: 0, version: new ObjectId(), name: 'anew' }
  await client.withSession({ snapshot: true }, async session => {
    const asked = { site: SITE, field: 'source' as const, spans: [anew], wanted: new Set(['news']) }
    expect(await held.values(db, asked, { session })).toEqual([])
  })
})

test('totals are read once, those of visits and of events apart', async () => {
  const { db, client } = database
  const head: HeadDocument = {
    _id: headId(SITE, 0),
    ...shared,
    dim: 'visits',
    values: [''],
    sketches: [sketchOf(5, 14)],
    to: new Date(DAY),
    revision: 5,
    visits: 5,
    events: { revision: 9, counted: 9, all: sketchOf(9, 14), views: sketchOf(7, 14) },
    missing: [],
    builtAt: new Date(0),
  }
  await heads(db).insertOne(head)
  const held = createHeldSketches()
  const read = (told: 'visits' | 'events' | 'views') =>
    client.withSession({ snapshot: true }, async session => {
      const totals = await held.totals(db, { site: SITE, told, spans }, { session })
      return [...totals].map(([{ from }, packed]) => [from, estimate(unpackSketch(packed)).count])
    })
  expect([await read('visits'), await read('events')]).toEqual([[[0, 5]], [[0, 9]]])
  await heads(db).deleteMany({})
  expect([await read('visits'), await read('events'), await read('views')]).toEqual([[[0, 5]], [[0, 9]], []])
})
