/** One visitor on two domains of an owner: 127.0.0.1 and localhost. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import type { Page as ShopPage } from './shop.ts'
import { type Visit, visit } from './visiting.ts'

const browser = await browserOrSkip()
let at: Visit
afterEach(async () => {
  expect(at?.errors ?? []).toEqual([])
  await at?.close()
})
afterAll(() => browser?.close())

const LINK = ['127.0.0.1', 'localhost']
const begin = async (body: string, given: ShopPage = {}, path = '') => {
  at = await visit(browser, { body, ...given, options: { link: LINK, ...given.options } }, path)
  await at.page.evaluate(to => {
    for (const element of document.querySelectorAll('[href],[action],[formaction]'))
      for (const name of ['href', 'action', 'formaction'])
        element.setAttribute(name, (element.getAttribute(name) ?? '').replace('OTHER', to))
  }, other())
}
const other = () => at.shop.url.replace('127.0.0.1', 'localhost')
const loads = (path: string) => at.shop.loads.filter(load => load.startsWith(path))
const loaded = (path: string) => vi.waitFor(() => expect(loads(path)).toHaveLength(1))
const viewsOf = (path: string) =>
  at.shop.posts.filter(({ body }) => new URL(body.p.u).pathname === path && body.e.some(({ n }) => n === 'pageview'))
const landed = (path: string) => vi.waitFor(() => expect(viewsOf(path)).toHaveLength(1), { timeout: 10_000 })
const PASS = /_lt=[0-9a-z]{16}\.[0-9a-z]{16}\.\d{13}/

/** The page on the other domain has the same visitor and session, in one page view whose URL is clean. */
async function expectSame(path: string, page: Page = at.page): Promise<void> {
  await landed(path)
  const [from, to] = [at.shop.posts[0]?.body, viewsOf(path)[0]?.body]
  expect([to?.i, to?.k]).toEqual([from?.i, from?.k])
  expect(new URL(to?.p.u ?? '').hostname).toBe('localhost')
  expect(await page.evaluate(() => location.href)).not.toContain('_lt')
  expect(JSON.stringify(at.shop.posts)).not.toContain('_lt')
}

describe.skipIf(!browser)('a link to another domain of the owner', () => {
  it('takes the visitor and the session along; the URL is clean again, its query and fragment as they were', async () => {
    await begin('<a href="OTHER/there?x=a%20b#part">There</a>')
    await at.arrived('pageview')
    await at.page.click('a')
    await loaded('/there')
    expect(loads('/there')[0]).toMatch(/^\/there\?x=a%20b&_lt=/)
    expect(loads('/there')[0]).toMatch(PASS)
    await expectSame('/there')
    expect(await at.page.evaluate(() => location.href)).toBe(`${other()}/there?x=a%20b#part`)
    expect(await at.page.evaluate(() => history.length)).toBe(3)
  })

  it('is as it was after the click, and is told as it was written', async () => {
    await begin(`<a target=_blank href="OTHER/there">There</a>`)
    await at.arrived('pageview')
    const [opened] = await Promise.all([at.context.waitForEvent('page'), at.page.click('a')])
    await loaded('/there')
    await expectSame('/there', opened)
    expect(await at.page.getAttribute('a', 'href')).toBe(`${other()}/there`)
    await at.leave()
    expect(at.props('click')).toMatchObject([{ url: `${other()}/there` }])
  })

  it.each([
    ['with a key', { modifiers: ['Control' as const] }],
    ['with the middle button', { button: 'middle' as const }],
  ])('opened in a new tab %s opens there, with the visitor', async (_, how) => {
    await begin('<a href="OTHER/there"><b>There</b></a>')
    await at.arrived('pageview')
    await Promise.all([at.context.waitForEvent('page'), at.page.click('b', how)])
    await loaded('/there')
    expect(loads('/there')[0]).toMatch(PASS)
    expect(new URL(at.page.url()).pathname).toBe('/')
  })

  it('takes nothing without the purpose identify', async () => {
    await begin('<a href="OTHER/there">There</a>', { options: { mode: 'required' } })
    await at.page.click('a')
    await loaded('/there')
    await at.page.goBack()
    await at.call('grant', ['measure'])
    await at.arrived('consent')
    await at.page.evaluate(to => document.querySelector('a')?.setAttribute('href', `${to}/again`), other())
    await at.page.click('a')
    await loaded('/again')
    expect(at.shop.loads.join()).not.toContain('_lt')
  })

  it('to a domain that only looks like one of the owner’s takes nothing, and neither do links within the domain', async () => {
    await begin(`<a href="/here">a</a><a href="http://notlocalhost/">b</a><a href="http://localhost.evil.example/">c</a>
      <a href="mailto:a@localhost">d</a><a href="http://user@evil.example/localhost">e</a><a href="http://sub.localhost/x">f</a>`)
    await at.arrived('pageview')
    const followed = await at.page.evaluate(() => {
      const hrefs: string[] = []
      addEventListener('click', event => {
        event.preventDefault()
        hrefs.push((event.target as HTMLAnchorElement).href)
      })
      for (const link of document.querySelectorAll('a')) link.click()
      return hrefs
    })
    expect(followed).toHaveLength(6)
    expect(followed.slice(0, 5).join()).not.toContain('_lt')
    expect(followed[5]).toMatch(PASS)
  })
})

