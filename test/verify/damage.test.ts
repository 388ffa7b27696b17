import { ObjectId } from 'mongodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fromDocument, toDocument } from '../../collector/rollup/index.ts'
import { journalEvent } from '../fixtures/events.ts'
import { type Deployment, deploy, fill, LAST, shortly } from './deployment.ts'

let it: Deployment
beforeAll(async () => {
  it = await deploy()
  await fill(it, 'shop', 150)
  await fill(it, 'blog', 40, 2)
})
afterAll(() => it.drop())
beforeEach(() => it.audit.deleteMany({}))
/** A second look finds nothing. */
afterEach(async () => expect(await it.verify()).toMatchObject({ ok: true, found: [], repaired: [] }))

/** It is found alone, mended once, in one audit document, and gone. */
async function mends(kind: string, site: string, id: string) {
  const only = { kind, site, id, repairable: true }
  expect(await it.found()).toEqual([only])
  const { ok, found, repaired } = await it.verify({ repair: true })
  expect([ok, found.map(shortly), repaired.map(shortly)]).toEqual([true, [only], [only]])
  const audits = await it.audit.find().toArray()
  expect(audits).toMatchObject([{ kind, site, what: id, at: expect.any(Date) }])
  return { before: audits[0]?.before, after: audits[0]?.after }
}
const one = <T>(document: T | null | undefined): T => {
  if (!document) throw new Error('there is one')
  return document
}

describe('rollups', () => {
  test.each(['total', 'name', 'page'] as const)('one that was deleted (%s)', async dim => {
    const rollup = one(await it.rollups.findOne({ site: 'shop', dim, values: { $ne: [] } }, { skip: 5 }))
    await it.rollups.deleteOne({ _id: rollup._id })
    await it.forgetPages()
    await mends('rollup-missing', 'shop', rollup._id)
  })

  test('all of a minute', async () => {
    const { at } = one(await it.rollups.findOne({ site: 'blog', dim: 'page' }))
    await it.rollups.deleteMany({ site: 'blog', at })
    const report = await it.verify({ repair: true })
    expect(report.repaired.map(({ kind }) => kind)).toEqual(['rollup-missing', 'rollup-missing', 'rollup-missing'])
    expect(report.ok).toBe(true)
    expect(await it.audit.find({ before: null }).toArray()).toHaveLength(3)
  })

  test('one that counts what was not', async () => {
    const before = one(await it.rollups.findOne({ site: 'shop', dim: 'total' }))
    const rollup = fromDocument(before)
    one(rollup.rows.get(''))[0] = 1_000
    await it.rollups.replaceOne({ _id: before._id }, toDocument(rollup))
    const { found } = await it.verify()
    expect(found).toMatchObject([{ actual: { '': { events: expect.any(Number) } } }])
    const audit = await mends('rollup-wrong', 'shop', found[0]?.id ?? '')
    expect(audit.after.upto).not.toBe(audit.before.upto)
  })

  test.each([
    ['less than was folded', (upto: number) => upto - 1],
    ['more than was settled', (upto: number) => upto + 1_000],
  ])('one that says it contains %s', async (_name, wrong) => {
    await it.take([journalEvent({ id: new ObjectId().toHexString(), ts: new Date(LAST - 1) })])
    const { _id, upto } = one(await it.rollups.findOne({ site: 'shop', dim: 'name' }, { sort: { upto: -1 } }))
    await it.rollups.updateOne({ _id }, { $set: { upto: wrong(upto) } })
    await mends('upto-stale', 'shop', _id)
  })

  test('what is settled after a repair is counted once', async () => {
    const minute = new Date(LAST)
    const later = () => journalEvent({ id: new ObjectId().toHexString(), ts: minute, path: '/after' })
    await it.take([later()])
    const filter = { site: 'shop', dim: 'page', at: minute } as const
    for (let round = 0; round < 3; round++) {
      await it.rollups.updateMany(filter, { $set: { values: ['/other'] } })
      await it.take([later()], { fold: false })
      expect((await it.verify({ repair: true })).repaired.map(({ kind }) => kind)).toEqual(['rollup-wrong'])
      await it.take([later()])
      expect((await it.verify()).found).toEqual([])
    }
  })
})

describe('sessions', () => {
  test.each([
    ['views', 99],
    ['events', 0],
    ['entry', '/elsewhere'],
    ['exit', '/elsewhere'],
    ['start', new Date(LAST - 1e7)],
    ['end', new Date(LAST + 1e7)],
  ])('one whose %s is wrong', async (field, value) => {
    const { _id } = one(await it.sessions.findOne({ site: 'shop', views: { $gt: 1 } }))
    await it.sessions.updateOne({ _id }, { $set: { [field]: value } })
    const { found } = await it.verify()
    expect(Object.keys(found[0]?.actual ?? {})).toEqual([field])
    await mends('session-wrong', 'shop', _id)
  })

  test('one that was deleted is made anew as it was', async () => {
    const session = one(await it.sessions.findOne({ site: 'shop', events: { $gt: 3 } }))
    await it.sessions.deleteOne({ _id: session._id })
    const { before, after } = await mends('session-missing', 'shop', session._id)
    expect([before, after]).toEqual([null, session])
  })

  test('one that no event knows is taken away', async () => {
    const session = one(await it.sessions.findOne({ site: 'shop' }))
    await it.sessions.insertOne({ ...session, _id: 'shop:ghost' })
    await mends('session-wrong', 'shop', 'shop:ghost')
  })
})

