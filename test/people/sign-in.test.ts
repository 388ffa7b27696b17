import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { createCollector } from '../../collector/server.ts'
import { OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { newMember, newOwner, newVisitor, outcome, PASSWORD, whereTo } from '../fixtures/people.ts'

/** Passwords take a processor half a second each, and more where others want it too. */
vi.setConfig({ testTimeout: 120_000 })

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({ trustProxy: ['127.0.0.1'] })
})
afterAll(() => it.close())

const signedIn = async (email: string, password = PASSWORD, network?: string) => {
  const visitor = newVisitor(it.url, network)
  await visitor.submit('/login', { email, password })
  return visitor
}
const me = async (visitor: { get(path: string): Promise<Response> }) => {
  const response = await visitor.get('/api/v2/me')
  return { status: response.status, ...((await response.json()) as { kind?: string; email?: string | null }) }
}

describe('the owner who came by a link', () => {
  test('makes an account, goes on as it, and signs in by it: it may do everything', async () => {
    const visitor = await newOwner(it)
    expect(await me(visitor)).toMatchObject({ kind: 'owner', email: null, owner: true })
    const before = visitor.cookie
    const made = await visitor.send('POST', '/api/v2/account', { email: ' Owner@Shop.example ', password: PASSWORD })
    expect([made.status, await made.json()]).toEqual([201, { email: 'owner@shop.example' }])
    expect(await me(visitor)).toMatchObject({ kind: 'account', email: 'owner@shop.example', owner: true })
    // The sign-in of before is another one, and has ended.
    expect(visitor.cookie).not.toBe(before)
    expect((await newVisitor(it.url).get('/api/v2/me', { cookie: before })).status).toBe(401)
    const again = await signedIn('OWNER@shop.example')
    expect(await me(again)).toMatchObject({
      sites: [{ key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC', role: 'owner' }],
    })
    expect((await again.send('POST', '/api/v2/login-links')).status).toBe(201)
  })

  test('can not make one twice, nor one without an e-mail address or with a short password', async () => {
    const visitor = await newOwner(it)
    const add = async (body: unknown) => outcome(await visitor.send('POST', '/api/v2/account', body))
    expect(await add({ email: 'twice@shop.example', password: PASSWORD })).toEqual([201, undefined])
    const other = await newOwner(it)
    const again = async (body: unknown) => outcome(await other.send('POST', '/api/v2/account', body))
    expect(await again({ email: 'Twice@shop.example', password: PASSWORD })).toEqual([409, 'account-exists'])
    expect(await again({ email: 'nobody', password: PASSWORD })).toEqual([400, 'email-invalid'])
    expect(await again({ email: 'a@shop.example', password: 'short' })).toEqual([400, 'password-invalid'])
    expect(await again({ email: 'a@shop.example' })).toEqual([400, 'body-invalid'])
    expect(await again('not an object')).toEqual([400, 'body-invalid'])
    // Who has an account makes no other owner by it.
    expect(await add({ email: 'third@shop.example', password: PASSWORD })).toEqual([403, 'not-allowed'])
  })
})

describe('a sign-in by password', () => {
  test('that is wrong says the same whoever it was about, and sets no cookie', async () => {
    const { email } = await newMember(it, 'shop', 'viewer')
    const answers = []
    for (const form of [
      { email, password: 'something else' },
      { email: 'nobody@shop.example', password: PASSWORD },
      { email: 'nobody@shop.example', password: '' },
      { email: 'no address', password: PASSWORD },
      { email, password: 'x'.repeat(5_000) },
      { email },
      {},
    ] as Record<string, string>[]) {
      const response = await newVisitor(it.url, '198.51.100.1').submit('/login', form)
      expect(response.headers.getSetCookie()).toEqual([])
      answers.push([...whereTo(response), await response.text()])
    }
    expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]?.slice(0, 2)).toEqual([303, '/login?error=wrong'])
  })

  test('is refused from a network after ten wrong ones, even the right one, and not from another', async () => {
    const { email } = await newMember(it, 'shop', 'viewer')
    const from = (network: string, password: string) =>
      newVisitor(it.url, network).submit('/login', { email, password })
    const tries = await Promise.all(Array.from({ length: 12 }, () => from('198.51.100.77', 'something else')))
    expect(tries.map(answer => answer.headers.get('location')).filter(to => to === '/login?error=limit')).toHaveLength(
      2,
    )
    expect(whereTo(await from('198.51.100.78', PASSWORD))).toEqual([303, '/login?error=limit'])
    expect(whereTo(await from('192.0.2.78', PASSWORD))).toEqual([303, '/overview'])
    // The owner's key still works from there.
    expect(whereTo(await newVisitor(it.url, '198.51.100.78').submit('/login', { key: OWNER_KEY }))).toEqual([
      303,
      '/overview',
    ])
  })

  test('leads to where it was asked for, on this site and nowhere else', async () => {
    const submit = async (next: string) =>
      (await newVisitor(it.url).submit(`/login?${new URLSearchParams({ next })}`, { key: OWNER_KEY })).headers.get(
        'location',
      )
    expect(await submit('/live?site=shop&f=a%26b')).toBe('/live?site=shop&f=a%26b')
    for (const next of [
      ...['https://evil.example', '//evil.example', '/\\evil.example', '/.//evil.example', '/live/..//evil.example'],
      ...['\\\\evil.example', 'javascript:alert(1)', '/login', '/api/v2/sites', '/%2F/evil.example', 'live', ''],
      ...['/\t/evil.example', '/live\r\nset-cookie: a=b', '/live@evil.example', ' //evil.example'],
    ])
      expect(await submit(next), next).toBe('/overview')
    const link = `/login?token=${await it.collector.access.newLink()}&next=//evil.example`
    expect(whereTo(await newVisitor(it.url).get(link))).toEqual([303, '/overview'])
    // A wrong one keeps it.
    expect(whereTo(await newVisitor(it.url, '192.0.2.1').submit('/login?next=/live', { key: 'a wrong key' }))).toEqual([
      303,
      '/login?error=key-wrong&next=%2Flive',
    ])
  })

  test('makes another sign-in each time, and ends the one that the browser had', async () => {
    const { email } = await newMember(it, 'shop', 'viewer')
    const visitor = await signedIn(email)
    const before = visitor.cookie
    await visitor.submit('/login', { email, password: PASSWORD })
    expect(visitor.cookie).not.toBe(before)
    expect((await newVisitor(it.url).get('/api/v2/me', { cookie: before })).status).toBe(401)
    // What somebody put into the browser beforehand is not what it has afterwards.
    const fixed = newVisitor(it.url)
    fixed.cookie = `livetag_session=${'x'.repeat(32)}`
    await fixed.submit('/login', { email, password: PASSWORD })
    expect(fixed.cookie).not.toContain('xxxx')
    expect((await newVisitor(it.url).get('/api/v2/me', { cookie: `livetag_session=${'x'.repeat(32)}` })).status).toBe(
      401,
    )
  })

  test('holds after a restart, and at another collector', async () => {
    const { email } = await newMember(it, 'shop', 'viewer')
    const visitor = await signedIn(email)
    const owner = await newOwner(it)
    const other = await createCollector(
      {
        mongodbUri: inject('mongoUri'),
        database: it.db.databaseName,
        port: 0,
        ownerKey: OWNER_KEY,
        logLevel: 'silent',
      },
      {},
    )
    const { url } = await other.listen()
    try {
      for (const { cookie } of [visitor, owner])
        expect((await newVisitor(url).get('/api/v2/me', { cookie })).status).toBe(200)
      await visitor.send('POST', '/api/v2/account/sign-out-everywhere')
      await vi.waitFor(
        async () => expect((await newVisitor(url).get('/api/v2/me', { cookie: visitor.cookie })).status).toBe(401),
        5_000,
      )
    } finally {
      await other.close()
    }
  })
})

