import { Binary, ObjectId } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { createFolder, fromDocument, toDocument } from '../../collector/rollup/index.ts'
import { LaneLost } from '../../collector/settle/index.ts'
import { journalEvent } from '../fixtures/events.ts'
import { type Deployment, LAST, mends, one, useDeployment } from './deployment.ts'

let it: Deployment
useDeployment(made => {
  it = made
})

describe('rollups', () => {
  test.each(['total', 'name', 'page'] as const)('one that was deleted (%s)', async dim => {
    const rollup = one(await it.rollups.findOne({ site: 'shop', dim, values: { $ne: [] } }, { skip: 5 }))
    await it.rollups.deleteOne({ _id: rollup._id })
    await it.forgetPages()
    await mends(it, 'rollup-missing', 'shop', rollup._id)
  })

  test.each(['total', 'name', 'visits', 'entry'] as const)('one of an hour (%s)', async dim => {
    const rollup = one(await it.rollups.findOne({ site: 'shop', grain: 'hour', dim, values: { $ne: [] } }))
    await it.rollups.deleteOne({ _id: rollup._id })
    await it.forgetPages()
    await mends(it, 'rollup-missing', 'shop', rollup._id)
  })

  test.each(['bot', 'browser', 'goal', 'revenue', 'property'] as const)(
    'one of an hour of which no other tells the lane (%s)',
    async dim => {
      const { at } = one(await it.rollups.findOne({ site: 'shop', grain: 'hour', dim, values: { $ne: [] } }))
      await it.rollups.deleteMany({ site: 'shop', grain: 'hour', dim, at })
      await it.forgetPages()
      const { ok, repaired } = await it.verify({ repair: true })
      expect([ok, repaired.map(({ kind }) => kind)]).toEqual([true, ['rollup-missing']])
    },
  )

  test('all hours, and what sessions have for them, as before there were any', async () => {
    const hours = { site: 'blog', grain: 'hour' } as const
    const before = await it.rollups.find(hours).toArray()
    await it.rollups.deleteMany(hours)
    await it.sessions.updateMany({ site: 'blog' }, { $unset: { host: 1, channel: 1 } })
    const late = (n: number) => journalEvent({ id: `late${n}`, site: 'blog', session: 's1', ts: new Date(LAST - n) })
    await it.take([late(1)])
    await it.take([late(2)])
    const { ok, repaired } = await it.verify({ repair: true })
    expect(ok).toBe(true)
    expect(repaired.filter(({ kind }) => kind === 'session-wrong').length).toBeGreaterThan(20)
    expect(await it.rollups.countDocuments({ ...hours, values: { $ne: [] } })).toBeGreaterThan(before.length / 3)
  })

  test('all of a site whose hours lie elsewhere now', async () => {
    const sites = it.db.collection<{ _id: string; timezone: string }>('sites')
    await sites.insertOne({ _id: 'blog', timezone: 'Asia/Kolkata' })
    expect((await it.verify({ site: 'blog', repair: true })).ok).toBe(true)
    await it.take([journalEvent({ id: 'there', site: 'blog', session: 's1', ts: new Date(LAST - 3) })])
    expect(await it.found()).toEqual([])
    await sites.deleteOne({ _id: 'blog' })
    expect((await it.verify({ site: 'blog', repair: true })).ok).toBe(true)
  }, 120_000)

  test('all of a minute', async () => {
    const { at } = one(await it.rollups.findOne({ site: 'blog', grain: 'minute', dim: 'page' }))
    await it.rollups.deleteMany({ site: 'blog', grain: 'minute', at })
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
    const audit = await mends(it, 'rollup-wrong', 'shop', found[0]?.id ?? '')
    expect(audit.after.upto).not.toBe(audit.before.upto)
  })

  test.each([
    ['less than was folded', (upto: number) => upto - 1],
    ['more than was settled', (upto: number) => upto + 1_000],
  ])('one that says it contains %s', async (_name, wrong) => {
    await it.take([journalEvent({ id: new ObjectId().toHexString(), ts: new Date(LAST - 1) })])
    const { _id, upto } = one(await it.rollups.findOne({ site: 'shop', dim: 'name' }, { sort: { upto: -1 } }))
    await it.rollups.updateOne({ _id }, { $set: { upto: wrong(upto) } })
    await mends(it, 'upto-stale', 'shop', _id)
  })

  test('one that counts a property as it was not', async () => {
    const before = one(await it.rollups.findOne({ site: 'shop', dim: 'property', values: 'plan.pro' }))
    const rollup = fromDocument(before)
    one(rollup.rows.get('plan.pro'))[0] = 1_000
    await it.rollups.replaceOne({ _id: before._id }, toDocument(rollup))
    const { found } = await it.verify()
    expect(found).toMatchObject([{ actual: { 'plan.pro': { events: 1_000 } } }])
    await mends(it, 'rollup-wrong', 'shop', before._id)
  })

  test('of properties beyond what an hour holds only the sum has to be right, of each by itself', async () => {
    const before = one(await it.rollups.findOne({ site: 'shop', dim: 'property', values: 'plan.pro' }))
    const rollup = fromDocument(before)
    const lumped = one(rollup.rows.get('n.0'))
    rollup.rows.delete('n.0')
    rollup.rows.set('n.(other)', lumped)
    await it.rollups.replaceOne({ _id: before._id }, toDocument(rollup))
    expect(await it.found()).toEqual([])
    lumped[0] = (lumped[0] ?? 0) + 1
    await it.rollups.replaceOne({ _id: before._id }, toDocument(rollup))
    expect((await it.verify()).found).toMatchObject([{ actual: { 'n.(other)': { events: expect.any(Number) } } }])
    await mends(it, 'rollup-wrong', 'shop', before._id)
  })

  test('a folder that holds the wrong numbers loses them, and what comes after is counted once', async () => {
    const lane = one(it.lanes[0])
    const folder = createFolder(it.db, lane)
    const minute = new Date(LAST + 120_000)
    const filter = { _id: `shop/minute/total/${+minute}/${lane.id}` }
    const event = () => journalEvent({ id: new ObjectId().toHexString(), ts: minute })
    await it.take([event()])
    const wrong = one(await it.rollups.findOne(filter)).counters.buffer.slice()
    wrong.fill(0, 0, 8)
    await it.rollups.updateOne(filter, { $set: { counters: new Binary(wrong) } })
    await it.take([event()], { fold: false })
    await folder.fold()
    expect((await it.verify({ repair: true })).repaired.map(({ kind }) => kind)).toEqual(['rollup-wrong'])
    await it.take([event()], { fold: false })
    await expect(folder.fold()).rejects.toBeInstanceOf(LaneLost)
    expect(await folder.fold()).toBe(1)
  })

  test('what is settled after a repair is counted once', async () => {
    const minute = new Date(LAST)
    const later = () => journalEvent({ id: new ObjectId().toHexString(), ts: minute, path: '/after' })
    await it.take([later()])
    const filter = { site: 'shop', grain: 'minute', dim: 'page', at: minute } as const
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
    ['goals', 99],
    ['entry', '/elsewhere'],
    ['exit', '/elsewhere'],
    ['start', new Date(LAST - 1e7)],
    ['end', new Date(LAST + 1e7)],
  ])('one whose %s is wrong', async (field, value) => {
    const { _id } = one(await it.sessions.findOne({ site: 'shop', views: { $gt: 1 } }))
    await it.sessions.updateOne({ _id }, { $set: { [field]: value } })
    const { found } = await it.verify()
    expect(Object.keys(found[0]?.actual ?? {})).toEqual([field])
    await mends(it, 'session-wrong', 'shop', _id)
  })

  test('one that was deleted is made anew as it was', async () => {
    const session = one(await it.sessions.findOne({ site: 'shop', events: { $gt: 3 } }))
    await it.sessions.deleteOne({ _id: session._id })
    const { before, after } = await mends(it, 'session-missing', 'shop', session._id)
    expect([before, after]).toEqual([null, session])
  })

  test('one that no event knows is taken away', async () => {
    const session = one(await it.sessions.findOne({ site: 'shop' }))
    await it.sessions.insertOne({ ...session, _id: 'shop:ghost' })
    const mended = () => it.db.collection('revisions').find({ site: 'shop', lane: -1 }).toArray()
    const before = await mended()
    await mends(it, 'session-wrong', 'shop', 'shop:ghost')
    // What was built of it holds no longer.
    expect(await mended()).not.toEqual(before)
  })
})
