import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BlockList } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIntake } from '../../collector/intake/index.ts'
import { eventsOf, JournalError, type JournalEvent, type StoredPage } from '../../collector/journal/index.ts'
import { createLog } from '../../collector/log.ts'
import type { Site } from '../../collector/sites/index.ts'
import type { Envelope } from '../../tag/wire.ts'
import { envelope, pageViewId, startCollector, type TestCollector } from '../fixtures/collector.ts'

const HELD = 'abcdefgh01234567'
const ATTRIBUTES = 'Max-Age=34128000; Path=/; HttpOnly; SameSite=Lax'
const ID = /^lt=([0-9a-z]{16}); /

let it: TestCollector
let alone: TestCollector
beforeAll(async () => {
  it = await startCollector({
    trustProxy: ['127.0.0.0/8'],
    sites: [
      { cookie: 'collector' },
      { key: 'asks', consent: 'required', cookie: 'collector' },
      { key: 'counts', consent: 'cookieless', cookie: 'collector' },
      { key: 'local', domain: 'localhost', cookie: 'collector' },
      { key: 'other', domain: 'other.example' },
    ],
  })
  alone = await startCollector({ sites: [{ cookie: 'collector' }] })
})
afterAll(() => Promise.all([it.close(), alone.close()]))

const inCookie = (head: Partial<Envelope> = {}, events: Parameters<typeof envelope>[0] = [{}]) =>
  envelope(events, { i: '-', ...head })
const cookieOf = (response: Response) => response.headers.get('set-cookie')
const idOf = (response: Response) => ID.exec(cookieOf(response) ?? '')?.[1]
const eventOf = async (one: Envelope): Promise<JournalEvent | undefined> => {
  const page = await it.db.collection<StoredPage>('journal').findOne({ 'envelopes.events.id': `${one.w}.0` })
  return eventsOf(page?.envelopes ?? []).find(({ id }) => id === `${one.w}.0`)
}

describe('with consent, for a site that asks for it', () => {
  test.each([
    ['shop', 'x'],
    ['asks', 'g'],
    ['counts', 'g'],
  ] as const)('%s, consent %s: a new visitor gets a cookie, and it is the events’ visitor', async (s, c) => {
    const one = inCookie({ s, c })
    const response = await it.send(one)
    expect(cookieOf(response)).toBe(`lt=${idOf(response)}; ${ATTRIBUTES}`)
    expect(idOf(response)).toMatch(/^[0-9a-z]{16}$/)
    expect(await eventOf(one)).toMatchObject({ visitor: idOf(response), session: 'session-1' })
  })

  test('who has the cookie keeps it as it is: use does not make it live longer', async () => {
    const one = inCookie()
    const response = await it.send(one, { cookie: `a=b; lt=${HELD}; c=d` })
    expect(cookieOf(response)).toBeNull()
    expect(await eventOf(one)).toMatchObject({ visitor: HELD })
  })

  test.each(['lt=', 'lt=-', `lt=${HELD}x`, `lt=${HELD.toUpperCase()}`, `xlt=${HELD}`, `lt="${HELD}"`, 'lt=$ne'])(
    'a cookie “%s” is nobody’s',
    async cookie => {
      const one = inCookie()
      const response = await it.send(one, { cookie })
      expect(idOf(response)).toMatch(/^[0-9a-z]{16}$/)
      expect(idOf(response)).not.toBe(HELD)
      expect((await eventOf(one))?.visitor).toBe(idOf(response))
    },
  )

  test('several envelopes in one body get one cookie and one visitor', async () => {
    const list = [inCookie(), inCookie({ s: 'asks', c: 'g' }), envelope([{}], { s: 'other' })]
    const response = await it.send(list)
    expect(response.headers.getSetCookie()).toHaveLength(1)
    const visitors = (await Promise.all(list.map(eventOf))).map(event => event?.visitor)
    expect(visitors).toEqual([idOf(response), idOf(response), 'visitor-1'])
  })

  test.each([
    ['shop', 'shop.example', 'https', '; Secure; Domain=shop.example'],
    ['shop', 'stats.shop.example:8443', 'http', '; Domain=shop.example'],
    ['shop', 'STATS.shop.example', 'https, http', '; Secure; Domain=shop.example'],
    ['shop', 'notshop.example', 'https', '; Secure'],
    ['shop', 'shop.example.evil.example', 'http', ''],
    ['local', 'localhost:4400', 'http', ''],
  ])('of %s, asked at %s by %s, it has the attributes “%s”', async (s, host, proto, attributes) => {
    const response = await it.send(inCookie({ s }), { 'x-forwarded-host': host, 'x-forwarded-proto': proto })
    expect(cookieOf(response)).toBe(`lt=${idOf(response)}; ${ATTRIBUTES}${attributes}`)
  })

  test('a proxy that is not trusted has no say in its attributes', async () => {
    const headers = { 'x-forwarded-host': 'shop.example', 'x-forwarded-proto': 'https' }
    const response = await alone.send(inCookie(), headers)
    expect(cookieOf(response)).toBe(`lt=${idOf(response)}; ${ATTRIBUTES}`)
  })
})

