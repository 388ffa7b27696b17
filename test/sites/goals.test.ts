import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { JournalEvent } from '../../collector/journal/index.ts'
import {
  addGoal,
  addKey,
  type Goal,
  type GoalError,
  listGoals,
  MOST_GOALS,
  removeGoal,
} from '../../collector/sites/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

let it: TestCollector
let n = 0
/** A site of its own for each test. */
let site = ''
beforeAll(async () => {
  it = await startCollector({ sites: Array.from({ length: 40 }, (_, i) => ({ key: `site${i}` })) })
})
afterAll(() => it.close())
beforeEach(() => {
  site = `site${n++}`
})

/** That a change of a site acts within a second, `sites.test.ts` says. */
const soon = { timeout: 10_000, interval: 20 }
const add = (goal: object, key = site) => addGoal(it.db, key, goal, new Date())
const why = (adding: Promise<unknown>) =>
  adding.then(
    () => 'made',
    (error: GoalError) => error.why,
  )

describe('a goal', () => {
  test('is listed as it was made, with its value in minor units, and removed', async () => {
    await add({ name: 'Order', event: 'order', value: { amount: '49.90', currency: 'EUR' } })
    await add({ name: 'Blog', page: '/blog/*', where: [{ property: 'plan', is: ['pro'] }] })
    const since = expect.any(Date)
    expect(await listGoals(it.db, site)).toEqual([
      { name: 'Order', event: 'order', value: { amount: 4_990, currency: 'EUR' }, since },
      { name: 'Blog', page: '/blog/*', where: [{ property: 'plan', is: ['pro'] }], since },
    ])
    await removeGoal(it.db, site, 'Order')
    expect((await listGoals(it.db, site)).map(({ name }) => name)).toEqual(['Blog'])
    expect(await why(removeGoal(it.db, site, 'Order'))).toBe('unknown')
  })

  test('has a name of its own, also when two are made at once, and a site that there is', async () => {
    const both = await Promise.all([why(add({ name: 'A', event: 'a' })), why(add({ name: 'A', event: 'b' }))])
    expect(both.sort()).toEqual(['exists', 'made'])
    expect(await listGoals(it.db, site)).toHaveLength(1)
    expect(await why(add({ name: 'A', event: 'a' }, 'nowhere'))).toBe('unknown')
    expect(await why(add({ name: 'A', event: 'a' }, '_doctor'))).toBe('unknown')
  })

  test(`is one of ${MOST_GOALS} at most, however many are made at once`, async () => {
    const all = Array.from({ length: MOST_GOALS + 5 }, (_, i) => why(add({ name: `goal ${i}`, event: 'a' })))
    const made = (await Promise.all(all)).filter(result => result === 'made')
    expect(made).toHaveLength(MOST_GOALS)
    expect(await listGoals(it.db, site)).toHaveLength(MOST_GOALS)
    expect(await why(add({ name: 'more', event: 'a' }))).toBe('too-many')
  })

  test.each<[object | string, RegExp]>([
    [{ event: 'a' }, /a goal has a name/],
    [{ name: '', event: 'a' }, /the name takes/],
    [{ name: 'x'.repeat(101), event: 'a' }, /the name takes/],
    [{ name: 'a\nb', event: 'a' }, /the name takes/],
    [{ name: 'a' }, /a page, or an event/],
    [{ name: 'a', event: 'a', page: '/' }, /a page, or an event/],
    [{ name: 'a', page: 'thanks' }, /the page is a path that begins with/],
    [{ name: 'a', event: 'a', where: [] }, /"where" takes/],
    [{ name: 'a', event: 'a', where: [{ property: 'p' }] }, /"where" takes/],
    [{ name: 'a', event: 'a', where: [{ property: 'p', compare: '=', to: 5 }] }, /"where" takes/],
    [{ name: 'a', event: 'a', value: { amount: 5 } }, /"value" is/],
    [{ name: 'a', event: 'a', value: { amount: 'five', currency: 'EUR' } }, /the amount is a number/],
    [{ name: 'a', event: 'a', value: { amount: 5, currency: 'euro' } }, /ISO 4217 such as EUR, not "euro"/],
    [{ name: 'a', event: 'a', since: new Date(0) }, /and no more/],
    ['a', /a goal has a name/],
  ])('is not %j', async (goal, message) => {
    await expect(add(goal as object)).rejects.toThrow(message)
    expect(await listGoals(it.db, site)).toEqual([])
  })
})

