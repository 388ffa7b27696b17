import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey } from '../../collector/sites/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { newMember, newOwner, newVisitor, outcome, PASSWORD, type Visitor, whereTo } from '../fixtures/people.ts'
import { endWithin, isOpen, openStream } from '../fixtures/sse.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({ sites: [{}, { key: 'blog' }], trustProxy: ['127.0.0.1'] })
})
afterAll(() => it.close())

const asOwner = async (method: string, path: string, body?: unknown) =>
  it.ask(`/api/v2${path}`, { method, body: body === undefined ? null : JSON.stringify(body) })
const inviteTo = async (site: string, email: string, role: string, who?: Visitor) => {
  const path = `/people?site=${site}`
  const response = await (who
    ? who.send('POST', `/api/v2${path}`, { email, role })
    : asOwner('POST', path, { email, role }))
  return {
    status: response.status,
    ...((await response.json()) as { code?: string; joined?: boolean; invite?: string }),
  }
}
const pathOf = (invite = '') => invite.slice(it.url.length)
const peopleOf = async (site: string) =>
  (
    (await (await asOwner('GET', `/people?site=${site}`)).json()) as {
      people: { email: string; role: string; joined: boolean }[]
    }
  ).people
const sitesOf = async (visitor: Visitor) =>
  ((await (await visitor.get('/api/v2/me')).json()) as { sites: { key: string; role: string }[] }).sites.map(
    ({ key, role }) => [key, role],
  )

/** Every way to ask something of a site, and who may: r(ead), p(roofs), w(rite), a(dmin), o(wn). */
const ROUTES: [right: string, method: string, path: string, body?: unknown][] = [
  ['r', 'GET', '/stats?site=SITE'],
  ['r', 'GET', '/goals?site=SITE'],
  ['r', 'GET', '/properties?site=SITE'],
  ['r', 'POST', '/query', { site_id: 'SITE', metrics: ['visitors'], date_range: '7d' }],
  ['p', 'GET', '/consents?site=SITE'],
  ['w', 'POST', '/events?site=SITE', []],
  ['a', 'POST', '/goals?site=SITE', {}],
  ['a', 'DELETE', '/goals?site=SITE&name=none'],
  ['a', 'POST', '/properties?site=SITE', {}],
  ['a', 'DELETE', '/properties?site=SITE&name=none'],
  ['a', 'PATCH', '/sites?site=SITE', {}],
  ['o', 'GET', '/keys?site=SITE'],
  ['o', 'POST', '/keys?site=SITE', {}],
  ['o', 'DELETE', '/keys?site=SITE&start=none'],
  ['o', 'GET', '/people?site=SITE'],
  ['o', 'POST', '/people?site=SITE', {}],
  ['o', 'PATCH', '/people?site=SITE&email=nobody@shop.example', {}],
  ['o', 'DELETE', '/people?site=SITE&email=nobody@shop.example'],
  ['o', 'GET', '/shares?site=SITE'],
  ['o', 'POST', '/shares?site=SITE', {}],
  ['o', 'DELETE', '/shares?site=SITE&id=none'],
]
const OF_OWNERS: [string, string, unknown?][] = [
  ['POST', '/sites', { key: 'new', domain: 'new.example', consent: 'none', timezone: 'UTC' }],
  ['POST', '/login-links'],
  ['GET', '/doctor'],
  ['GET', '/doctor/oplog'],
  ['POST', '/account', { email: 'new@shop.example', password: PASSWORD }],
]
type Ask = (method: string, path: string, body?: unknown) => Promise<Response>

/** What each may do at `shop`; at `blog` none of them anything, as if it did not exist. */
async function checkRights(ask: Ask, rights: string): Promise<void> {
  for (const [right, method, path, body] of ROUTES) {
    const at = async (site: string) =>
      outcome(
        await ask(method, path.replace('SITE', site), body && JSON.parse(JSON.stringify(body).replace('SITE', site))),
      )
    const [status, code] = await at('shop')
    const name = `${method} ${path}`
    if (rights.includes(right)) expect([401, 403, 500, 503], `${name} ${code}`).not.toContain(status)
    else expect([status, code], name).toEqual([403, 'not-allowed'])
    for (const site of ['blog', 'none', '_doctor'])
      expect(await at(site), `${name} ${site}`).toEqual([404, 'site-unknown'])
  }
  for (const [method, path, body] of OF_OWNERS)
    expect(await outcome(await ask(method, path, body)), `${method} ${path}`).toEqual([403, 'not-allowed'])
}

