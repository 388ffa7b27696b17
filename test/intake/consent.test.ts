import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTcf } from '../../collector/intake/tc-string.ts'
import type { RawEvent } from '../../collector/settle/index.ts'
import type { Envelope } from '../../tag/wire.ts'
import { CHROME, envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { tcString } from '../fixtures/tc-string.ts'

const AGREED = ['measure', 'identify']

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({
    sites: [
      { key: 'shop', consent: 'none' },
      { key: 'asks', consent: 'required' },
      { key: 'counts', consent: 'cookieless' },
      { key: 'sets', consent: 'required', cookie: 'collector', domain: 'localhost' },
    ],
  })
})
afterAll(() => it.close())

const rawOf = async (prefix: string) => {
  await it.settled()
  return await it.db
    .collection<RawEvent>('events')
    .find({ id: { $regex: `^${prefix}\\.` } })
    .sort({ id: 1 })
    .toArray()
}
const consent = (purposes: string[]) => ({ n: 'consent', d: { purposes, signal: 'api' } })

describe('each mode takes what it may', () => {
  test.each<[Envelope['c'], string, boolean]>([
    ['g', 'asks', true],
    ['d', 'asks', true],
    ['l', 'asks', false],
    ['x', 'asks', false],
    ['g', 'counts', true],
    ['d', 'counts', true],
    ['l', 'counts', true],
    ['x', 'counts', false],
    ['g', 'shop', true],
    ['d', 'shop', true],
    ['x', 'shop', true],
    ['l', 'shop', false],
  ])('%s for the site %s: %s', async (c, s, taken) => {
    const body = envelope([consent(c === 'd' ? [] : AGREED)], { s, c })
    const response = await it.send(body)
    expect(response.headers.get('x-livetag')).toBe(taken ? null : 'consent-missing')
    expect(response.status).toBe(taken ? 200 : 403)
    expect(await rawOf(body.w)).toHaveLength(taken ? 1 : 0)
  })
})

describe('without the purpose `identify`', () => {
  test.each<[string, Envelope['c']]>([
    ['asks', 'g'],
    ['shop', 'x'],
  ])('no visitor is stored where the last decision leaves it out, whatever else is said: %s, %s', async (s, c) => {
    const body = envelope([consent(AGREED), {}, consent(['measure'])], { s, c, i: 'secret-visitor' })
    await it.deliver(body)
    const events = await rawOf(body.w)
    expect(events).toHaveLength(3)
    expect(JSON.stringify(events)).not.toContain('secret-visitor')
    const proof = await it.db.collection<{ _id: string }>('consents').findOne({ _id: `${s}:${body.w}.2` })
    expect(proof).toMatchObject({ granted: ['measure'] })
    expect(JSON.stringify(proof)).not.toContain('secret-visitor')
  })

  test('a later grant of it counts, and so does an envelope that tells of no decision', async () => {
    for (const events of [[consent(['measure']), consent(AGREED)], [{}]]) {
      const body = envelope(events, { s: 'asks', c: 'g', i: 'known' })
      await it.deliver(body)
      expect((await rawOf(body.w)).every(({ visitor }) => visitor === 'known')).toBe(true)
    }
  })

  test('the collector’s cookie is not set, and one that is there is deleted', async () => {
    const body = envelope([consent(['measure'])], { s: 'sets', c: 'g', i: '-' })
    const none = await it.send(body)
    expect(none.headers.get('set-cookie') ?? '').not.toMatch(/lt=\w/)
    const held = await it.send(envelope([consent(['measure'])], { s: 'sets', c: 'g', i: '-' }), {
      cookie: 'lt=abcdefghijklmnop',
    })
    expect(held.headers.get('set-cookie')).toMatch(/^lt=; Max-Age=0/)
    expect(JSON.stringify(await rawOf(body.w))).not.toContain('abcdefghijklmnop')
  })

  test.each<[string, Partial<Envelope>, boolean]>([
    ['a grant that names no visitor', { s: 'asks', c: 'g', i: undefined as never }, false],
    ['cookieless', { s: 'counts', c: 'l' }, false],
    ['a withdrawal', { s: 'asks', c: 'd' }, false],
    ['a grant that names one', { s: 'asks', c: 'g', i: 'v' }, true],
    ['a site that needs no consent', { s: 'shop', c: 'x' }, true],
  ])('`identify` under %s: taken %s', async (_, head, taken) => {
    const body = envelope([{ n: 'identify', d: { id: 'customer-77' } }], head)
    const { rejected } = await it.deliver(body)
    expect(rejected).toEqual(taken ? [] : [{ q: 0, reason: 'consent-missing' }])
    expect(await rawOf(body.w)).toHaveLength(taken ? 1 : 0)
  })
})

