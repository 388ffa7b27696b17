import { afterAll, beforeAll, expect, test } from 'vitest'
import { toStored } from '../../collector/journal/index.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'
import { type Deployment, deploy, fill, LAST } from './deployment.ts'

let it: Deployment
let taken: number
beforeAll(async () => {
  it = await deploy()
  taken = (await fill(it, 'shop', 400)) + (await fill(it, 'blog', 120, 2))
})
afterAll(() => it.drop())

test('a healthy deployment is well, and all of it was looked at', async () => {
  const report = await it.verify()
  expect(report).toMatchObject({ ok: true, found: [], repaired: [] })
  expect(taken).toBeGreaterThan(3_000)
  expect(report.checked).toEqual({
    events: taken,
    sessions: await it.sessions.countDocuments(),
    rollups: await it.rollups.countDocuments(),
    seen: taken,
  })
})

test('also when the journal has forgotten its pages, and the claims have expired', async () => {
  await it.forgetPages()
  await it.seen.deleteMany({ _id: { $not: /:!/ } })
  expect(await it.verify()).toMatchObject({ ok: true, found: [] })
})

test('what is not settled yet, or settled and not folded, is no fault', async () => {
  const late = (id: string) => journalEvent({ id, session: 's1', ts: new Date(LAST - 100), path: '/late' })
  await it.take([late('late1'), late('late2')], { fold: false })
  const page = openPage([late('open1'), late('open2')], { lane: it.lanes[0]?.id ?? 0 })
  await it.journal.insertOne(toStored(page))
  // As a collector leaves it that is killed before its transaction.
  await it.seen.insertOne({ _id: 'shop:open1', page: page._id, at: page.at })
  await it.seen.insertOne({ _id: 'shop:open2', page: page._id, at: page.at })
  const { ts, path } = late('open1')
  await it.events.insertOne({
    ts,
    path,
    meta: { site: 'shop', name: 'pageview' },
    id: 'open1',
    page: page._id,
    session: 's1',
  })
  expect(await it.verify()).toMatchObject({ ok: true, found: [] })
})

test('what was set aside is listed, and no fault', async () => {
  const bad = { ...journalEvent({ id: 'bad' }), ts: 'never' as unknown as Date }
  await it.take([journalEvent({ id: 'good' }), bad])
  const report = await it.verify()
  expect(report.ok).toBe(true)
  expect(report.found).toMatchObject([{ kind: 'parked', site: 'shop', id: expect.stringContaining('shop:bad') }])
})

test('a site alone can be looked at, and one that is nowhere is refused', async () => {
  const blog = await it.verify({ site: 'blog' })
  expect(blog.checked.events).toBe(await it.events.countDocuments({ 'meta.site': 'blog' }))
  await expect(it.verify({ site: 'nobody' })).rejects.toThrow('there is no site "nobody"')
})

test('events of one ms are in no order, so each of them may be the entry and the exit', async () => {
  const at = new Date(LAST - 50_000)
  const event = (id: string, path: string) => journalEvent({ id, path, session: 'tied', ts: at })
  await it.take([event('t1', '/b'), event('t2', '/a'), event('t3', '/c')])
  await it.sessions.updateOne({ _id: 'shop:tied' }, { $set: { entry: '/c', exit: '/b' } })
  // By hand, so that no counter knows of it.
  expect((await it.found()).filter(({ kind }) => kind.startsWith('session'))).toEqual([])
  await it.sessions.updateOne({ _id: 'shop:tied' }, { $set: { entry: '/elsewhere' } })
  expect(await it.found()).toContainEqual({ kind: 'session-wrong', site: 'shop', id: 'shop:tied', repairable: true })
})