describe('a role', () => {
  test.each([
    ['viewer', 'rp'],
    ['editor', 'rpa'],
    ['owner', 'rpwao'],
  ])('%s may so much at its site, and nothing at another', async (role, rights) => {
    const member = await newMember(it, 'shop', role)
    expect(await sitesOf(member)).toEqual([['shop', role]])
    await checkRights((method, path, body) => member.send(method, `/api/v2${path}`, body), rights)
  })

  test.each([
    ['read', 'rp'],
    ['admin', 'rpwa'],
  ] as const)('of a key with the scope %s is none: it may what it could', async (scope, rights) => {
    const { key } = await addKey(it.db, { name: 'k', scope, sites: ['shop'] })
    const headers = { authorization: `Bearer ${key}` }
    const ask: Ask = (method, path, body) =>
      fetch(`${it.url}/api/v2${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
    await checkRights(ask, rights)
    expect(await outcome(await ask('POST', '/account/sign-out-everywhere'))).toEqual([403, 'not-allowed'])
  })

  test('changes what somebody may at once: who is viewer now changes nothing, who is removed sees nothing', async () => {
    const member = await newMember(it, 'shop', 'editor')
    const goal = () => member.send('DELETE', '/api/v2/goals?site=shop&name=none')
    expect(await outcome(await goal())).toEqual([404, 'goal-unknown'])
    const path = `/people?site=shop&email=${encodeURIComponent(member.email.toUpperCase())}`
    const changed = await asOwner('PATCH', path, { role: 'viewer' })
    expect(await changed.json()).toMatchObject({ email: member.email, role: 'viewer', joined: true })
    expect(await outcome(await goal())).toEqual([403, 'not-allowed'])
    await asOwner('POST', '/people?site=blog', { email: member.email, role: 'viewer' })
    expect(await sitesOf(member)).toEqual([
      ['shop', 'viewer'],
      ['blog', 'viewer'],
    ])
    expect((await asOwner('DELETE', path)).status).toBe(204)
    expect(await outcome(await member.get('/api/v2/stats?site=shop'))).toEqual([404, 'site-unknown'])
    expect(await sitesOf(member)).toEqual([['blog', 'viewer']])
    expect(await outcome(await asOwner('DELETE', path))).toEqual([404, 'person-unknown'])
  })

  test('that is the last one takes the account and its sign-ins along', async () => {
    const member = await newMember(it, 'shop', 'viewer')
    await asOwner('DELETE', `/people?site=shop&email=${member.email}`)
    expect((await member.get('/api/v2/me')).status).toBe(401)
    const again = await newMember(it, 'shop', 'viewer', member.email)
    expect((await again.get('/api/v2/me')).status).toBe(200)
    expect((await member.get('/api/v2/me')).status).toBe(401)
  })

  test('of a deployment’s owner at a site can be taken, and it stays an owner', async () => {
    const owner = await newOwner(it)
    await owner.send('POST', '/api/v2/account', { email: 'boss@shop.example', password: PASSWORD })
    await asOwner('POST', '/people?site=shop', { email: 'boss@shop.example', role: 'viewer' })
    expect(await sitesOf(owner)).toContainEqual(['shop', 'owner'])
    const member = await newMember(it, 'shop', 'owner')
    expect((await member.send('DELETE', '/api/v2/people?site=shop&email=boss@shop.example')).status).toBe(204)
    expect(await sitesOf(owner)).toContainEqual(['shop', 'owner'])
  })
})

describe('who watches live', () => {
  const watch = async (visitor: Visitor, site = 'shop') => {
    const stream = await openStream(`${it.url}/api/v2/live?site=${site}`, { cookie: visitor.cookie })
    await vi.waitFor(() => expect(stream.messages.length).toBeGreaterThan(0), 10_000)
    return stream
  }
  test('sees no more of it when removed, signed out or changed elsewhere; who is not goes on', async () => {
    const members = await Promise.all(Array.from({ length: 4 }, () => newMember(it, 'shop', 'viewer')))
    const [stays, removed, signedOut, elsewhere] = await Promise.all(members.map(member => watch(member)))
    const { key } = await addKey(it.db, { name: 'k', scope: 'read', sites: ['shop'] })
    const program = await openStream(`${it.url}/api/v2/live?site=shop`, { authorization: `Bearer ${key}` })
    if (!stays || !removed || !signedOut || !elsewhere) throw new Error('a stream is missing')
    await asOwner('DELETE', `/people?site=shop&email=${members[1]?.email}`)
    await endWithin(2_000, removed)
    await members[2]?.submit('/logout', {})
    await endWithin(2_000, signedOut)
    // As another collector does it, or the command.
    await it.db.collection<{ _id: string }>('accounts').deleteOne({ _id: members[3]?.email ?? '' })
    await it.db.collection('keys').deleteOne({ start: key.slice(0, 8) })
    await endWithin(3_000, elsewhere, program)
    const before = stays.messages.length
    await it.deliver(envelope([{ n: 'still' }]))
    await vi.waitFor(() => expect(stays.messages.length).toBeGreaterThan(before))
    expect(await isOpen(stays)).toBe(true)
    stays.leave()
  })
})

describe('an invitation', () => {
  test('is a link with which its person chooses a password, once', async () => {
    const { status, joined, invite } = await inviteTo('shop', ' Ada@Shop.example', 'editor')
    expect([status, joined]).toEqual([201, false])
    expect(invite).toMatch(new RegExp(`^${it.url}/join\\?token=[\\w-]{32}$`))
    expect(await peopleOf('shop')).toContainEqual(
      expect.objectContaining({ email: 'ada@shop.example', role: 'editor', joined: false }),
    )
    const path = pathOf(invite)
    const page = await newVisitor(it.url).get(path)
    expect(page.status).toBe(200)
    expect(page.headers.get('referrer-policy')).toBe('same-origin')
    expect(await page.text()).toContain('value="ada@shop.example"')
    // Neither looking at it nor a mistake uses it up.
    await fetch(it.url + path, { method: 'HEAD' })
    for (const password of ['short', 'x'.repeat(201)])
      expect(whereTo(await newVisitor(it.url).submit(path, { password }))).toEqual([303, `${path}#short`])
    expect(whereTo(await newVisitor(it.url).submit(path, {}))).toEqual([303, `${path}#short`])
    const ada = newVisitor(it.url)
    expect(whereTo(await ada.submit(path, { password: PASSWORD }))).toEqual([303, '/overview'])
    expect(await sitesOf(ada)).toEqual([['shop', 'editor']])
    const second = newVisitor(it.url)
    expect(whereTo(await second.submit(path, { password: 'another password' }))).toEqual([303, '/login#link'])
    expect(whereTo(await second.get(path))).toEqual([303, '/login#link'])
    expect(second.cookie).toBe('')
    expect(
      (
        await newVisitor(it.url).submit('/login', { email: 'ada@shop.example', password: 'another password' })
      ).headers.get('location'),
    ).toBe('/login#wrong')
  })

  test('makes one account though it is submitted five times at the same moment', async () => {
    const { invite } = await inviteTo('shop', 'five@shop.example', 'viewer')
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, i) => newVisitor(it.url).submit(pathOf(invite), { password: `${PASSWORD} ${i}` })),
    )
    expect(answers.filter(({ headers }) => headers.has('set-cookie'))).toHaveLength(1)
  })

  test('is worthless when taken back, renewed, or a week old', async () => {
    const submit = async (invite?: string) =>
      (await newVisitor(it.url).submit(pathOf(invite), { password: PASSWORD })).headers.get('location')
    const first = await inviteTo('shop', 'late@shop.example', 'viewer')
    const second = await inviteTo('shop', 'late@shop.example', 'editor')
    expect(second.status).toBe(201)
    expect((await peopleOf('shop')).filter(({ email }) => email === 'late@shop.example')).toHaveLength(1)
    expect(await submit(first.invite)).toBe('/login#link')
    await it.db.collection('links').updateOne({ email: 'late@shop.example' }, { $set: { expires: new Date() } })
    expect(await submit(second.invite)).toBe('/login#link')
    expect((await peopleOf('shop')).filter(({ email }) => email === 'late@shop.example')).toHaveLength(0)
    const third = await inviteTo('shop', 'late@shop.example', 'viewer')
    expect((await asOwner('DELETE', '/people?site=shop&email=late@shop.example')).status).toBe(204)
    expect(await submit(third.invite)).toBe('/login#link')
  })

  test('has the role that it was changed to', async () => {
    const { invite } = await inviteTo('shop', 'changed@shop.example', 'owner')
    await asOwner('PATCH', '/people?site=shop&email=changed@shop.example', { role: 'viewer' })
    const visitor = newVisitor(it.url)
    await visitor.submit(pathOf(invite), { password: PASSWORD })
    expect(await sitesOf(visitor)).toEqual([['shop', 'viewer']])
  })

  test('of the deployment’s owner gives a person with an account the role at once', async () => {
    const member = await newMember(it, 'shop', 'viewer')
    expect(await inviteTo('blog', member.email, 'editor')).toMatchObject({ status: 201, joined: true })
    expect((await inviteTo('blog', member.email, 'editor')).code).toBe('person-exists')
    expect(await sitesOf(member)).toContainEqual(['blog', 'editor'])
  })

  test('of an owner of one site does not tell who has an account, and does not get at what it may elsewhere', async () => {
    const owner = await newMember(it, 'shop', 'owner')
    const victim = await newMember(it, 'blog', 'owner')
    const [known, unknown] = [
      await inviteTo('shop', victim.email, 'viewer', owner),
      await inviteTo('shop', 'unknown@shop.example', 'viewer', owner),
    ]
    expect(Object.keys(known)).toEqual(Object.keys(unknown))
    expect([known.joined, unknown.joined]).toEqual([false, false])
    const [page, other] = await Promise.all(
      [known, unknown].map(async ({ invite }) => (await newVisitor(it.url).get(pathOf(invite))).text()),
    )
    expect(page?.replaceAll(victim.email, '')).toBe(other?.replaceAll('unknown@shop.example', ''))
    // The owner keeps the link for himself.
    const thief = newVisitor(it.url)
    expect(whereTo(await thief.submit(pathOf(known.invite), { password: 'a password of mine' }))).toEqual([
      303,
      `${pathOf(known.invite)}#wrong`,
    ])
    expect(thief.cookie).toBe('')
    expect(await sitesOf(victim)).toEqual([['blog', 'owner']])
    // Its person accepts with the password that is there.
    const self = newVisitor(it.url)
    await self.submit(pathOf(known.invite), { password: PASSWORD })
    expect(await sitesOf(self)).toEqual([
      ['shop', 'viewer'],
      ['blog', 'owner'],
    ])
  })

  test('to two sites before there is an account gives, with one link, the role of one site', async () => {
    const [shop, blog] = [
      await inviteTo('shop', 'two@shop.example', 'viewer'),
      await inviteTo('blog', 'two@shop.example', 'owner'),
    ]
    const first = newVisitor(it.url)
    await first.submit(pathOf(shop.invite), { password: PASSWORD })
    expect(await sitesOf(first)).toEqual([['shop', 'viewer']])
    expect(whereTo(await newVisitor(it.url).submit(pathOf(blog.invite), { password: 'a password of mine' }))).toEqual([
      303,
      `${pathOf(blog.invite)}#wrong`,
    ])
    await newVisitor(it.url).submit(pathOf(blog.invite), { password: PASSWORD })
    expect(await sitesOf(first)).toHaveLength(2)
  })

  test.each([
    [{ email: 'nobody', role: 'viewer' }, 'email-invalid'],
    [{ email: '<b>@shop.example', role: 'viewer' }, 'email-invalid'],
    [{ email: 'a@b@c', role: 'viewer' }, 'email-invalid'],
    [{ email: 'a@shop.example', role: 'admin' }, 'body-invalid'],
    [{ email: 'a@shop.example' }, 'body-invalid'],
    [{ email: 'a@shop.example', role: 'viewer', owner: true }, 'body-invalid'],
    [{ email: { $ne: '' }, role: 'viewer' }, 'body-invalid'],
  ])('of %j is refused', async (body, code) => {
    expect(await outcome(await asOwner('POST', '/people?site=shop', body))).toEqual([400, code])
  })
})

