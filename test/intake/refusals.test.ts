import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventsOf, type StoredPage } from '../../collector/journal/index.ts'
import type { Envelope } from '../../tag/wire.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({
    sites: [
      { key: 'shop', consent: 'none' },
      { key: 'asks', consent: 'required' },
      { key: 'counts', consent: 'cookieless' },
    ],
  })
})
afterAll(() => it.close())

const stored = (site: string) => it.db.collection<StoredPage>('journal').countDocuments({ 'envelopes.site': site })

describe('a body is refused as a whole', () => {
  const good = envelope()
  const without = (field: keyof Envelope) => JSON.stringify({ ...good, [field]: undefined })
  test.each<[string, string | Uint8Array<ArrayBuffer>, number, string]>([
    ['broken JSON', '{"s":"shop",', 400, 'json-invalid'],
    ['an empty body', '', 400, 'json-invalid'],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0, 0x80), 400, 'json-invalid'],
    ['null', 'null', 400, 'envelope-invalid'],
    ['an empty list', '[]', 400, 'envelope-invalid'],
    ['a text', '"x"', 400, 'envelope-invalid'],
    ['a number too large for a number', '1e400', 400, 'envelope-invalid'],
    ['lists in lists, 30,000 deep', '['.repeat(30_000) + ']'.repeat(30_000), 400, 'envelope-invalid'],
    ['objects in objects, 10,000 deep', `${'{"s":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400, 'envelope-invalid'],
    ['no site', without('s'), 400, 'envelope-invalid'],
    ['no time', without('t'), 400, 'envelope-invalid'],
    ['no page', without('p'), 400, 'envelope-invalid'],
    ['no consent', without('c'), 400, 'envelope-invalid'],
    ['no events', without('e'), 400, 'envelope-invalid'],
    ['events that are no list', JSON.stringify({ ...good, e: { length: 1 } }), 400, 'envelope-invalid'],
    ['a time beyond all numbers', JSON.stringify(good).replace(/"t":\d{13}/, '"t":1e400'), 400, 'envelope-invalid'],
    ['a page-view id that is a number', JSON.stringify({ ...good, w: 1e300 }), 400, 'envelope-invalid'],
    ['a page-view id with a newline', JSON.stringify({ ...good, w: `${good.w}\n` }), 400, 'envelope-invalid'],
    ['a visitor id that is an operator', JSON.stringify({ ...good, i: { $ne: null } }), 400, 'envelope-invalid'],
    ['a visitor id with a NUL', JSON.stringify({ ...good, i: 'a\0' }), 400, 'envelope-invalid'],
    ['a session id that is a huge number', JSON.stringify({ ...good, k: 1e300 }), 400, 'envelope-invalid'],
    ['a page URL that is a list', JSON.stringify({ ...good, p: { u: ['https://x/'] } }), 400, 'envelope-invalid'],
    ['a negative viewport', JSON.stringify({ ...good, p: { u: '', vw: -1 } }), 400, 'envelope-invalid'],
    ['a site that is an operator', JSON.stringify({ ...good, s: { $gt: '' } }), 400, 'envelope-invalid'],
    ['an unknown site', JSON.stringify({ ...good, s: 'nobody' }), 404, 'site-unknown'],
    ['a site named as every object has it', JSON.stringify({ ...good, s: '__proto__' }), 404, 'site-unknown'],
    ['a site of half a surrogate pair', JSON.stringify({ ...good, s: '\ud800' }), 404, 'site-unknown'],
    ['no need of consent where the site needs it', JSON.stringify({ ...good, s: 'asks' }), 403, 'consent-missing'],
    ['cookieless where the site needs consent', JSON.stringify({ ...good, s: 'asks', c: 'l' }), 403, 'consent-missing'],
    ['no need of consent on a cookieless site', JSON.stringify({ ...good, s: 'counts' }), 403, 'consent-missing'],
    ['cookieless on a site without a need', JSON.stringify({ ...good, c: 'l' }), 403, 'consent-missing'],
    ['501 events', JSON.stringify({ ...good, e: Array(501).fill({}) }), 413, 'too-many-events'],
    ['10,000 events', JSON.stringify({ ...good, e: Array(10_000).fill(0) }), 413, 'too-many-events'],
    ['501 envelopes', JSON.stringify(Array(501).fill({})), 413, 'too-many-events'],
  ])('%s', async (_name, body, status, reason) => {
    const response = await it.send(body)
    expect(response.status).toBe(status)
    expect(response.headers.get('x-livetag')).toBe(reason)
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ status, reason })
  })

  test('and nothing of it is stored', async () => {
    expect(await it.db.collection('journal').countDocuments()).toBe(0)
  })
})

describe('an event is refused alone, with its reason, and its batch goes on', () => {
  const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) })
  test.each<[string, object | null | string, string]>([
    ['null', null, 'event-invalid'],
    ['a text', 'pageview', 'event-invalid'],
    ['no sequence number', { q: undefined }, 'event-invalid'],
    ['a sequence number that is a fraction', { q: 1.5 }, 'event-invalid'],
    ['a sequence number that is huge', { q: 1e300 }, 'event-invalid'],
    ['a negative sequence number', { q: -1 }, 'event-invalid'],
    ['no name', { n: '' }, 'name-invalid'],
    ['a name that is an object', { n: { $where: '1' } }, 'name-invalid'],
    ['a long name', { n: 'n'.repeat(121) }, 'name-invalid'],
    ['a name with a NUL', { n: 'a\0b' }, 'name-invalid'],
    ['a name with a newline', { n: 'a\nb' }, 'name-invalid'],
    ['a name with half a surrogate pair', { n: 'a\udc00' }, 'name-invalid'],
    ['an id that is a huge number', { id: 1e300 }, 'id-invalid'],
    ['an id that is empty', { id: '' }, 'id-invalid'],
    ['an id that is long', { id: 'i'.repeat(129) }, 'id-invalid'],
    ['an id with a NUL', { id: 'a\0' }, 'id-invalid'],
    ['an id with half a surrogate pair', { id: '\ud800' }, 'id-invalid'],
    ['an id that is an operator', { id: { $gt: '' } }, 'id-invalid'],
    ['a time that is a text', { t: '0' }, 'time-invalid'],
    ['a time that is null', { t: null }, 'time-invalid'],
    ['more than 7 days late', { t: 7 * 86_400_000 + 1 }, 'too-late'],
    ['properties that are a list', { d: [1] }, 'properties-invalid'],
    ['properties that are a text', { d: 'x' }, 'properties-invalid'],
    ['properties that are null', { d: null }, 'properties-invalid'],
    ['an operator as key', { d: { $where: 'sleep(1000)' } }, 'property-key-invalid'],
    ['an operator as inner key', { d: { a: [{ $gt: '' }] } }, 'property-key-invalid'],
    ['a dotted key', { d: { 'a.b': 1 } }, 'property-key-invalid'],
    ['an empty key', { d: { '': 1 } }, 'property-key-invalid'],
    ['a long key', { d: { ['k'.repeat(101)]: 1 } }, 'property-key-invalid'],
    ['a key with a NUL', { d: { 'a\0b': 1 } }, 'property-key-invalid'],
    ['a key with half a surrogate pair', { d: { '\ud800': 1 } }, 'property-key-invalid'],
    ['__proto__ as key', { d: JSON.parse('{"__proto__":{"polluted":1}}') }, 'property-key-invalid'],
    ['__proto__ as inner key', { d: { a: JSON.parse('{"__proto__":1}') } }, 'property-key-invalid'],
    ['_bsontype as key', { d: { _bsontype: 'ObjectId' } }, 'property-key-invalid'],
    ['_bsontype as inner key', { d: { a: { _bsontype: 'Long' } } }, 'property-key-invalid'],
    [
      '101 properties',
      { d: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, i])) },
      'properties-too-many',
    ],
    ['101 properties in a list', { d: { a: Array(100).fill(0) } }, 'properties-too-many'],
    ['properties 6 levels deep', { d: nested(6) }, 'properties-too-deep'],
    ['a text of 4,097 characters', { d: { a: 'x'.repeat(4_097) } }, 'text-too-long'],
    ['a text with a NUL', { d: { a: 'x\0' } }, 'text-invalid'],
    ['a text with half a surrogate pair', { d: { a: ['\ud800'] } }, 'text-invalid'],
  ])('%s', async (_name, wrong, reason) => {
    const bad = typeof wrong === 'object' && wrong !== null ? { n: 'wrong', q: 1, t: 0, ...wrong } : wrong
    const [before, after] = [
      { n: 'before', q: 0, t: 0 },
      { n: 'after', q: 2, t: 0 },
    ]
    const one = { ...envelope(), e: [before, bad, after] }
    const response = await it.send(JSON.stringify(one))
    expect(response.status).toBe(200)
    expect(response.headers.get('x-livetag')).toBe(reason)
    const answer = await response.json()
    expect(answer).toMatchObject({ accepted: 2, rejected: [{ reason }] })
    const [page] = await it.db.collection<StoredPage>('journal').find().sort({ _id: -1 }).limit(1).toArray()
    expect(eventsOf(page?.envelopes ?? []).map(({ name, id }) => [name, id])).toEqual([
      ['before', `${one.w}.0`],
      ['after', `${one.w}.2`],
    ])
  })

  test('properties 30,000 levels deep', async () => {
    const body = JSON.stringify(envelope([{ n: 'deep', d: { a: 0 } }])).replace(
      '"a":0',
      `"a":${'['.repeat(30_000)}${']'.repeat(30_000)}`,
    )
    expect(await (await it.send(body)).json()).toEqual({
      accepted: 0,
      rejected: [{ q: 0, reason: 'properties-too-deep' }],
    })
  })

  test('after a withdrawal only its record is taken', async () => {
    const answer = await it.deliver(envelope([{ n: 'pageview' }, { n: 'consent' }], { c: 'd', s: 'asks' }))
    expect(answer).toEqual({ accepted: 1, rejected: [{ q: 0, reason: 'consent-missing' }] })
    const [page] = await it.db.collection<StoredPage>('journal').find({ 'envelopes.site': 'asks' }).toArray()
    expect(page?.n).toBe(1)
    expect(page?.envelopes[0]).not.toHaveProperty('visitor')
    expect(page?.envelopes[0]).not.toHaveProperty('session')
  })
})

test('an envelope of a list is refused alone, and says so', async () => {
  const good = envelope()
  const response = await it.send([good, { ...good, s: 'nobody' }])
  expect(response.headers.get('x-livetag')).toBe('site-unknown')
  expect(await response.json()).toEqual({ accepted: 1, rejected: [{ q: null, reason: 'site-unknown' }] })
})

test('a list whose envelopes are all refused is refused with the first reason', async () => {
  const response = await it.send([envelope([], { s: 'nobody' }), envelope([], { s: 'asks' })])
  expect([response.status, response.headers.get('x-livetag')]).toEqual([404, 'site-unknown'])
})

test('everything that was taken is settled, and nothing is parked', async () => {
  await it.settled()
  expect(await stored('shop')).toBeGreaterThan(0)
  expect(await stored('counts')).toBe(0)
  expect(await it.db.collection('parked').countDocuments()).toBe(0)
})

test('the rejected are counted by site, name and reason, without their values', async () => {
  const own = await startCollector()
  await own.deliver(
    envelope([
      { n: 'buy', d: { $secret: 'value' } },
      { n: 'buy', d: { 'secret.b': 1 } },
    ]),
  )
  await own.send('broken')
  await own.collector.close()
  const rejects = await own.db
    .collection('rejects')
    .find({}, { projection: { _id: 0, at: 0 } })
    .toArray()
  expect(rejects).toHaveLength(2)
  expect(rejects).toContainEqual({ site: 'shop', name: 'buy', reason: 'property-key-invalid', n: 2 })
  expect(rejects).toContainEqual({ site: '', name: '', reason: 'json-invalid', n: 1 })
  await own.close()
})
