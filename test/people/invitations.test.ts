import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'
import { newMember, newVisitor, outcome, PASSWORD, sitesOf, type Visitor, whereTo } from '../fixtures/people.ts'

/** Passwords take a processor half a second each, and more where others want it too. */
vi.setConfig({ testTimeout: 120_000 })

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
      expect(whereTo(await newVisitor(it.url).submit(path, { password }))).toEqual([303, `${path}&error=short`])
    expect(whereTo(await newVisitor(it.url).submit(path, {}))).toEqual([303, `${path}&error=short`])
    const ada = newVisitor(it.url)
    expect(whereTo(await ada.submit(path, { password: PASSWORD }))).toEqual([303, '/overview'])
    expect(await sitesOf(ada)).toEqual([['shop', 'editor']])
    const second = newVisitor(it.url)
    expect(whereTo(await second.submit(path, { password: 'another password' }))).toEqual([303, '/login?error=link'])
    expect(whereTo(await second.get(path))).toEqual([303, '/login?error=link'])
    expect(second.cookie).toBe('')
    expect(
      (
        await newVisitor(it.url).submit('/login', { email: 'ada@shop.example', password: 'another password' })
      ).headers.get('location'),
    ).toBe('/login?error=wrong')
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
    expect(await submit(first.invite)).toBe('/login?error=link')
    await it.db.collection('links').updateOne({ email: 'late@shop.example' }, { $set: { expires: new Date() } })
    expect(await submit(second.invite)).toBe('/login?error=link')
    expect((await peopleOf('shop')).filter(({ email }) => email === 'late@shop.example')).toHaveLength(0)
    const third = await inviteTo('shop', 'late@shop.example', 'viewer')
    expect((await asOwner('DELETE', '/people?site=shop&email=late@shop.example')).status).toBe(204)
    expect(await submit(third.invite)).toBe('/login?error=link')
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
      `${pathOf(known.invite)}&error=wrong`,
    ])
    expect(thief.cookie).toBe('')
    expect(await sitesOf(victim)).toEqual([['blog', 'owner']])
    // Another link is no other account: its password is tried ten times, by whichever.
    const answers = []
    for (let i = 0; i < 11; i++) {
      const { invite } = await inviteTo('shop', victim.email, 'viewer', owner)
      const tried = await newVisitor(it.url, '198.51.100.1').submit(pathOf(invite), {
        password: `a guess ${i} of mine`,
      })
      answers.push(/error=(\w+)/.exec(tried.headers.get('location') ?? '')?.[1])
    }
    expect(answers).toEqual([...Array(10).fill('wrong'), 'limit'])
    const { invite } = await inviteTo('shop', victim.email, 'viewer', owner)
    // Its person accepts with the password that is there.
    const self = newVisitor(it.url)
    await self.submit(pathOf(invite), { password: PASSWORD })
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
      `${pathOf(blog.invite)}&error=wrong`,
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
