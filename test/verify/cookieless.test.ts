import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JournalEvent } from '../../collector/journal/index.ts'

import { beginningIn } from '../../collector/settle/index.ts'
import { journalEvent } from '../fixtures/events.ts'
import { type Deployment, deploy, HOUR, LAST } from './deployment.ts'

const MINUTE = 60_000
const VISITOR = '~BBBBBBBBBBBBBBBBBBBBBB'

/** @param ago minutes before the hour that runs began */
const event = (id: string, ago: number, name = 'pageview'): JournalEvent =>
  journalEvent({
    id,
    name,
    ts: new Date(LAST + HOUR - ago * MINUTE),
    consent: 'l',
    visitor: VISITOR,
    session: VISITOR,
  })

let it: Deployment
beforeAll(async () => {
  it = await deploy()
  // Visits in three hours, taken by two lanes in no order.
  await it.take([event('c', 5), event('a', 130)], { lane: 0 })
  await it.take([event('b2', 60, 'click'), event('a2', 120)], { lane: 1 })
  await it.take([event('b', 70)], { lane: 0, fold: false })
})
afterAll(() => it.drop())

const day = { _id: `shop:${VISITOR}` }

test('visits in several hours of one day are what their events say, and no false alarm', async () => {
  const stored = await it.sessions.findOne(day)
  expect(stored?.visits?.map(({ views, events }) => [views, events])).toEqual([
    [2, 2],
    [1, 2],
    [1, 1],
  ])
  expect(await it.verify()).toMatchObject({ ok: true, found: [], checked: { sessions: 1, events: 5 } })
})

test('a visit that is divided wrongly is found, and made anew with its counters', async () => {
  const before = await it.sessions.findOne(day)
  const [first, second, ...rest] = before?.visits ?? []
  if (!first || !second) throw new Error('there are no visits')
  const merged = { ...first, end: second.end, views: 3, events: 4 }
  await it.sessions.updateOne(day, { $set: { visits: [merged, ...rest] } })
  const { found } = await it.verify()
  expect(found).toMatchObject([{ kind: 'session-wrong', id: day._id, expected: { visits: before?.visits } }])
  expect(await it.verify({ repair: true })).toMatchObject({ ok: true })
  expect((await it.sessions.findOne(day))?.visits).toEqual(before?.visits)
  expect(await it.verify()).toMatchObject({ ok: true, found: [] })
})

test('a day that was deleted is made anew as it was', async () => {
  const before = await it.sessions.findOneAndDelete(day)
  expect((await it.verify()).found).toMatchObject([{ kind: 'session-missing' }])
  expect(await it.verify({ repair: true })).toMatchObject({ ok: true })
  expect(await it.sessions.findOne(day)).toEqual(before)
})

test('a counter of a visit that is not the day’s first is held against it', async () => {
  const total = await it.rollups.findOne({ site: 'shop', dim: 'total', at: new Date(LAST + HOUR - 5 * MINUTE) })
  await it.rollups.deleteOne({ _id: total?._id ?? '' })
  expect((await it.verify()).found.map(({ kind }) => kind)).toContain('rollup-missing')
  expect(await it.verify({ repair: true })).toMatchObject({ ok: true })
  expect(await it.verify()).toMatchObject({ ok: true, found: [] })
})

test('what begins in a time is found by an index, visits by one of their own', async () => {
  const [model] = await it.sessions.find(day).toArray()
  if (!model) throw new Error('there is no day')
  const { visits, ...session } = model
  const many = Array.from({ length: 2_000 }, (_, i) => ({
    ...session,
    _id: `busy:${i}`,
    site: 'busy',
    start: new Date(LAST - i * MINUTE),
    ...(i % 20 === 0 && { visits: [{ start: new Date(LAST - i * MINUTE), end: session.end, views: 1, events: 1 }] }),
  }))
  await it.sessions.insertMany(many)
  const range = { $gte: new Date(LAST - 59 * MINUTE), $lt: new Date(LAST + 1) }
  const { executionStats } = await it.sessions.find(beginningIn('busy', range)).explain('executionStats')
  expect(executionStats.nReturned).toBe(60)
  expect(executionStats.totalDocsExamined).toBeLessThan(70)
})
