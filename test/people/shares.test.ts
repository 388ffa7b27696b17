import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ATTEMPTS, TICKET_MS } from '../../collector/people/index.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'
import { newMember, newVisitor, outcome, PASSWORD } from '../fixtures/people.ts'
import { endWithin, isOpen, openStream } from '../fixtures/sse.ts'

const START = Date.now()
let later = 0
/** Passwords take a processor half a second each, and more where others want it too. */
vi.setConfig({ testTimeout: 120_000 })

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({
    sites: [{}, { key: 'blog' }],
    trustProxy: ['127.0.0.1'],
    clock: () => Date.now() + later,
  })
})
afterAll(() => it.close())

interface Shared {
  id: string
  url: string
  password: boolean
  embed: boolean
}
const share = async (body: object = {}, site = 'shop'): Promise<Shared & { token: string }> => {
  const response = await it.ask(`/api/v2/shares?site=${site}`, {
    method: 'POST',
    body: JSON.stringify({ name: 'a link', ...body }),
  })
  expect(response.status).toBe(201)
  const made = (await response.json()) as Shared
  return { ...made, token: made.url.split('/').at(-1) ?? '' }
}
const revoke = ({ id }: Shared) => it.ask(`/api/v2/shares?site=shop&id=${id}`, { method: 'DELETE' })
const ask = (path: string, token: string, init?: RequestInit) =>
  fetch(`${it.url}/api/v2${path}${path.includes('?') ? '&' : '?'}share=${token}`, init)
const ticket = async (token: string, password: string, network = '203.0.113.7') => {
  const response = await newVisitor(it.url, network).send('POST', '/api/v2/share-tickets', { share: token, password })
  return { status: response.status, ...((await response.json()) as { ticket?: string; code?: string }) }
}