describe('another password', () => {
  const change = async (visitor: Awaited<ReturnType<typeof signedIn>>, old: string, next: string) =>
    outcome(await visitor.send('POST', '/api/v2/account/password', { old, new: next }))

  test('ends all other sign-ins and not this one; the old one signs in no more', async () => {
    const { email } = await newMember(it, 'shop', 'viewer')
    const [here, there] = [await signedIn(email), await signedIn(email)]
    expect(await change(here, PASSWORD, 'another password')).toEqual([204, undefined])
    expect([(await me(here)).status, (await me(there)).status]).toEqual([200, 401])
    expect((await signedIn(email)).cookie).toBe('')
    expect((await signedIn(email, 'another password')).cookie).not.toBe('')
  })

  test('takes the one of before, may not be short, and can not be tried for long', async () => {
    const { email } = await newMember(it, 'shop', 'viewer')
    const visitor = await signedIn(email, PASSWORD, '203.0.113.99')
    expect(await change(visitor, 'something else', 'another password')).toEqual([403, 'password-wrong'])
    expect(await change(visitor, PASSWORD, 'short')).toEqual([400, 'password-invalid'])
    for (let i = 0; i < 9; i++) await change(visitor, 'something else', 'another password')
    const limited = await visitor.send('POST', '/api/v2/account/password', { old: PASSWORD, new: 'another password' })
    expect(limited.status).toBe(429)
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await me(visitor)).toMatchObject({ status: 200 })
  })

  test('also ends a sign-in that is made with the old one at the same moment', async () => {
    const { email } = await newMember(it, 'shop', 'viewer')
    const here = await signedIn(email)
    const [changed, ...racing] = await Promise.all([
      change(here, PASSWORD, 'another password'),
      ...Array.from({ length: 4 }, () => signedIn(email)),
    ])
    expect(changed).toEqual([204, undefined])
    for (const visitor of racing) expect((await me(visitor)).status).toBe(401)
  })

  test('is none of the owner’s, of a key or of nobody', async () => {
    const body = { old: PASSWORD, new: 'another password' }
    expect(await outcome(await (await newOwner(it)).send('POST', '/api/v2/account/password', body))).toEqual([
      403,
      'not-allowed',
    ])
    expect((await newVisitor(it.url).send('POST', '/api/v2/account/password', body)).status).toBe(401)
  })
})

