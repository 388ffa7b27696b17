import { BSON, type BulkWriteResult, type Collection, type Document, MongoBulkWriteError, ObjectId } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import type { JournalEvent } from '../../collector/journal/index.ts'
import { documentOf, fieldsOf, insertOf } from '../../collector/settle/bson.ts'
import { toRaw, toRawBson } from '../../collector/settle/raw.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent } from '../fixtures/events.ts'

let database: FreshDatabase
let collection: Collection<Document>
beforeAll(async () => {
  database = await freshDatabase()
  collection = database.db.collection('documents')
})
beforeEach(async () => void (await collection.deleteMany({})))
afterAll(() => database.drop())

/** What the driver would send. */
const driven = (document: Document): Document => BSON.deserialize(BSON.serialize(document, { ignoreUndefined: true }))

test('a document of fields is the one that has them all', () => {
  const [a, b] = [
    { _id: 1, text: 'é漢', no: undefined },
    { list: [1, { x: null }], at: new Date(0) },
  ]
  expect(BSON.deserialize(documentOf(fieldsOf(a), fieldsOf({}), fieldsOf(b)))).toEqual(driven({ ...a, ...b }))
  expect(BSON.deserialize(documentOf())).toEqual({})
})

test('raw events are what they would be one by one, whatever is the same in neighbors', () => {
  const [page, other] = [new ObjectId(), new ObjectId()]
  const changes: Partial<JournalEvent>[] = [
    {},
    { name: 'click', props: { n: 1, deep: { list: ['é', 1.5, true, null] } } },
    { name: 'click', ts: new Date(0), goals: ['signup'], revenue: 1_000, currency: 'EUR' },
    { site: 'blog', name: 'click' },
    { site: 'blog', title: 'Schuhe', ref: 'https://search.example/', declared: ['plan'] },
    { title: 'Schuhe', own: true, width: 1280, visitor: 'v', session: 's' },
    {},
  ]
  const placed = changes.map((change, i) => ({
    event: journalEvent({ id: `${i}`, ...change }),
    page: i < 3 || i === 6 ? page : other,
  }))
  const made = toRawBson(placed).map(document => BSON.deserialize(document))
  expect(made.map(({ _id, ...fields }) => fields)).toEqual(placed.map(({ event, page }) => driven(toRaw(event, page))))
  expect(new Set(made.map(({ _id }) => (_id as ObjectId).toHexString())).size).toBe(placed.length)
})

describe('an insert of BSON', () => {
  const bytes = (documents: Document[]) => documents.map(document => BSON.serialize(document))
  const documents = Array.from({ length: 50 }, (_, n) => ({ _id: n, text: 'x'.repeat(n) }))

  it('stores every document as it is', async () => {
    const { insertedCount } = await insertOf(collection, bytes(documents), {}).execute()
    expect(insertedCount).toBe(50)
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual(documents)
  })

  it('is divided as messages have to be', async () => {
    const large = Array.from({ length: 40 }, (_, _id) => ({ _id, text: 'x'.repeat(1024 * 1024) }))
    const insert = insertOf(collection, bytes(large), {}) as ReturnType<typeof collection.initializeUnorderedBulkOp>
    // Of 16 MiB each, at most a document more: a message may have 48.
    expect(insert.batches.map(({ size }) => size)).toEqual([16, 16, 8])
    const { insertedCount } = await insert.execute()
    expect(insertedCount).toBe(40)
  })

  it('says which documents are there already, by their places', async () => {
    await collection.insertMany(documents.filter(({ _id }) => _id % 10 === 3) as Document[])
    const error = await insertOf(collection, bytes(documents), {})
      .execute()
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(MongoBulkWriteError)
    const { writeErrors } = error as MongoBulkWriteError
    expect([writeErrors].flat().map(({ index, code }) => [index, code])).toEqual(
      [3, 13, 23, 33, 43].map(index => [index, 11_000]),
    )
    expect(await collection.countDocuments()).toBe(50)
  })

  it('gives documents to a driver that keeps none as BSON', async () => {
    const added: Document[] = []
    const other = {
      initializeUnorderedBulkOp: () => ({
        insert: (document: Document) => added.push(document),
        execute: async () => ({}) as BulkWriteResult,
      }),
    }
    await insertOf(other as unknown as Collection, bytes(documents), {}).execute()
    expect(added).toEqual(documents)
  })
})