describe('a pixel with a TC string', () => {
  const ask = async (query: string) => {
    const before = await it.db.collection('journal').countDocuments()
    const response = await fetch(`${it.url}/p.gif?${query}`, { headers: { 'user-agent': CHROME } })
    expect(response.headers.get('content-type')).toBe('image/gif')
    const stored = (await it.db.collection('journal').countDocuments()) - before
    return [response.headers.get('x-livetag'), stored]
  }

  test.each<[string, number[], boolean]>([
    ['storing, and measuring content', [1, 8], true],
    ['storing, and understanding audiences', [1, 9], true],
    ['everything', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], true],
    ['storing alone', [1], false],
    ['measuring, without storing', [8, 9], false],
    ['nothing', [], false],
  ])('that grants %s', async (_, purposes, taken) => {
    const text = tcString(purposes)
    expect(await ask(`site=asks&gdpr=1&gdpr_consent=${text}`)).toEqual(taken ? [null, 1] : ['consent-missing', 0])
    expect(await ask(`site=asks&gdpr_consent=${text}`)).toEqual(taken ? [null, 1] : ['consent-missing', 0])
  })

  test('where the GDPR does not apply it passes; where it does, and nothing is granted, it does not', async () => {
    expect(await ask('site=asks&gdpr=0')).toEqual([null, 1])
    expect(await ask('site=asks&gdpr=1')).toEqual(['consent-missing', 0])
    expect(await ask('site=asks&gdpr=0&consent=d')).toEqual(['consent-missing', 0])
  })

  test('on a cookieless site a refusal leaves it cookieless; on one that needs no consent it ends it', async () => {
    const no = tcString([])
    for (const [query, flag, visitor] of [
      [`gdpr_consent=${no}`, 'l', /^~/],
      [`gdpr_consent=${tcString([1, 8])}`, 'g', /^anna$/],
    ] as const) {
      expect(await ask(`site=counts&event=tcf&visitor=anna&${query}`)).toEqual([null, 1])
      await it.settled()
      const event = await it.db.collection<RawEvent>('events').findOne({ 'meta.name': 'tcf', consent: flag })
      expect(event?.visitor).toMatch(visitor)
      expect(event).not.toHaveProperty('props')
    }
    expect(await ask(`site=shop&gdpr_consent=${no}`)).toEqual(['consent-missing', 0])
    expect(await ask('site=shop&gdpr_consent=nonsense')).toEqual([null, 1])
  })

  test.each([
    ['an empty one', ''],
    ['no TC string', 'yes'],
    ['one of TCF 1', `B${'A'.repeat(60)}`],
    ['one that is cut off', tcString([1, 8]).slice(0, 30)],
    ['signs that are none of base64url', `${tcString([1, 8])}%20%00`],
    ['one that never ends', tcString([1, 8]).padEnd(5_000, 'A')],
    ['a CMP that there is not', `C${'A'.repeat(60)}`],
  ])('%s is no consent, and no error', async (_, text) => {
    expect(await ask(`site=asks&gdpr=1&gdpr_consent=${text}`)).toEqual(['consent-missing', 0])
  })

  test('a list of vendors that would take seconds to write out takes no time', () => {
    const head = tcString([1, 8]).slice(0, 35)
    const begun = performance.now()
    // 4,095 ranges, each of all vendors.
    const bits = `${'1'.repeat(16)}1${'1'.repeat(12)}${`1${'0'.repeat(15)}1${'1'.repeat(16)}`.repeat(700)}`
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const list = (bits.match(/.{6}/g) ?? []).map(six => alphabet[Number.parseInt(six, 2)]).join('')
    expect(readTcf(undefined, `${head}A${list}`)).toBe('g')
    expect(performance.now() - begun).toBeLessThan(200)
  })
})