describe('a withdrawal', () => {
  const record = () => envelope([{ n: 'consent' }], { s: 'asks', c: 'd' })
  const deleted = 'lt=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax'

  test('deletes the cookie, with the attributes that it was set with, and names no visitor', async () => {
    const one = record()
    const headers = { cookie: `lt=${HELD}`, 'x-forwarded-host': 'shop.example', 'x-forwarded-proto': 'https' }
    expect(cookieOf(await it.send(one, headers))).toBe(`${deleted}; Secure; Domain=shop.example`)
    expect(await eventOf(one)).toMatchObject({ name: 'consent', visitor: undefined })
  })

  test('counts whatever else is in the body, before or after it', async () => {
    for (const list of [
      [record(), inCookie()],
      [inCookie(), record()],
    ])
      expect((await it.send(list)).headers.getSetCookie()).toEqual([deleted])
  })
})

describe('there is no cookie', () => {
  test.each<[string, Envelope]>([
    ['without consent to an identifier', inCookie({ s: 'counts', c: 'l' })],
    ['for a site that does not ask for it', inCookie({ s: 'other' })],
    ['at a withdrawal on another site', envelope([{ n: 'consent' }], { s: 'other', c: 'd' })],
    ['where the tag sends a visitor of its own', envelope()],
    ['where the tag names no visitor', envelope([{}], { i: undefined } as object)],
  ])('%s', async (_name, one) => {
    const response = await it.send(one, { cookie: `lt=${HELD}` })
    expect([response.status, cookieOf(response)]).toEqual([200, null])
    expect((await eventOf(one))?.visitor).not.toBe(HELD)
    expect((await eventOf(one))?.visitor).not.toBe('-')
    // Nor for who has none.
    expect(cookieOf(await it.send({ ...one, w: pageViewId() }))).toBeNull()
  })

  test.each<[string, Envelope | Envelope[] | string]>([
    ['consent that does not fit', inCookie({ s: 'asks', c: 'x' })],
    ['an unknown site', inCookie({ s: 'nobody' })],
    ['too many events', [inCookie(), inCookie({}, Array(500).fill({}))]],
    ['no event that is taken', inCookie({}, [{ n: '' }])],
    ['no event at all', inCookie({}, [])],
    ['a text', '{'],
  ])('where a body is refused or empty: %s', async (_name, body) => {
    expect(cookieOf(await it.send(body))).toBeNull()
  })

  test('at a pixel, which is nobody’s where it says that the visitor is in a cookie', async () => {
    const response = await fetch(`${it.url}/p.gif?site=shop&visitor=-&event=by-pixel`, {
      headers: { cookie: `lt=${HELD}` },
    })
    expect(cookieOf(response)).toBeNull()
    const page = await it.db.collection<StoredPage>('journal').findOne({ 'envelopes.events.name': 'by-pixel' })
    expect(page?.envelopes[0]).not.toHaveProperty('visitor')
  })

  test('where the events could not be made durable', async () => {
    const site: Site = {
      key: 'shop',
      domain: 'shop.example',
      consent: 'none',
      timezone: 'UTC',
      cookie: 'collector',
    }
    const asked: number[] = []
    const intake = createIntake({
      journal: {
        append(events) {
          asked.push(events.length)
          return Promise.reject(new JournalError('full'))
        },
      },
      sites: { get: () => site, cookieDomains: () => [site.domain] },
      rejects: { add() {} },
      places: { find: () => ({}) },
      salts: { find: () => undefined, load: async () => {} },
      trustProxy: new BlockList(),
      log: createLog('silent'),
      clock: Date.now,
    })
    const server = createServer((request, response) => void intake(request, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/e`
      for (const one of [inCookie(), envelope([{ n: 'consent' }], { c: 'd' })]) {
        const response = await fetch(url, {
          method: 'POST',
          body: JSON.stringify(one),
          headers: { origin: 'https://shop.example' },
        })
        expect([response.status, cookieOf(response)]).toEqual([503, null])
        // The tag has to see why, or it can't wait as long as it is asked to.
        expect(response.headers.get('access-control-allow-origin')).toBe('https://shop.example')
      }
      expect(asked).toEqual([1, 1])
    } finally {
      server.close()
    }
  })
})