describe('over HTTP', () => {
  const goals = (init: RequestInit = {}, query = '') => it.ask(`/api/v2/goals?site=${site}${query}`, init)
  const make = (goal: object, headers = {}) => goals({ method: 'POST', body: JSON.stringify(goal), headers })
  const codeOf = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code]

  test('goals are made, listed and removed; what is wrong is said', async () => {
    const made = await make({ name: 'Order', event: 'order' })
    expect([made.status, await made.json()]).toEqual([
      201,
      { name: 'Order', event: 'order', since: expect.any(String) },
    ])
    expect(await codeOf(await make({ name: 'Order', event: 'order' }))).toEqual([409, 'goal-exists'])
    expect(await codeOf(await make({ name: 'Other' }))).toEqual([400, 'goal-invalid'])
    expect(await codeOf(await make([]))).toEqual([400, 'goal-invalid'])
    expect(await (await goals()).json()).toMatchObject({ goals: [{ name: 'Order' }] })
    expect(await codeOf(await goals({ method: 'DELETE' }, '&name=Other'))).toEqual([404, 'goal-unknown'])
    expect(await codeOf(await goals({ method: 'DELETE' }))).toEqual([400, 'parameter-invalid'])
    expect((await goals({ method: 'DELETE' }, '&name=Order')).status).toBe(204)
    expect(await (await goals()).json()).toEqual({ goals: [] })
  })

  test('a key that reads lists them and changes none', async () => {
    const { key } = await addKey(it.db, { name: 'k', scope: 'read', sites: [site] })
    const headers = { authorization: `Bearer ${key}` }
    expect((await goals({ headers })).status).toBe(200)
    expect(await codeOf(await make({ name: 'Order', event: 'order' }, headers))).toEqual([403, 'not-allowed'])
    expect(await codeOf(await goals({ method: 'DELETE', headers }, '&name=Order'))).toEqual([403, 'not-allowed'])
    expect(await listGoals(it.db, site)).toEqual([])
  })
})