describe('a shared link', () => {
  test('is made and listed by an owner of its site, with its address', async () => {
    const owner = await newMember(it, 'shop', 'owner')
    const made = await owner.send('POST', '/api/v2/shares?site=shop', { name: 'Board', embed: true })
    const one = (await made.json()) as Shared
    expect([made.status, one]).toEqual([
      201,
      {
        id: expect.any(String),
        name: 'Board',
        password: false,
        embed: true,
        url: expect.stringMatching(new RegExp(`^${it.url}/share/[\\w-]{32}$`)),
        createdAt: expect.any(String),
      },
    ])
    const { shares } = (await (await owner.get('/api/v2/shares?site=shop')).json()) as { shares: Shared[] }
    expect(shares).toContainEqual(one)
    expect((await owner.send('DELETE', `/api/v2/shares?site=shop&id=${one.id}`)).status).toBe(204)
    expect(await outcome(await owner.send('DELETE', `/api/v2/shares?site=shop&id=${one.id}`))).toEqual([
      404,
      'share-unknown',
    ])
  })

  test('reads its site, without a sign-in', async () => {
    const { token } = await share()
    const me = await (await ask('/me', token)).json()
    const site = { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC', role: 'viewer' }
    expect(me).toEqual({ kind: 'share', email: null, owner: false, sites: [site] })
    for (const path of ['/stats?site=shop', '/goals?site=shop', '/sites'])
      expect((await ask(path, token)).status).toBe(200)
    const query = { site_id: 'shop', metrics: ['visitors'], date_range: '7d' }
    expect((await ask('/query', token, { method: 'POST', body: JSON.stringify(query) })).status).toBe(200)
    const stream = await openStream(`${it.url}/api/v2/live?site=shop&share=${token}`, {})
    await vi.waitFor(() => expect(stream.messages.length).toBeGreaterThan(0))
    stream.leave()
  })

  test.each<[string, string, number, string]>([
    ['GET', '/stats?site=blog', 404, 'site-unknown'],
    ['GET', '/live?site=blog', 404, 'site-unknown'],
    ['GET', '/stats?site=_doctor', 404, 'site-unknown'],
    ['GET', '/consents?site=shop', 403, 'not-allowed'],
    ['GET', '/keys?site=shop', 403, 'not-allowed'],
    ['GET', '/people?site=shop', 403, 'not-allowed'],
    ['GET', '/shares?site=shop', 403, 'not-allowed'],
    ['POST', '/shares?site=shop', 403, 'not-allowed'],
    ['POST', '/goals?site=shop', 403, 'not-allowed'],
    ['DELETE', '/goals?site=shop&name=x', 403, 'not-allowed'],
    ['POST', '/events?site=shop', 403, 'not-allowed'],
    ['PATCH', '/sites?site=shop', 403, 'not-allowed'],
    ['POST', '/sites', 403, 'not-allowed'],
    ['POST', '/login-links', 403, 'not-allowed'],
    ['POST', '/account', 403, 'not-allowed'],
    ['POST', '/account/password', 403, 'not-allowed'],
    ['POST', '/account/sign-out-everywhere', 403, 'not-allowed'],
    ['GET', '/doctor', 403, 'not-allowed'],
  ])('may nothing else: %s %s', async (method, path, status, code) => {
    const { token } = await share()
    const body = method === 'GET' ? null : '{}'
    expect(await outcome(await ask(path, token, { method, body }))).toEqual([status, code])
  })

  test('is what counts, also for who is signed in; and a wrong one is not mended by that', async () => {
    const member = await newMember(it, 'blog', 'owner')
    const { token } = await share()
    expect(await (await member.get(`/api/v2/me?share=${token}`)).json()).toMatchObject({ kind: 'share' })
    expect(await outcome(await member.get(`/api/v2/stats?site=blog&share=${token}`))).toEqual([404, 'site-unknown'])
    for (const wrong of ['', 'x', 'x'.repeat(32), `${token}x`, token.slice(1), 'x'.repeat(5_000), '$ne'])
      expect(await outcome(await member.get(`/api/v2/me?share=${wrong}`))).toEqual([404, 'share-unknown'])
    expect(await outcome(await member.get(`/api/v2/me?share=${token}&share=${token}`))).toEqual([404, 'share-unknown'])
    expect(await outcome(await member.get(`/api/v2/me?share[$ne]=x`))).not.toEqual([404, 'share-unknown'])
  })

  test('that is revoked is worthless at once, and so for who has it open', async () => {
    const [one, other] = [await share(), await share()]
    const streams = await Promise.all(
      [one, one, other].map(({ token }) => openStream(`${it.url}/api/v2/live?site=shop&share=${token}`, {})),
    )
    await vi.waitFor(() => expect(streams.every(({ messages }) => messages.length > 0)).toBe(true))
    const page = () => fetch(one.url)
    expect((await page()).status).toBe(200)
    await revoke(one)
    expect(await outcome(await ask('/stats?site=shop', one.token))).toEqual([404, 'share-unknown'])
    expect((await page()).status).toBe(404)
    const [first, second, third] = streams
    if (!first || !second || !third) throw new Error('a stream is missing')
    await endWithin(5_000, first, second)
    expect(await isOpen(third)).toBe(true)
    // As another collector does it.
    await it.db.collection('shares').deleteOne({ id: other.id })
    await endWithin(5_000, third)
  })

  test.each([
    [{ name: '' }, 'share-invalid'],
    [{ name: 'a\nb' }, 'share-invalid'],
    [{ name: 'x', password: 'short' }, 'password-invalid'],
    [{ name: 'x', password: '' }, 'password-invalid'],
    [{ name: 'x', embed: 'yes' }, 'body-invalid'],
    [{ name: 'x', site: 'blog' }, 'body-invalid'],
    [{}, 'body-invalid'],
  ])('as %j is refused', async (body, code) => {
    const response = await it.ask('/api/v2/shares?site=shop', { method: 'POST', body: JSON.stringify(body) })
    expect(await outcome(response)).toEqual([400, code])
  })
})

describe('with a password', () => {
  test('it takes a ticket, which only the password gives', async () => {
    const { token, password } = await share({ password: PASSWORD })
    expect(password).toBe(true)
    expect((await fetch(`${it.url}/share/${token}`)).status).toBe(200)
    const refused = [401, 'share-password']
    expect(await outcome(await ask('/stats?site=shop', token))).toEqual(refused)
    expect(await ticket(token, 'something else')).toMatchObject({ status: 403, code: 'share-password-wrong' })
    const { status, ticket: given = '' } = await ticket(token, PASSWORD)
    expect([status, given]).toEqual([201, expect.stringMatching(/^[\w-]{50,}$/)])
    expect((await ask('/stats?site=shop', `${token}.${given}`)).status).toBe(200)
    const stream = await openStream(`${it.url}/api/v2/live?site=shop&share=${token}.${given}`, {})
    await vi.waitFor(() => expect(stream.messages.length).toBeGreaterThan(0))
    stream.leave()
    for (let i = 0; i < given.length; i += 3) {
      const forged = `${given.slice(0, i)}${given[i] === 'z' ? 'y' : 'z'}${given.slice(i + 1)}`
      expect(await outcome(await ask('/stats?site=shop', `${token}.${forged}`))).toEqual(refused)
    }
    // Of another link it is none, though the password is the same.
    const other = await share({ password: PASSWORD })
    expect(await outcome(await ask('/stats?site=shop', `${other.token}.${given}`))).toEqual(refused)
  })

  test('a ticket lasts a week, and ends with its link; so does a stream that it opened', async () => {
    const one = await share({ password: PASSWORD })
    const { ticket: given = '' } = await ticket(one.token, PASSWORD)
    const stats = () => ask('/stats?site=shop', `${one.token}.${given}`)
    const stream = await openStream(`${it.url}/api/v2/live?site=shop&share=${one.token}.${given}`, {})
    later = TICKET_MS - 60_000
    expect((await stats()).status).toBe(200)
    later = TICKET_MS + 60_000 + Date.now() - START
    expect(await outcome(await stats())).toEqual([401, 'share-password'])
    await endWithin(5_000, stream)
    later = 0
    expect((await stats()).status).toBe(200)
    await revoke(one)
    expect(await outcome(await stats())).toEqual([404, 'share-unknown'])
  })

  test('it is tried ten times from a network and no more, whether it exists or not', async () => {
    const { token } = await share({ password: PASSWORD })
    for (const [share, network] of [
      [token, '198.51.100.7'],
      ['x'.repeat(32), '198.51.101.7'],
    ] as const) {
      const answers = []
      for (let i = 0; i < ATTEMPTS.both + 2; i++)
        answers.push((await ticket(share, `something else ${i}`, network)).code)
      expect(answers.slice(-3)).toEqual([
        share === token ? 'share-password-wrong' : 'share-unknown',
        'too-many-attempts',
        'too-many-attempts',
      ])
    }
    expect((await ticket(token, PASSWORD, '198.51.100.8')).code).toBe('too-many-attempts')
    expect((await ticket(token, PASSWORD, '192.0.2.7')).status).toBe(201)
  })

  test('neither the password nor a ticket is in the database', async () => {
    const { token } = await share({ password: PASSWORD })
    const { ticket: given } = await ticket(token, PASSWORD)
    const text = JSON.stringify(await it.db.collection('shares').find().toArray())
    for (const secret of [PASSWORD, given]) expect(text).not.toContain(secret)
  })
})

describe('its page', () => {
  test('may be shown in a frame by others only where it is said', async () => {
    const csp = async (url: string) => {
      const { headers } = await fetch(url)
      return [headers.get('content-security-policy'), headers.get('x-frame-options'), headers.get('referrer-policy')]
    }
    const [closed, open] = [await share(), await share({ embed: true })]
    for (const url of [closed.url, `${closed.url}/live`, `${it.url}/share/${'x'.repeat(32)}`])
      expect(await csp(url)).toEqual([expect.stringContaining("frame-ancestors 'none'"), 'SAMEORIGIN', 'same-origin'])
    for (const url of [open.url, `${open.url}/live`])
      expect(await csp(url)).toEqual([expect.stringContaining('frame-ancestors *'), null, 'same-origin'])
    for (const url of [closed.url, open.url, `${it.url}/login`]) {
      const [policy] = await csp(url)
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toContain('unsafe')
    }
  })

  test('sets no cookie, and leads nowhere', async () => {
    const { url } = await share()
    const response = await fetch(url, { redirect: 'manual' })
    expect([response.status, response.headers.has('set-cookie')]).toEqual([200, false])
    expect(response.headers.get('cache-control')).toBe('no-store')
  })
})
