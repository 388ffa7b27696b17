import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { JournalEvent } from '../../collector/journal/index.ts'
import {
  addKey,
  addProperty,
  listProperties,
  MOST_PROPERTIES,
  type PropertyError,
  removeProperty,
} from '../../collector/sites/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

let it: TestCollector
let n = 0
/** A site of its own for each test. */
let site = ''
beforeAll(async () => {
  it = await startCollector({ sites: Array.from({ length: 20 }, (_, i) => ({ key: `site${i}` })) })
})
afterAll(() => it.close())
beforeEach(() => {
  site = `site${n++}`
})

const soon = { timeout: 10_000, interval: 20 }
const add = (property: unknown, key = site) => addProperty(it.db, key, property, new Date())
const names = async () => (await listProperties(it.db, site)).map(({ name }) => name)
const why = (adding: Promise<unknown>) =>
  adding.then(
    () => 'made',
    (error: PropertyError) => error.why,
  )

describe('a property', () => {
  test('is listed in the order of declaration, and removed', async () => {
    await add({ name: 'plan' })
    await add({ name: 'größe, in cm' })
    expect(await listProperties(it.db, site)).toEqual([
      { name: 'plan', since: expect.any(Date) },
      { name: 'größe, in cm', since: expect.any(Date) },
    ])
    await removeProperty(it.db, site, 'plan')
    expect(await names()).toEqual(['größe, in cm'])
    expect(await why(removeProperty(it.db, site, 'plan'))).toBe('unknown')
  })

  test('is declared once, also when two do at once, of a site that there is', async () => {
    expect((await Promise.all([why(add({ name: 'a' })), why(add({ name: 'a' }))])).sort()).toEqual(['exists', 'made'])
    expect(await names()).toEqual(['a'])
    expect(await why(add({ name: 'a' }, 'nowhere'))).toBe('unknown')
    expect(await why(add({ name: 'a' }, '_doctor'))).toBe('unknown')
  })

  test(`is one of ${MOST_PROPERTIES} at most, however many are declared at once`, async () => {
    const all = Array.from({ length: MOST_PROPERTIES + 5 }, (_, i) => why(add({ name: `p${i}` })))
    expect((await Promise.all(all)).filter(result => result === 'made')).toHaveLength(MOST_PROPERTIES)
    expect(await names()).toHaveLength(MOST_PROPERTIES)
    expect(await why(add({ name: 'more' }))).toBe('too-many')
  })

  test.each([
    ...['plan', {}, { name: '' }, { name: 5 }, { name: 'a.b' }, { name: '$a' }, { name: 'a\nb' }, { name: '\ud800' }],
    ...[{ name: 'x'.repeat(101) }, { name: 'a', since: 0 }],
  ])('is not %j', async property => {
    expect(await why(add(property))).toBe('invalid')
    expect(await names()).toEqual([])
  })
})

test('over HTTP properties are declared, listed and removed; a key that reads changes none', async () => {
  const ask = (init: RequestInit = {}, query = '') => it.ask(`/api/v2/properties?site=${site}${query}`, init)
  const make = (property: object, headers = {}) => ask({ method: 'POST', body: JSON.stringify(property), headers })
  const codeOf = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code]
  const made = await make({ name: 'plan' })
  expect([made.status, await made.json()]).toEqual([201, { name: 'plan', since: expect.any(String) }])
  expect(await codeOf(await make({ name: 'plan' }))).toEqual([409, 'property-exists'])
  expect(await codeOf(await make({ name: 'a.b' }))).toEqual([400, 'property-invalid'])
  expect(await codeOf(await ask({ method: 'DELETE' }, '&name=size'))).toEqual([404, 'property-unknown'])
  expect(await codeOf(await ask({ method: 'DELETE' }))).toEqual([400, 'parameter-invalid'])
  const { key } = await addKey(it.db, { name: 'k', scope: 'read', sites: [site] })
  const headers = { authorization: `Bearer ${key}` }
  expect(await (await ask({ headers })).json()).toMatchObject({ properties: [{ name: 'plan' }] })
  expect(await codeOf(await make({ name: 'size' }, headers))).toEqual([403, 'not-allowed'])
  expect(await codeOf(await ask({ method: 'DELETE', headers }, '&name=plan'))).toEqual([403, 'not-allowed'])
  expect((await ask({ method: 'DELETE' }, '&name=plan')).status).toBe(204)
  expect(await names()).toEqual([])
})

test('in a running collector events are counted by it from its declaration on, and no longer once it is removed', async () => {
  const send = async (d: Record<string, unknown>) => {
    const one = envelope([{ n: 'signup', d }], { s: site, k: `k${n}` })
    await it.deliver(one)
    await it.settled()
    return (await it.db.collection<JournalEvent>('events').findOne({ id: `${one.w}.0` })) as JournalEvent | null
  }
  const source = async () => {
    const body = { site_id: site, metrics: ['events'], date_range: 'day', dimensions: ['event:props:plan'] }
    const answer = await it.ask('/api/v2/query', { method: 'POST', body: JSON.stringify(body) })
    const { results, meta } = (await answer.json()) as { results: unknown; meta: { source: string } }
    return { results, source: meta.source }
  }
  await add({ name: 'plan' })
  await vi.waitFor(async () => expect((await send({}))?.declared).toEqual(['plan']), soon)
  const pixel = await fetch(`${it.url}/p.gif?site=${site}&event=signup&plan=pro&id=${site}-p`)
  expect(pixel.status).toBe(200)
  const body = JSON.stringify({ name: 'signup', id: `${site}-s`, properties: { plan: 'pro' } })
  await it.ask(`/api/v2/events?site=${site}`, { method: 'POST', body })
  await it.settled()
  for (const id of [`${site}-p`, `${site}-s`])
    expect(await it.db.collection('events').findOne({ id })).toMatchObject({ declared: ['plan'] })
  const { results } = await source()
  // Who asks for the pixel here is a bot.
  expect(results).toContainEqual({ dimensions: ['pro'], metrics: [1] })
  await removeProperty(it.db, site, 'plan')
  await vi.waitFor(async () => expect(await send({ plan: 'pro' })).not.toHaveProperty('declared'), soon)
  expect((await source()).source).toBe('events')
})
