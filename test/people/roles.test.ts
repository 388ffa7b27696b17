import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addKey } from '../../collector/sites/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { newMember, newOwner, outcome, PASSWORD, sitesOf, type Visitor } from '../fixtures/people.ts'
import { endWithin, isOpen, openStream } from '../fixtures/sse.ts'

/** Passwords take a processor half a second each, and more where others want it too. */
vi.setConfig({ testTimeout: 120_000 })

let it: TestCollector
beforeAll(async () => {
  it = await startCollector({ sites: [{}, { key: 'blog' }], trustProxy: ['127.0.0.1'] })
})
afterAll(() => it.close())

const asOwner = async (method: string, path: string, body?: unknown) =>
  it.ask(`/api/v2${path}`, { method, body: body === undefined ? null : JSON.stringify(body) })

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
    await endWithin(5_000, removed)
    await members[2]?.submit('/logout', {})
    await endWithin(5_000, signedOut)
    // As another collector does it, or the command.
    await it.db.collection<{ _id: string }>('accounts').deleteOne({ _id: members[3]?.email ?? '' })
    await it.db.collection('keys').deleteOne({ start: key.slice(0, 8) })
    await endWithin(5_000, elsewhere, program)
    const before = stays.messages.length
    await it.deliver(envelope([{ n: 'still' }]))
    await vi.waitFor(() => expect(stays.messages.length).toBeGreaterThan(before))
    expect(await isOpen(stays)).toBe(true)
    stays.leave()
  })
})