describe('in a running collector', () => {
  const stored = (id: string) => it.db.collection<JournalEvent>('events').findOne({ id })
  const send = async (change: object = {}, head: object = {}) => {
    const one = envelope([{ n: 'order', ...change }], { s: site, k: `k${n}`, ...head })
    const answer = await it.deliver(one)
    await it.settled()
    return { answer, event: (await stored(`${one.w}.0`)) as (JournalEvent & { goals?: string[] }) | null }
  }

  test('events carry a goal from its making on, also one that is late, and none once it is removed', async () => {
    expect((await send()).event).not.toHaveProperty('goals')
    const { since } = (await add({ name: 'Order', event: 'order', value: { amount: 5, currency: 'EUR' } })) as Goal
    await vi.waitFor(async () => expect((await send()).event?.goals).toEqual(['Order']), soon)
    expect((await send()).event).toMatchObject({ revenue: 500, currency: 'EUR' })
    const before = Date.now() - +since + 60_000
    expect((await send({ t: before })).event?.goals).toEqual(['Order'])
    const session = await it.db.collection<{ _id: string; goals: number }>('sessions').findOne({ _id: `${site}:k${n}` })
    expect(session?.goals).toBeGreaterThan(0)
    await removeGoal(it.db, site, 'Order')
    await vi.waitFor(async () => expect((await send()).event).not.toHaveProperty('goals'), soon)
  })

  test('what came before a goal was made counts for it, in answers and in what is given out, until it is removed', async () => {
    const answers = async () => {
      const ask = async (body: object) => {
        const all = { site_id: site, date_range: 'day', metrics: ['events', 'visitors', 'total_revenue'], ...body }
        const answer = await it.ask('/api/v2/query', { method: 'POST', body: JSON.stringify(all) })
        const { results } = (await answer.json()) as { results: { metrics: unknown[] }[] }
        return results.map(({ metrics: [events, visitors, revenue] }) => [
          events,
          visitors,
          (revenue as { value: number } | null)?.value ?? 0,
        ])
      }
      const attribution = await it.ask('/api/v2/attribution', {
        method: 'POST',
        body: JSON.stringify({ site_id: site, date_range: 'day', goal: 'Large', model: 'linear' }),
      })
      const { total } = (await attribution.json()) as { total?: { conversions: number } }
      const filters = JSON.stringify([['is', 'event:goal', ['Large']]])
      const events = await it.ask(
        `/api/v2/events?site_id=${site}&date_range=day&filters=${encodeURIComponent(filters)}`,
      )
      const rows = (await events.text()).split('\n').filter(Boolean)
      return {
        by: await ask({ dimensions: ['event:goal'] }),
        of: await ask({ filters: [['is', 'event:goal', ['Large']]] }),
        attributed: total?.conversions,
        rows: rows.map(row => JSON.parse(row) as { goals: string[]; revenue: number | null }),
      }
    }
    for (const total of [5, 200, '300']) await send({ d: { total } })
    const none = { by: [], of: [[0, 0, 0]], rows: [] }
    expect(await answers()).toMatchObject(none)
    const value = { property: 'total', currency: 'EUR' }
    await add({ name: 'Large', event: 'order', where: [{ property: 'total', compare: '>', to: 100 }], value })
    await vi.waitFor(async () => {
      expect(await answers()).toEqual({
        by: [[2, 1, 500]],
        of: [[2, 1, 500]],
        attributed: 2,
        rows: [
          expect.objectContaining({ goals: ['Large'], revenue: 200 }),
          expect.objectContaining({ goals: ['Large'] }),
        ],
      })
    }, soon)
    const { goals } = (await (await it.ask(`/api/v2/goals?site=${site}`)).json()) as { goals: object[] }
    // Today is not over.
    expect(goals).toMatchObject([{ name: 'Large', backfill: { days: 0, done: 0 } }])
    await removeGoal(it.db, site, 'Large')
    await vi.waitFor(async () => expect(await answers()).toMatchObject(none), soon)
  })

  test('revenue is kept in minor units, from tags and servers; a pixel, and what is wrong, is told', async () => {
    const revenue = { amount: '49.90', currency: 'EUR' }
    expect((await send({ d: { revenue } })).event).toMatchObject({
      revenue: 4_990,
      currency: 'EUR',
      props: { revenue },
    })
    const wrong = await send({ d: { revenue: { amount: 'much', currency: 'EUR' } } })
    expect(wrong).toMatchObject({
      answer: { accepted: 0, rejected: [{ q: 0, reason: 'revenue-invalid' }] },
      event: null,
    })
    const body = JSON.stringify([
      { name: 'order', id: `${site}-1`, properties: { revenue } },
      { name: 'order', properties: { revenue: 5 } },
    ])
    const answer = await (await it.ask(`/api/v2/events?site=${site}`, { method: 'POST', body })).json()
    expect(answer).toEqual({ accepted: 1, rejected: [{ index: 1, reason: 'revenue-invalid' }] })
    await it.settled()
    expect(await stored(`${site}-1`)).toMatchObject({ revenue: 4_990, currency: 'EUR' })
    const pixel = await fetch(`${it.url}/p.gif?site=${site}&event=order&revenue=5`)
    expect(pixel.headers.get('x-livetag')).toBe('revenue-invalid')
  })

  test('a pixel and a server meet goals, too', async () => {
    await add({ name: 'Order', event: 'order', value: { property: 'total', currency: 'USD' } })
    await vi.waitFor(async () => {
      expect((await send({ d: { total: 7 } })).event).toMatchObject({ goals: ['Order'], revenue: 700, currency: 'USD' })
    }, soon)
    await fetch(`${it.url}/p.gif?site=${site}&event=order&total=1.5&id=${site}-p`)
    const body = JSON.stringify({ name: 'order', id: `${site}-s`, properties: { total: '2' } })
    await it.ask(`/api/v2/events?site=${site}`, { method: 'POST', body })
    await it.settled()
    expect(await stored(`${site}-p`)).toMatchObject({ goals: ['Order'], revenue: 150, currency: 'USD' })
    expect(await stored(`${site}-s`)).toMatchObject({ goals: ['Order'], revenue: 200, currency: 'USD' })
  })
})