describe('a site', () => {
  test('is made by the owner, is there at once, and is changed by an editor', async () => {
    const site = { key: 'made', domain: 'made.example', consent: 'cookieless', timezone: 'Europe/Berlin' }
    const made = await asOwner('POST', '/sites', site)
    expect([made.status, await made.json()]).toEqual([201, { ...site, role: 'owner' }])
    expect((await asOwner('GET', '/goals?site=made')).status).toBe(200)
    expect((await fetch(`${it.url}/t/made.js`)).status).toBe(200)
    expect(await outcome(await asOwner('POST', '/sites', site))).toEqual([409, 'site-exists'])
    const editor = await newMember(it, 'made', 'editor')
    const change = (body: unknown) => editor.send('PATCH', '/api/v2/sites?site=made', body)
    expect(await (await change({ timezone: 'Asia/Tokyo' })).json()).toEqual({
      ...site,
      timezone: 'Asia/Tokyo',
      role: 'editor',
    })
    for (const [body, code] of [
      [{ timezone: 'Mars/Base' }, 'site-invalid'],
      [{ key: 'other' }, 'body-invalid'],
      [{}, 'body-invalid'],
      [{ goals: [] }, 'body-invalid'],
    ] as const)
      expect(await outcome(await change(body))).toEqual([400, code])
  })

  test.each([
    [{ key: '_doctor' }, 'site-invalid'],
    [{ key: '../x' }, 'site-invalid'],
    [{ domain: 'https://x/' }, 'site-invalid'],
    [{ consent: 'maybe' }, 'body-invalid'],
    [{ internal: true }, 'body-invalid'],
  ])('with %j is refused', async (change, code) => {
    const site = { key: 'wrong', domain: 'wrong.example', consent: 'none', timezone: 'UTC', ...change }
    expect(await outcome(await asOwner('POST', '/sites', site))).toEqual([400, code])
  })
})

