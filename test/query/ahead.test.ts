/** What is asked ahead. */
import { expect, test } from 'vitest'
import { askAhead, createQueries, type Queries, type QueryAnswer } from '../../collector/query/index.ts'
import { listSites } from '../../collector/sites/index.ts'
import { createSketcher } from '../../collector/sketch/index.ts'
import { DAY, deploy, HOUR, SITE } from '../rollup/deployment.ts'

const TODAY = Date.parse('2026-03-12T00:00:00Z')
const never = new AbortController().signal

test('days that are over are not read again by who looks first, and what comes later is in the answers', async () => {
  const it = await deploy()
  try {
    const times = [1, 2, 3].map(days => TODAY - days * DAY + HOUR)
    await it.take(times, n => ({ path: `/${n}` }))
    await it.close(TODAY)
    await createSketcher({ db: it.db, now: () => TODAY, pace: { every: 0, first: 0, later: 0 } })()
    const sites = await listSites(it.db)
    const [site] = sites
    if (!site) throw new Error('there is no site')
    const create = () => createQueries({ client: it.client, db: it.db, clock: () => TODAY + 2 * HOUR })
    const views = async (queries: ReturnType<typeof create>) => {
      const body = { site_id: SITE, metrics: ['pageviews'], dimensions: ['event:page'], date_range: '30d' }
      const answer = await queries.ask(body, site, never)
      if ('code' in answer) throw new Error(answer.detail)
      return answer.results.reduce((sum, { metrics: [count] }) => sum + Number(count), 0)
    }
    const asked = create()
    await askAhead(asked, sites, never)
    await it.rollups.updateMany({}, { $set: { site: 'elsewhere' } })
    expect([await views(asked), await views(create())]).toEqual([3, 0])
    await it.rollups.updateMany({}, { $set: { site: SITE } })
    await it.take([TODAY - DAY + 2 * HOUR])
    expect([await views(asked), await views(create())]).toEqual([4, 4])
  } finally {
    await it.drop()
  }
})

test('it ends at once when the collector does, and asks no more', async () => {
  const stop = new AbortController()
  let asked = 0
  const queries = {
    ask: async () => {
      asked++
      stop.abort()
      throw stop.signal.reason
    },
  }
  const site = { key: SITE } as Parameters<typeof askAhead>[1][number]
  await expect(askAhead(queries, [site, site], stop.signal)).rejects.toBe(stop.signal.reason)
  expect(asked).toBe(1)
})

test('of a large site what estimates are made of is read before any answer with filters', async () => {
  const order: string[] = []
  const answer = { results: [], meta: { source: 'blocks' } } as unknown as QueryAnswer
  const queries: Pick<Queries, 'ask'> = {
    async ask(body, _, signal, __, tell) {
      const kind = !('filters' in (body as object)) ? 'list' : tell ? 'estimate' : 'answer'
      if (order.at(-1) !== kind) order.push(kind)
      tell?.(answer)
      signal.throwIfAborted()
      return answer
    },
  }
  await askAhead(queries, [{ key: SITE } as Parameters<typeof askAhead>[1][number]], never)
  expect(order).toEqual(['list', 'estimate', 'answer', 'list'])
})
