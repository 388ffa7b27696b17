import { ObjectId } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { journalEvent } from '../fixtures/events.ts'
import { type Deployment, deploy, LAST, mends, one, useDeployment } from './deployment.ts'

let it: Deployment
useDeployment(made => {
  it = made
})

describe('the raw record', () => {
  test.each([
    ['with its own `_id`', {}],
    ['as another document', { _id: new ObjectId() }],
    ['of another page', { _id: new ObjectId(), page: new ObjectId() }],
  ])('an event that is there twice, %s', async (_name, change) => {
    const event = one(await it.events.findOne({ 'meta.site': 'shop', session: { $exists: true } }))
    await it.events.insertOne({ ...event, ...change })
    await mends(it, 'event-doubled', 'shop', event.id)
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
    await mends(it, 'event-doubled', 'shop', 'many17')
    const ids = await it.events.distinct('id', { 'meta.name': 'many' })
    expect(ids.toSorted()).toEqual(events.map(({ id }) => id).toSorted())
  })

  test('the same id of the caller’s own, with two names, is two events', async () => {
    const own = (name: string) => journalEvent({ id: 'order', name, own: true, ts: new Date(LAST) })
    await it.take([own('purchase'), own('refund')])
    expect(await it.found()).toEqual([])
  })

  test.each(['is there', 'is gone, too'])(
    'an event that is missing is restored from its page; its claim %s',
    async claim => {
      const [ts, name] = [new Date(LAST - 1_000), claim]
      const [lost, kept] = [`lost ${claim}`, `kept ${claim}`]
      await it.take([lost, kept].map(id => journalEvent({ id, name, session: 'rare', ts, props: { n: 1 } })))
      const before = one(await it.events.findOne({ 'meta.site': 'shop', id: lost }))
      await removeRaw(name, lost)
      if (claim !== 'is there') await it.seen.deleteOne({ _id: `shop:${lost}` })
      await mends(it, 'event-lost', 'shop', lost)
      const after = one(await it.events.findOne({ 'meta.site': 'shop', id: lost }))
      expect({ ...after, _id: 0 }).toEqual({ ...before, _id: 0 })
      expect(await it.seen.findOne({ _id: `shop:${lost}` })).toMatchObject({ page: after.page })
    },
  )

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
    await mends(it, 'seen-orphan', 'shop', 'shop:orphan')
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