describe('API keys of a site', () => {
  test('are made by its owner, shown whole once, and revoked at once', async () => {
    const owner = await newMember(it, 'shop', 'owner')
    const made = await owner.send('POST', '/api/v2/keys?site=shop', { name: 'reports', scope: 'read' })
    const { key, start, ...rest } = (await made.json()) as { key: string; start: string }
    expect([made.status, rest]).toEqual([201, { name: 'reports', scope: 'read', createdAt: expect.any(String) }])
    const ask = () => fetch(`${it.url}/api/v2/stats?site=shop`, { headers: { authorization: `Bearer ${key}` } })
    expect((await ask()).status).toBe(200)
    const listed = await (await owner.get('/api/v2/keys?site=shop')).text()
    expect(listed).toContain(start)
    expect(listed).not.toContain(key)
    expect((await owner.send('DELETE', `/api/v2/keys?site=shop&start=${start}`)).status).toBe(204)
    expect((await ask()).status).toBe(401)
    expect(await outcome(await owner.send('DELETE', `/api/v2/keys?site=shop&start=${start}`))).toEqual([
      404,
      'key-unknown',
    ])
  })

  test('that are for other sites too are neither seen nor revoked by the owner of one', async () => {
    const owner = await newMember(it, 'shop', 'owner')
    for (const sites of [['shop', 'blog'], ['blog'], ['*']]) {
      const { key } = await addKey(it.db, { name: 'of others', scope: 'read', sites })
      const start = key.slice(0, 8)
      expect(await (await owner.get('/api/v2/keys?site=shop')).text()).not.toContain(start)
      expect(await outcome(await owner.send('DELETE', `/api/v2/keys?site=shop&start=${start}`))).toEqual([
        404,
        'key-unknown',
      ])
      expect((await fetch(`${it.url}/api/v2/sites`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(200)
    }
  })

  test.each([
    [{ name: '', scope: 'read' }, 'key-invalid'],
    [{ name: 'x', scope: 'all' }, 'body-invalid'],
    [{ name: 'x', scope: 'read', sites: ['blog'] }, 'body-invalid'],
  ])('as %j are refused', async (body, code) => {
    expect(await outcome(await asOwner('POST', '/keys?site=shop', body))).toEqual([400, code])
  })
})