test('signing out everywhere ends all sign-ins of that account and of no other; so does the owner’s', async () => {
  const [one, two] = [await newMember(it, 'shop', 'viewer'), await newMember(it, 'shop', 'viewer')]
  const elsewhere = await signedIn(one.email)
  const owners = [await newOwner(it), await newOwner(it)] as const
  const response = await one.send('POST', '/api/v2/account/sign-out-everywhere')
  expect(response.status).toBe(204)
  expect(response.headers.getSetCookie()[0]).toMatch(/^livetag_session=; .*Max-Age=0$/)
  const statuses = async () => [
    (await me(elsewhere)).status,
    (await me(two)).status,
    ...(await Promise.all(owners.map(async owner => (await me(owner)).status))),
  ]
  expect(await statuses()).toEqual([401, 200, 200, 200])
  expect((await owners[0].send('POST', '/api/v2/account/sign-out-everywhere')).status).toBe(204)
  expect(await statuses()).toEqual([401, 200, 401, 401])
  // The key itself is as it was.
  expect((await it.ask('/api/v2/me')).status).toBe(200)
})

describe('a page of another site', () => {
  const tries: [string, Record<string, string>][] = [
    ['of another origin', { origin: 'https://evil.example' }],
    ['of no origin', { origin: 'null' }],
    ['of a neighbor', { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }],
    ['that says so in Sec-Fetch-Site', { 'sec-fetch-site': 'cross-site' }],
  ]

  test.each(tries)('%s changes nothing with somebody’s cookie', async (_, headers) => {
    const visitor = await newOwner(it)
    const ask = async (method: string, path: string, body?: unknown) => {
      const { cookie } = visitor
      const response = await fetch(it.url + path, {
        method,
        body: body === undefined ? null : JSON.stringify(body),
        headers: { cookie, 'content-type': 'text/plain', ...headers },
      })
      return outcome(response)
    }
    const refused = [403, 'cross-site']
    expect(await ask('POST', '/api/v2/account', { email: 'evil@evil.example', password: PASSWORD })).toEqual(refused)
    expect(await ask('POST', '/api/v2/sites', { key: 'evil' })).toEqual(refused)
    expect(await ask('POST', '/api/v2/goals?site=shop', { name: 'evil', event: 'x' })).toEqual(refused)
    expect(await ask('DELETE', '/api/v2/goals?site=shop&name=x')).toEqual(refused)
    expect(await ask('POST', '/api/v2/login-links')).toEqual(refused)
    expect(await ask('POST', '/api/v2/account/sign-out-everywhere')).toEqual(refused)
    expect(await ask('POST', '/logout')).toEqual(refused)
    expect(await me(visitor)).toMatchObject({ status: 200 })
    expect(await it.db.collection<{ _id: string }>('accounts').countDocuments({ _id: 'evil@evil.example' })).toBe(0)
  })

  test.each(tries)('%s signs nobody in to an account of its own', async (_, headers) => {
    for (const path of ['/login', '/join?token=x']) {
      const response = await newVisitor(it.url).submit(path, { key: OWNER_KEY }, headers)
      expect(response.headers.getSetCookie()).toEqual([])
      expect(await outcome(response)).toEqual([403, 'cross-site'])
    }
  })

  test('is not what says nothing: with a cookie that is refused, a program with a key goes on', async () => {
    const { cookie } = await newOwner(it)
    const ask = (headers: HeadersInit) => fetch(`${it.url}/api/v2/login-links`, { method: 'POST', headers })
    expect(await outcome(await ask({ cookie }))).toEqual([403, 'cross-site'])
    expect((await ask({ cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(201)
    expect((await ask({ authorization: `Bearer ${OWNER_KEY}`, origin: 'https://evil.example' })).status).toBe(201)
  })
})

describe('over TLS', () => {
  const tls = { 'x-forwarded-proto': 'https' }

  test('the cookie is for this host and for TLS alone, and no other one is believed', async () => {
    const visitor = newVisitor(it.url)
    const signIn = await visitor.get(`/login?token=${await it.collector.access.newLink()}`, tls)
    expect(signIn.headers.getSetCookie()[0]).toMatch(
      /^__Host-livetag_session=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=2592000$/,
    )
    expect((await visitor.get('/api/v2/me', tls)).status).toBe(200)
    const plain = visitor.cookie.replace('__Host-', '')
    expect((await newVisitor(it.url).get('/api/v2/me', { ...tls, cookie: plain })).status).toBe(401)
    expect((await visitor.get('/api/v2/me')).status).toBe(401)
    const out = await visitor.submit('/logout', {}, tls)
    expect(out.headers.getSetCookie()[0]).toMatch(/^__Host-livetag_session=; .*Secure; Max-Age=0$/)
  })
})

test('neither the database nor a page tells a password, a token of a sign-in, or an address', async () => {
  const { email, cookie } = await newMember(it, 'shop', 'viewer')
  await newVisitor(it.url, '203.0.113.123').submit('/login', { email, password: 'something else' })
  const texts: string[] = []
  for (const { name } of await it.db.listCollections().toArray())
    if (!name.startsWith('system.')) texts.push(JSON.stringify(await it.db.collection(name).find().toArray()))
  const all = texts.join()
  expect(all).toContain(email)
  for (const secret of [PASSWORD, cookie.split('=')[1] ?? '', '203.0.113', OWNER_KEY]) expect(all).not.toContain(secret)
})
