import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventsOf, type StoredPage } from '../../collector/journal/index.ts'
import type { RawEvent } from '../../collector/settle/index.ts'
import { CHROME, startCollector, type TestCollector } from '../fixtures/collector.ts'

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

const ask = (query: string, init: RequestInit = {}) =>
  fetch(`${it.url}/p.gif${query}`, { ...init, headers: { 'user-agent': CHROME, ...init.headers } })
const journal = () => it.db.collection<StoredPage>('journal')
const newest = async () =>
  (await journal().find().sort({ _id: -1 }).limit(1).toArray()).flatMap(({ envelopes }) => eventsOf(envelopes))[0]

async function expectGif(response: Response): Promise<void> {
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('image/gif')
  expect(response.headers.get('content-length')).toBe('42')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
  expect(response.headers.has('set-cookie')).toBe(false)
}

test('an event of a pixel is stored with what its parameters say', async () => {
  const query =
    '?site=shop&event=click&campaign_id=123&tag=a&tag=b&url=https%3A%2F%2Fshop.example%2Fsale%3Futm_source%3Dmail&ref=https%3A%2F%2Fnews.example%2Fx%3Fq%3D1&title=Sale&visitor=v1&session=s1'
  const response = await ask(query)
  await expectGif(response)
  const gif = Buffer.from(await response.arrayBuffer())
  expect(gif).toHaveLength(42)
  expect(gif.toString('latin1', 0, 6)).toBe('GIF89a')
  expect(response.headers.has('x-livetag')).toBe(false)
  expect(await newest()).toMatchObject({
    site: 'shop',
    name: 'click',
    path: '/sale',
    source: 'mail',
    channel: 'email',
    ref: 'https://news.example/x',
    title: 'Sale',
    visitor: 'v1',
    session: 's1',
    browser: 'Chrome',
    props: { campaign_id: '123', tag: 'a' },
  })
})

test('the campaign and the channel reach the raw record, and only what there is', async () => {
  await ask(
    '?site=shop&event=tagged&url=https%3A%2F%2Fshop.example%2F%3Futm_source%3Dads%26utm_medium%3Dcpc%26utm_term%3Da',
  )
  await ask('?site=shop&event=untagged&url=https%3A%2F%2Fshop.example%2F')
  await it.settled()
  const raw = (name: string) => it.db.collection<RawEvent>('events').findOne({ 'meta.name': name })
  expect(await raw('tagged')).toMatchObject({ source: 'ads', channel: 'paid search', medium: 'cpc', term: 'a' })
  expect(await raw('untagged')).toMatchObject({ source: 'direct', channel: 'direct' })
  for (const field of ['medium', 'campaign', 'term', 'content']) expect(await raw('untagged')).not.toHaveProperty(field)
})

test('without a name it is a page view of the page that it is on', async () => {
  await ask('?site=shop', { headers: { referer: 'https://shop.example/from-referer' } })
  const event = await newest()
  expect(event).toMatchObject({ name: 'pageview', path: '/from-referer' })
  expect(event?.props).toBeUndefined()
})

describe('a refusal is a GIF as well, with its reason, and nothing is stored', () => {
  const many = Array.from({ length: 101 }, (_, i) => `k${i}=1`).join('&')
  test.each([
    ['', 'site-unknown'],
    ['?', 'site-unknown'],
    ['?site=nobody', 'site-unknown'],
    ['?site=__proto__', 'site-unknown'],
    ['?site=asks', 'consent-missing'],
    ['?site=asks&consent=x', 'consent-missing'],
    ['?site=asks&consent=l', 'consent-missing'],
    ['?site=asks&consent=d', 'consent-missing'],
    ['?site=asks&consent=yes', 'consent-missing'],
    ['?site=counts&consent=x', 'consent-missing'],
    ['?site=shop&event=', 'name-invalid'],
    ['?site=shop&event=a%00', 'name-invalid'],
    [`?site=shop&event=${'n'.repeat(121)}`, 'name-invalid'],
    ['?site=shop&id=', 'id-invalid'],
    ['?site=shop&id=a%0Ab', 'id-invalid'],
    ['?site=shop&visitor=a%20b', 'id-invalid'],
    ['?site=shop&session=$ne', 'id-invalid'],
    ['?site=shop&$where=1', 'property-key-invalid'],
    ['?site=shop&a.b=1', 'property-key-invalid'],
    ['?site=shop&__proto__=1', 'property-key-invalid'],
    ['?site=shop&_bsontype=Long', 'property-key-invalid'],
    ['?site=shop&a=%00', 'text-invalid'],
    [`?site=shop&a=${'x'.repeat(4_097)}`, 'text-too-long'],
    [`?site=shop&${many}`, 'properties-too-many'],
  ])('%.60s → %s', async (query, reason) => {
    const before = await journal().countDocuments()
    const response = await ask(query)
    await expectGif(response)
    expect(response.headers.get('x-livetag')).toBe(reason)
    expect(await journal().countDocuments()).toBe(before)
  })
})

test.each(['HEAD', 'POST', 'OPTIONS', 'PUT'])('a %s does not count', async method => {
  const before = await journal().countDocuments()
  const response = await ask('?site=shop', { method })
  expect(response.headers.get('x-livetag')).toBe('method-not-allowed')
  expect(await journal().countDocuments()).toBe(before)
})

test('consent is taken where it is given, or where the site’s mode needs none', async () => {
  for (const query of ['?site=asks&consent=g', '?site=counts', '?site=shop']) await ask(`${query}&event=mode`)
  const events = (await journal().find({ 'envelopes.events.name': 'mode' }).toArray()).flatMap(page =>
    eventsOf(page.envelopes),
  )
  expect(events.map(({ site, consent }) => [site, consent])).toEqual([
    ['asks', 'g'],
    ['counts', 'l'],
    ['shop', 'x'],
  ])
})

test('a cookieless pixel takes no identifier along', async () => {
  await ask('?site=counts&visitor=v1&session=s1')
  const event = await newest()
  expect(event).toMatchObject({ site: 'counts', visitor: expect.stringMatching(/^~[\w-]{22}$/) })
  expect(event?.session).toBe(event?.visitor)
})

test('percent signs that encode nothing do no harm', async () => {
  const response = await ask('?site=shop&event=100%&a=%E0%A4&%zz=%')
  await expectGif(response)
  expect(await newest()).toMatchObject({ name: '100%', props: { '%zz': '%' } })
})

test('an id of one’s own counts once per name, a pixel without one counts each time', async () => {
  const one = ['?site=shop&event=order&id=A%3A7', '?site=shop&event=order%3AA&id=7']
  await Promise.all([...one, ...one, ...one, '?site=shop&event=seen', '?site=shop&event=seen'].map(query => ask(query)))
  await it.settled()
  const count = (name: string) => it.db.collection<RawEvent>('events').countDocuments({ 'meta.name': name })
  expect([await count('order'), await count('order:A'), await count('seen')]).toEqual([1, 1, 2])
  expect(await it.db.collection('parked').countDocuments()).toBe(0)
})
