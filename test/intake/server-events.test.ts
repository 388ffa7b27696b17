import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ServerAnswer } from '../../collector/intake/server-events.ts'
import { addKey } from '../../collector/sites/index.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
let it: TestCollector
let key: string
beforeAll(async () => {
  it = await startCollector({
    sites: [{}, { key: 'asks', consent: 'required' }, { key: 'counts', consent: 'cookieless' }],
  })
  key = (await addKey(it.db, { name: 'a shop', scope: 'write', sites: ['shop', 'asks', 'counts'] })).key
})
afterAll(() => it.close())

const post = (body: unknown, { site = 'shop', auth = key } = {}) =>
  fetch(`${it.url}/api/v2/events?site=${site}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { authorization: `Bearer ${auth}`, 'content-type': 'application/json' },
  })
const answer = async (body: unknown, site?: string) =>
  (await (await post(body, site ? { site } : {})).json()) as ServerAnswer
const stored = async (name: string) => {
  await it.settled()
  return await it.db.collection('events').find({ 'meta.name': name }).toArray()
}

test('an event has what the server says of it, and nothing of the server itself', async () => {
  const time = new Date(Date.now() - 3_600_000)
  const event = {
    name: 'renewed',
    time: time.toISOString(),
    url: 'https://shop.example/account?utm_source=news&password=x',
    properties: { plan: 'pro' },
    visitor: 'v1',
    session: 's1',
    userAgent: FIREFOX,
  }
  expect(await answer(event)).toEqual({ accepted: 1, rejected: [] })
  const [held] = await stored('renewed')
  expect(held).toMatchObject({ visitor: 'v1', session: 's1', browser: 'Firefox', source: 'news', consent: 'x' })
  expect([held?.ts, held?.props]).toEqual([time, { plan: 'pro' }])
  expect(JSON.stringify(held)).not.toContain('password')
  expect(await answer({ name: 'bare' })).toEqual({ accepted: 1, rejected: [] })
  const [bare] = await stored('bare')
  expect(bare).toMatchObject({ path: '/', browser: '', os: '', device: '' })
  for (const field of ['visitor', 'session', 'bot']) expect(bare).not.toHaveProperty(field)
})

test('an id of the caller’s own is counted once, however often it is sent', async () => {
  const order = { name: 'purchase', id: 'order-1', properties: { total: 12 } }
  expect(await answer([order, order])).toEqual({ accepted: 2, rejected: [] })
  await answer(order)
  expect(await stored('purchase')).toHaveLength(1)
})

test('a list is taken event by event: each that is refused is named by its place and reason', async () => {
  const late = Date.now() - 8 * 86_400_000
  const list = [
    { name: 'mixed' },
    { name: '' },
    { name: 'mixed', time: '2026-01-01 10:00' },
    { name: 'mixed', time: 'never' },
    { name: 'mixed', time: late },
    { name: 'mixed', properties: { $set: 1 } },
    null,
    { name: 'mixed', visitor: 'a b' },
    { name: 'mixed' },
  ]
  const { accepted, rejected } = await answer(list)
  expect(accepted).toBe(2)
  expect(rejected.map(({ index, reason }) => [index, reason])).toEqual([
    [1, 'name-invalid'],
    [2, 'time-invalid'],
    [3, 'time-invalid'],
    [4, 'too-late'],
    [5, 'property-key-invalid'],
    [6, 'event-invalid'],
    [7, 'event-invalid'],
  ])
  expect(await stored('mixed')).toHaveLength(2)
})

describe('consent is checked as everywhere', () => {
  test('a site that requires it takes what was granted, said so, and nothing else', async () => {
    const { accepted, rejected } = await answer(
      [{ name: 'required' }, { name: 'required', consent: 'cookieless' }, { name: 'required', consent: 'granted' }],
      'asks',
    )
    expect([accepted, rejected.map(({ reason }) => reason)]).toEqual([1, ['consent-missing', 'consent-missing']])
  })

  test('what is cookieless names nobody, whatever is sent with it', async () => {
    await answer({ name: 'nameless', visitor: 'v1', session: 's1' }, 'counts')
    const [held] = await stored('nameless')
    expect(held).toMatchObject({ consent: 'l' })
    for (const field of ['visitor', 'session']) expect(held).not.toHaveProperty(field)
  })
})

test('it takes a key that may write to this site', async () => {
  const { key: reader } = await addKey(it.db, { name: 'a reader', scope: 'read', sites: ['shop'] })
  const { key: other } = await addKey(it.db, { name: 'another', scope: 'write', sites: ['asks'] })
  expect((await post({ name: 'no' }, { auth: reader })).status).toBe(403)
  expect((await post({ name: 'no' }, { auth: other })).status).toBe(404)
  expect((await post({ name: 'no' }, { auth: 'lt_none' })).status).toBe(401)
  expect(await stored('no')).toEqual([])
})

test.each([
  ['{', 400, 'body-invalid'],
  ['[]', 400, 'body-invalid'],
  [JSON.stringify(Array(501).fill({ name: 'x' })), 400, 'body-invalid'],
  [JSON.stringify({ name: 'x', properties: { text: 'x'.repeat(1_100_000) } }), 413, 'body-too-large'],
])('a body that is none is answered with what is wrong: %.20s', async (body, status, code) => {
  const response = await post(body)
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code])
})

test('a live view shows it at once', async () => {
  const abort = new AbortController()
  const stream = await fetch(`${it.url}/api/v2/live?site=shop`, {
    headers: { authorization: `Bearer ${(await addKey(it.db, { name: 'r', scope: 'read', sites: ['shop'] })).key}` },
    signal: abort.signal,
  })
  let heard = ''
  const reading = (async () => {
    for await (const chunk of stream.body ?? []) heard += Buffer.from(chunk).toString()
  })().catch(() => {})
  await vi.waitFor(() => expect(heard).toContain('snapshot'), 5_000)
  await answer({ name: 'seen-live' })
  await vi.waitFor(() => expect(heard).toContain('seen-live'), 5_000)
  abort.abort()
  await reading
})
