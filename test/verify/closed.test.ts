import { afterAll, beforeAll, expect, test } from 'vitest'
import { CLOSED_GRAINS, type ClosedDocument, createCloser } from '../../collector/rollup/index.ts'
import { addSite } from '../../collector/sites/index.ts'
import { journalEvent } from '../fixtures/events.ts'
import { type Deployment, deploy, fill, LAST, mends, one } from './deployment.ts'

let it: Deployment
beforeAll(async () => {
  it = await deploy()
  await addSite(it.db, { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC' })
  await fill(it, 'shop', 60)
  await close()
})
afterAll(() => it.drop())

/** Today and this month are taken for over. */
const close = () =>
  createCloser({ db: it.db, now: () => LAST + 40 * 86_400_000, pace: { every: 0, first: 0, later: 0 } })()
const closed = () => it.db.collection<ClosedDocument>('rollups')

test('days and months are compared with hours, whatever is folded and to be built again', async () => {
  expect(await it.found()).toEqual([])
  await it.take([journalEvent({ id: 'settled', ts: new Date(LAST - 5) })], { fold: false })
  expect(await it.found()).toEqual([])
  await it.take([journalEvent({ id: 'folded', ts: new Date(LAST - 4) })])
  expect(await it.found()).toEqual([])
  await close()
  expect(await it.found()).toEqual([])
})

test.each(CLOSED_GRAINS)('a %s that says something else is built again', async grain => {
  await it.audit.deleteMany({})
  const held = one(await closed().findOne({ site: 'shop', grain, dim: 'source' }))
  await closed().updateOne({ _id: held._id }, { $set: { values: ['elsewhere'] } })
  const { before, after } = await mends(it, 'closed-wrong', 'shop', held._id)
  expect([before.values, after.values]).toEqual([['elsewhere'], held.values])
})

test('one that lacks a dimension is built again', async () => {
  await it.audit.deleteMany({})
  const held = one(await closed().findOne({ site: 'shop', grain: 'day', dim: 'page' }))
  await closed().deleteOne({ _id: held._id })
  await mends(it, 'closed-wrong', 'shop', held._id)
})

test('hours that are mended open their day, which is right again when it is built again', async () => {
  await it.audit.deleteMany({})
  const hour = one(await it.rollups.findOne({ site: 'shop', grain: 'hour', dim: 'browser', values: { $ne: [] } }))
  await it.rollups.updateOne({ _id: hour._id }, { $set: { values: hour.values.map(() => 'Lynx') } })
  await mends(it, 'rollup-wrong', 'shop', hour._id)
  expect(await close()).toBeGreaterThan(0)
  expect(await it.found()).toEqual([])
})
