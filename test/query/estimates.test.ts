/** Visitors of a history too large for lists: against the scan, within the error that is said. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createQueries, type Queries, type QueryAnswer } from '../../collector/query/index.ts'
import { seed } from '../../collector/seed/index.ts'
import { addSite, type Site } from '../../collector/sites/index.ts'
import { createSketcher } from '../../collector/sketch/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'

const NOW = Date.now()
const SITE: Site = { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'Europe/Berlin' }

let database: FreshDatabase
let quick: Queries
let slow: Queries
beforeAll(async () => {
  database = await freshDatabase()
  const { client, db } = database
  await ensureCollections(db)
  await addSite(db, SITE)
  // The same errors each time.
  await db
    .collection<{ _id: string }>('sketches')
    .insertOne({ _id: 'shop/seed', site: 'shop', seed: [1, 2] } as object as { _id: string })
  await seed({ db, site: 'shop', events: 40_000, days: 6, now: NOW })
  quick = createQueries({ client, db, clock: () => NOW })
  slow = createQueries({ client, db, clock: () => NOW, engines: [] })
}, 120_000)
afterAll(() => database.drop())

const put = async (queries: Queries, query: object): Promise<QueryAnswer> => {
  const body = { site_id: 'shop', metrics: ['visitors'], date_range: '6d', ...query }
  const answer = await queries.ask(body, SITE, AbortSignal.timeout(60_000))
  if ('code' in answer) throw new Error(answer.detail)
  return answer
}
const sketcher = () => createSketcher({ db: database.db, now: () => NOW, pace: { every: 1, first: 0, later: 0 } })

test('the sketcher builds each day that is over, once', async () => {
  const mine = sketcher()
  const [built, byOther] = await Promise.all([mine(), sketcher()()])
  expect(built + byOther).toBe(6)
  expect([await mine(), await sketcher()()]).toEqual([0, 0])
}, 120_000)

test('numbers of visitors are within the error that is said, 95 of 100 times', async () => {
  const dimensions = [
    'source',
    'device',
    'browser',
    'os',
    'channel',
    'entry_page',
    'language',
    'utm_campaign',
    'screen',
  ]
  const queries: { metrics?: string[]; dimensions?: string[]; filters?: unknown[] }[] = [
    {},
    { dimensions: ['time:day'] },
    { dimensions: ['time:week'] },
    ...dimensions.map(name => ({ dimensions: [`visit:${name}`], metrics: ['visitors', 'visits'] })),
    ...dimensions.slice(0, 3).map(name => ({ dimensions: [`visit:${name}`, 'time:day'] })),
    ...['page', 'name', 'hostname'].flatMap(name => [
      { dimensions: [`event:${name}`], metrics: ['visitors', 'pageviews'] },
      { dimensions: [`event:${name}`, 'time:day'], metrics: ['visitors', 'events'] },
    ]),
    { filters: [['is', 'event:name', ['pageview']]] },
    ...['google', 'facebook', 'direct'].map(source => ({ filters: [['contains', 'visit:source', [source]]] })),
  ]
  let [checked, estimated, wrong] = [0, 0, 0]
  for (const query of queries) {
    const { results, meta } = await put(quick, query)
    const scanned = await put(slow, query)
    const exact = await put(quick, { ...query, include: { exact: true } })
    expect(exact.results).toEqual(scanned.results)
    expect([meta.source, exact.meta.exact]).toEqual(['rollups', true])
    expect(meta.exact).toBe(meta.error === undefined)
    const of = new Map(scanned.results.map(row => [JSON.stringify(row.dimensions), Number(row.metrics[0])]))
    expect(results).toHaveLength(of.size)
    for (const row of results) {
      const should = of.get(JSON.stringify(row.dimensions)) ?? Number.NaN
      const error = Math.abs(Number(row.metrics[0]) - should) / should
      checked++
      if (error > 0) estimated++
      if (error > (meta.error ?? 0)) wrong++
      expect(error).toBeLessThanOrEqual(2 * (meta.error ?? 0))
    }
  }
  if (process.env.SKETCHES) console.log({ checked, estimated, wrong })
  expect(estimated).toBeGreaterThan(30)
  expect(wrong).toBeLessThanOrEqual(estimated * 0.05)
}, 240_000)

test('few late visits are said and not waited for; many are read', async () => {
  const { db } = database
  const [day] = await db.collection('sketches').find({ dim: 'visits' }).sort({ visits: -1 }).limit(1).toArray()
  if (!day) throw new Error('nothing is sketched')
  const raise = (n: number) =>
    db
      .collection('revisions')
      .updateOne(
        { site: 'shop', day: new Date(Math.ceil(+day.at / 86_400_000) * 86_400_000) },
        { $inc: { 'hours.3': n } },
      )
  const before = await put(quick, {})
  expect(before.meta).toMatchObject({ source: 'rollups' })
  expect(before.meta.pending).toBeUndefined()
  await raise(1)
  const { meta, results } = await put(quick, { dimensions: ['visit:source'] })
  expect(meta).toMatchObject({ source: 'rollups', exact: false, pending: 1 })
  expect(results.length).toBeGreaterThan(10)
  await raise(10)
  expect((await put(quick, {})).meta).toMatchObject({ source: 'sessions' })
  expect(await sketcher()()).toBe(1)
  expect((await put(quick, {})).meta).toEqual({ ...before.meta, ms: expect.any(Number), fresh: expect.any(String) })
}, 60_000)

test('a share has the errors of its part and its whole', async () => {
  const { meta } = await put(quick, { metrics: ['percentage'], dimensions: ['visit:device'] })
  expect(meta.error).toBe(0.064)
})