describe('the raw record', () => {
  test.each([
    ['with its own `_id`', {}],
    ['as another document', { _id: new ObjectId() }],
    ['of another page', { _id: new ObjectId(), page: new ObjectId() }],
  ])('an event that is there twice, %s', async (_name, change) => {
    const event = one(await it.events.findOne({ 'meta.site': 'shop', session: { $exists: true } }))
    await it.events.insertOne({ ...event, ...change })
    await mends('event-doubled', 'shop', event.id)
    expect(await it.events.countDocuments({ 'meta.site': 'shop', id: event.id, page: event.page })).toBe(1)
  })

  test('one that is there twice in a bucket that the server has compressed', async () => {
    const ts = new Date(LAST + 1)
    const events = Array.from({ length: 1_001 }, (_, i) => journalEvent({ id: `many${i}`, name: 'many', ts }))
    await it.take(events)
    const bucket = one(await it.buckets.findOne({ 'meta.name': 'many', 'control.version': 2 }))
    expect(bucket.data.ts).not.toHaveProperty('0')
    const event = one(await it.events.findOne({ 'meta.name': 'many', id: 'many17' }))
    await it.events.insertOne({ ...event, id: 'many17' })
    await mends('event-doubled', 'shop', 'many17')
    const ids = await it.events.distinct('id', { 'meta.name': 'many' })
    expect(ids.toSorted()).toEqual(events.map(({ id }) => id).toSorted())
  })

  test('the same id of the caller’s own, with two names, is two events', async () => {
    const own = (name: string) => journalEvent({ id: 'order', name, own: true, ts: new Date(LAST) })
    await it.take([own('purchase'), own('refund')])
    expect(await it.found()).toEqual([])
  })

  test('an event that is missing is restored from its journal page', async () => {
    const ts = new Date(LAST - 1_000)
    await it.take(['lost', 'kept'].map(id => journalEvent({ id, name: 'rare', session: 'rare', ts, props: { n: 1 } })))
    const before = one(await it.events.findOne({ 'meta.site': 'shop', id: 'lost' }))
    await removeRaw('rare', 'lost')
    await mends('event-lost', 'shop', 'lost')
    const after = one(await it.events.findOne({ 'meta.site': 'shop', id: 'lost' }))
    expect({ ...after, _id: 0 }).toEqual({ ...before, _id: 0 })
  })

  test('a claim of a page that is nowhere is deleted, so that the event can come', async () => {
    await it.seen.insertOne({
      _id: 'shop:orphan',
      page: new ObjectId(),
      at: new Date(LAST),
      expires: new Date(LAST * 2),
    })
    await it.seen.insertOne({ _id: 'blog:!buy:orphan', page: new ObjectId() })
    expect(await it.found()).toEqual([
      { kind: 'seen-orphan', site: 'blog', id: 'blog:!buy:orphan', repairable: true },
      { kind: 'seen-orphan', site: 'shop', id: 'shop:orphan', repairable: true },
    ])
    expect((await it.verify({ repair: true, site: 'blog' })).repaired).toHaveLength(1)
    await it.audit.deleteMany({})
    await mends('seen-orphan', 'shop', 'shop:orphan')
    await it.take([journalEvent({ id: 'orphan', ts: new Date(LAST) })])
    expect(await it.events.countDocuments({ 'meta.site': 'shop', id: 'orphan' })).toBe(1)
  })
})

/** Takes a raw event away, as a fault would. */
async function removeRaw(name: string, id: string) {
  const all = await it.events.find({ 'meta.name': name }).toArray()
  await it.events.deleteMany({ 'meta.site': 'shop', 'meta.name': name })
  await it.events.insertMany(all.filter(event => event.id !== id))
}

test('an event that nothing holds any more is said to be lost, and the counters that know it are left alone', async () => {
  const rest = await deploy()
  try {
    const page = await rest.take(['a', 'b'].map(id => journalEvent({ id, session: 's', ts: new Date(LAST) })))
    await rest.forgetPages()
    const kept = one(await rest.events.findOne({ id: 'b' }))
    await rest.events.deleteMany({ 'meta.site': 'shop' })
    await rest.events.insertOne(kept)
    const before = [await rest.rollups.find().toArray(), await rest.sessions.find().toArray()]
    const { ok, found, repaired } = await rest.verify({ repair: true })
    expect([ok, repaired]).toEqual([false, []])
    expect(found[0]).toMatchObject({ kind: 'event-lost', id: 'a', expected: { page: page._id }, repairable: false })
    for (const { repairable, why } of found) expect([repairable, why]).toEqual([false, expect.any(String)])
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(['event-lost', 'session-wrong', 'rollup-wrong']))
    expect([await rest.rollups.find().toArray(), await rest.sessions.find().toArray()]).toEqual(before)
    expect(await rest.audit.countDocuments()).toBe(0)
  } finally {
    await rest.drop()
  }
})