describe.skipIf(!browser)('a form that leads to another domain of the owner', () => {
  it.each(['get', 'post'])('by %s takes the visitor along, beside its own fields', async method => {
    await begin(
      `<form method=${method} action="OTHER/there?x=1"><input name=action value=own><input name=q value=shoes><button>Go</button></form>`,
    )
    await at.arrived('pageview')
    await at.page.click('button')
    await loaded('/there')
    expect(loads('/there')[0]).toMatch(PASS)
    expect(loads('/there')[0]).toContain(method === 'get' ? 'q=shoes' : 'x=1')
    await expectSame('/there')
    expect(await at.page.evaluate(() => location.search)).toBe(method === 'get' ? '?action=own&q=shoes' : '?x=1')
  })

  it('that the page sends by itself is as it was afterwards', async () => {
    await begin('<form action="OTHER/there"><button formmethod=post formaction="OTHER/button">Go</button></form>')
    await at.arrived('pageview')
    const after = await at.page.evaluate(async () => {
      addEventListener('submit', event => event.preventDefault())
      const form = document.forms[0] as HTMLFormElement
      const before = form.outerHTML
      form.requestSubmit()
      form.querySelector('button')?.click()
      await new Promise(resolve => setTimeout(resolve))
      return { before, after: form.outerHTML }
    })
    expect(after.after).toBe(after.before)
  })
})

describe.skipIf(!browser)('on arrival', () => {
  const pass = (age: number) => `_lt=${'v'.repeat(16)}.${'s'.repeat(16)}.${Date.now() - age}`
  it.each([
    ['an old one', () => pass(240_000)],
    ['one of the future', () => pass(-240_000)],
    ['one of another shape', () => `_lt=${'v'.repeat(17)}.${'s'.repeat(16)}.${Date.now()}`],
    ['one with markup', () => '_lt=%3Cscript%3E'],
    ['an empty one', () => '_lt='],
  ])('%s is taken out of the URL and not believed', async (_, parameter) => {
    await begin('', {}, `/there?a=1&${parameter()}&b=2`)
    await at.arrived('pageview')
    expect(await at.page.evaluate(() => location.href)).toBe(`${at.shop.url}/there?a=1&b=2`)
    expect(at.shop.posts[0]?.body.i).toMatch(/^[0-9a-z]{16}$/)
    expect(at.shop.posts[0]?.body.i).not.toBe('v'.repeat(16))
    await at.leave()
    expect(at.shop.events('pageview')).toHaveLength(1)
  })

  it('a visitor who is known here already stays who it is', async () => {
    await begin('')
    await at.arrived('pageview')
    await at.page.goto(`${at.shop.url}/there?${pass(0)}`)
    await at.arrived('pageview', 2)
    expect(at.shop.posts[1]?.body.i).toBe(at.shop.posts[0]?.body.i)
    expect(await at.page.evaluate(() => location.href)).toBe(`${at.shop.url}/there`)
  })

  it('nobody is known before consent; then it is the visitor of the other domain, unless there was a refusal', async () => {
    for (const refused of [false, true]) {
      await begin('', { options: { mode: 'required' } }, `/there?${pass(1_000)}`)
      expect(await at.page.evaluate(() => location.href)).toBe(`${at.shop.url}/there`)
      expect(await at.context.cookies()).toEqual([])
      if (refused) await at.call('deny')
      await at.call('grant')
      await at.arrived('consent')
      const visitor = at.shop.posts.at(-1)?.body.i
      if (refused) expect(visitor).not.toBe('v'.repeat(16))
      else expect(visitor).toBe('v'.repeat(16))
      if (!refused) await at.close()
    }
  })
})
