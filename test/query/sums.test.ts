/** Sums of days that are over, kept for other questions of the same range: always what is there. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSums, type SumsAsked } from '../../collector/query/sums.ts'
import { readHours } from '../../collector/rollup/index.ts'
import { noteChange } from '../../collector/settle/index.ts'
import { DAY, type Deployment, deploy, HOUR, SITE } from '../rollup/deployment.ts'

const FROM = Date.parse('2026-03-09T00:00:00Z')
const TODAY = FROM + 3 * DAY

let it: Deployment
let sums: ReturnType<typeof createSums>
beforeEach(async () => {
  it = await deploy()
  sums = createSums(it.db)
  for (let day = 0; day < 4; day++) await it.take([FROM + day * DAY + HOUR, FROM + day * DAY + 2 * HOUR], page)
  await it.fold()
})
afterEach(() => it.drop())

const page = (n: number) => ({ path: `/${n}` })
const ASKED: SumsAsked = {
  site: SITE,
  dims: ['page'],
  from: FROM,
  to: TODAY + DAY,
  bucketOf: () => 0,
  zone: 'UTC',
  unit: '',
  now: TODAY + 5 * HOUR,
}
/** What is asked twice is told twice, and as it is read without anything kept. */
const ask = async (change: Partial<SumsAsked> = {}) => {
  const asked = { ...ASKED, ...change }
  return await it.client.withSession({ snapshot: true }, async session => {
    const expected = await readHours(it.db, asked, session)
    expect(await sums(asked, session)).toEqual(expected)
    const again = await sums(asked, session)
    expect(again).toEqual(expected)
    return again.get('page')?.get(0)?.get('/0')?.[0]
  })
}

test('days that are over are not read again', async () => {
  expect(await ask()).toBe(4)
  const days = { grain: 'hour', at: { $lt: new Date(TODAY) } } as const
  await it.rollups.updateMany(days, { $set: { site: 'elsewhere' } })
  const kept = await it.client.withSession({ snapshot: true }, session => sums(ASKED, session))
  expect(kept.get('page')?.get(0)?.get('/0')?.[0]).toBe(4)
  // Of another range they are, and are not there.
  expect(await ask({ from: FROM + DAY })).toBe(1)
})

test('what comes late is in them at once, and still when it is folded and closed', async () => {
  expect(await ask()).toBe(4)
  await it.take([FROM + HOUR], page)
  expect(await ask()).toBe(5)
  await it.fold()
  expect(await ask()).toBe(5)
  await it.close(TODAY + DAY)
  expect(await ask({ closed: ['week', 'day'] })).toBe(5)
})

test('what was closed and built again otherwise than by folding is read again', async () => {
  await it.close(TODAY + DAY)
  const closed = ['week', 'day'] as const
  expect(await ask({ closed })).toBe(4)
  // A closed day that was wrong, and is mended: no touch tells of it.
  await it.closed.updateMany({ grain: 'day', dim: 'page' }, { $set: { site: 'elsewhere' } })
  await it.rollups.updateMany({ grain: 'hour', dim: 'page' }, { $set: { site: 'elsewhere' } })
  await noteChange(it.db)
  expect(await ask({ closed })).toBeUndefined()
})

test('what comes today is added to them', async () => {
  expect(await ask()).toBe(4)
  for (let n = 5; n < 8; n++) {
    await it.take([TODAY + n * HOUR], page)
    expect(await ask()).toBe(n)
    await it.fold()
  }
  expect(await ask({ to: TODAY })).toBe(3)
})

test('they are apart by time, dimension and property', async () => {
  const bucketOf = (at: number) => Math.floor((at - FROM) / DAY)
  expect([await ask({ unit: 'day', bucketOf }), await ask()]).toEqual([1, 4])
  expect(await ask({ dims: ['page', 'total'] })).toBe(4)
  expect(await ask({ dims: ['property'], property: 'plan' })).toBeUndefined()
  expect(await ask({ dims: ['property'], property: 'size' })).toBeUndefined()
})
