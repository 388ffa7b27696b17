import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import axe from 'axe-core'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { CHROME, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { PASSWORD } from '../fixtures/people.ts'

const browser = await browserOrSkip()
/** A name as somebody may choose it. */
const HOSTILE = '<img src=x onerror=alert(1)> "עברית'

let collector: TestCollector
let shop: { url: string; server: Server; html: string }
const contexts: BrowserContext[] = []
/** What pages complained about; of answers that a test asks for on purpose the browser says so, too. */
const problems: string[] = []

async function newPage(): Promise<Page> {
  if (!browser) throw new Error('no browser')
  const context = await browser.newContext({
    timezoneId: 'Europe/Berlin',
    locale: 'en-US',
    // What says that it is headless counts as a bot.
    userAgent: CHROME,
  })
  contexts.push(context)
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  page.on('pageerror', error => problems.push(error.message))
  page.on('dialog', dialog => {
    problems.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', message => {
    if (message.type() === 'error' && !/status of 4/.test(message.text())) problems.push(message.text())
  })
  return page
}

async function newOwnerPage(): Promise<Page> {
  const page = await newPage()
  await page.goto(`${collector.url}/login?token=${await collector.collector.access.newLink()}`)
  return page
}

/** Asks the API as the page does, in its name. */
const askAs = (page: Page, method: string, path: string, body?: unknown) =>
  page.evaluate(
    async ([method, path, body]) => {
      const response = await fetch(path, {
        method,
        ...(body && { body, headers: { 'content-type': 'application/json' } }),
      })
      return [response.status, ((await response.json().catch(() => ({}))) as { code?: string }).code] as const
    },
    [method, path, body === undefined ? '' : JSON.stringify(body)] as const,
  )

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
const status = (page: Page, text: string | RegExp) => page.getByRole('status').filter({ hasText: text }).waitFor()
const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('name'))

beforeAll(async () => {
  collector = await startCollector({ sites: [{ key: 'first', domain: 'first.example' }] })
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(shop.html))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  shop = { server, html: '', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
})
afterAll(async () => {
  await browser?.close()
  await new Promise(resolve => shop.server.close(resolve))
  await collector.close()
})

// A password takes most of a second of a processor.
describe.skipIf(!browser)('who manages a site', { timeout: 90_000 }, () => {
  it('adds it, sees its first event, makes a goal and lets others look who cannot change it', async () => {
    const owner = await newOwnerPage()
    await owner.goto(`${collector.url}/sites`)
    await owner.getByText('first.example', { exact: true }).waitFor()

    // A new site: its key is proposed, its time zone the browser's.
    await owner.getByRole('link', { name: 'Add a site' }).click()
    await owner.getByLabel('Domain').fill('https://www.Corner-Shop.example/some/page')
    expect(await owner.getByLabel('Key').inputValue()).toBe('corner-shop')
    expect(await owner.getByLabel('Time zone').inputValue()).toBe('Europe/Berlin')
    await owner.getByLabel(/^No consent needed/).check()
    await button(owner, 'Add a site').click()

    // The snippet, pasted into a page that is served elsewhere.
    const tag = `<script defer src="${collector.url}/t/corner-shop.js"></script>`
    const snippet = await owner.locator('pre', { hasText: '/t/corner-shop.js' }).first().textContent()
    expect(snippet).toBe(tag)
    await status(owner, 'Waiting for the first event')
    expect(await owner.getByText('Events are coming in').count()).toBe(0)
    shop.html = `<!doctype html><title>Shop</title>${snippet}<h1>Shop</h1>`
    const visitor = await newPage()
    await visitor.goto(`${shop.url}/hello`)
    await status(owner, 'Events are coming in')
    await status(owner, '/hello')
    expect(await collector.db.collection('sites').findOne({ _id: 'corner-shop' as never })).toMatchObject({
      domain: 'www.corner-shop.example',
      consent: 'none',
      timezone: 'Europe/Berlin',
    })

    // A goal, which the next page view meets.
    await owner.getByRole('link', { name: 'New goal' }).click()
    await owner.getByLabel('Path of the page').fill('/thanks*')
    expect(await owner.getByLabel('Name', { exact: true }).inputValue()).toBe('/thanks*')
    await owner.getByLabel('Name', { exact: true }).fill('Order')
    await button(owner, 'Make the goal').click()
    await status(owner, '“Order” is there now.')
    expect(new URL(owner.url()).search).toBe('?site=corner-shop&tab=goals')
    // The collector knows a new goal within a second.
    const conversions = async () => {
      await visitor.goto(`${shop.url}/thanks`)
      const question = { site_id: 'corner-shop', date_range: 'day', metrics: ['events'], dimensions: ['event:goal'] }
      const answer = await collector.ask('/api/v2/query', { method: 'POST', body: JSON.stringify(question) })
      expect(((await answer.json()) as { results: object[] }).results).toMatchObject([{ dimensions: ['Order'] }])
    }
    await vi.waitFor(conversions, { timeout: 10_000, interval: 300 })

    // An invited viewer, in a browser of its own.
    await owner.getByRole('tab', { name: 'People' }).click()
    await button(owner, 'Invite somebody').click()
    await owner.getByLabel('E-mail').fill('vera@corner-shop.example')
    await button(owner, 'Invite').click()
    const invite = (await owner.locator('pre', { hasText: '/join?token=' }).textContent()) ?? ''
    const viewer = await newPage()
    await viewer.goto(invite)
    await viewer.getByLabel('Password').fill(PASSWORD)
    await button(viewer, 'Continue').click()
    await viewer.waitForURL(`${collector.url}/overview**`)
    await viewer.goto(`${collector.url}/settings`)
    await viewer.getByText('Europe/Berlin').waitFor()
    expect(await viewer.getByRole('tab').allTextContents()).toEqual(['General', 'Goals', 'Properties', 'Account'])
    expect(await viewer.getByRole('tabpanel').locator('button, input').count()).toBe(0)
    await viewer.getByRole('tab', { name: 'Goals' }).click()
    await viewer.getByText('Order', { exact: true }).waitFor()
    expect(await viewer.getByRole('tabpanel').locator('button').count()).toBe(0)
    await viewer.goto(`${collector.url}/settings?tab=goals&add=1`)
    await viewer.getByText('Order', { exact: true }).waitFor()
    expect(await viewer.locator('form.form').count()).toBe(0)
    await viewer.goto(`${collector.url}/sites?add=1`)
    await viewer.getByRole('link', { name: 'www.corner-shop.example' }).waitFor()
    expect(await viewer.getByText('Add a site').count()).toBe(0)
    expect(await viewer.getByText('first.example').count()).toBe(0)

    // A shared link.
    await owner.getByRole('tab', { name: 'Shared links' }).click()
    await button(owner, 'New shared link').click()
    await owner.getByLabel('Name', { exact: true }).fill('For the bank')
    await button(owner, 'Make the link').click()
    const link = (await owner.locator('pre', { hasText: '/share/' }).textContent()) ?? ''
    const guest = await newPage()
    await guest.goto(link)
    await guest.getByText('www.corner-shop.example').first().waitFor()
    const views = guest.getByRole('navigation', { name: 'Views' })
    expect(await views.getByRole('link').allTextContents()).toEqual(['Overview', 'Live', 'Mails'])
    expect((await guest.goto(`${link}/settings`))?.status()).toBe(404)
    await guest.goto(link)

    // Neither can do by the API what the page does not offer.
    const share = `&share=${link.split('/').at(-1)}`
    for (const [page, pass] of [
      [viewer, ''],
      [guest, share],
    ] as const) {
      const at = (path: string, query = '') => `/api/v2/${path}?site=corner-shop${query}${pass}`
      const refused = [403, 'not-allowed']
      expect(await askAs(page, 'GET', at('goals'))).toEqual([200, undefined])
      expect(await askAs(page, 'POST', at('goals'), { name: 'Mine', event: 'x' })).toEqual(refused)
      expect(await askAs(page, 'DELETE', at('goals', '&name=Order'))).toEqual(refused)
      expect(await askAs(page, 'PATCH', at('sites'), { domain: 'evil.example' })).toEqual(refused)
      expect(
        await askAs(page, 'POST', at('sites'), { key: 'x', domain: 'x.example', consent: 'none', timezone: 'UTC' }),
      ).toEqual(refused)
      expect(await askAs(page, 'POST', at('people'), { email: 'x@x.example', role: 'owner' })).toEqual(refused)
      expect(await askAs(page, 'PATCH', at('people', '&email=vera@corner-shop.example'), { role: 'owner' })).toEqual(
        refused,
      )
      for (const path of ['keys', 'people', 'shares']) expect(await askAs(page, 'GET', at(path))).toEqual(refused)
      expect(await askAs(page, 'POST', at('keys'), { name: 'x', scope: 'admin' })).toEqual(refused)
      expect(await askAs(page, 'POST', at('shares'), { name: 'x' })).toEqual(refused)
    }
    expect((await askAs(viewer, 'GET', '/api/v2/goals?site=first'))[0]).toBe(404)
    expect((await askAs(guest, 'GET', `/api/v2/goals?site=first${share}`))[0]).toBe(404)

    // What is revoked is over, and says so where it is open.
    await views.getByRole('link', { name: 'Live' }).click()
    await guest.getByRole('heading', { name: 'Live' }).first().waitFor()
    await button(owner, 'Revoke For the bank').click()
    await owner.getByRole('dialog').getByText('cannot be undone').waitFor()
    await owner.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await status(owner, '“For the bank” is gone.')
    await owner.getByText('No shared link yet.').waitFor()
    await guest.getByText('This shared link is no more').waitFor()
    expect((await guest.goto(link))?.status()).toBe(404)
    expect(problems.splice(0)).toEqual([])
  })

  it('is told a key once', async () => {
    const owner = await newOwnerPage()
    await owner.goto(`${collector.url}/settings?site=first&tab=keys`)
    await button(owner, 'New key').click()
    await expect.poll(() => focused(owner)).toBe('name')
    await owner.getByLabel('Name', { exact: true }).fill(`${HOSTILE}\u202e`)
    await button(owner, 'Make the key').click()
    await owner.getByText('printable characters').waitFor()
    await expect.poll(() => focused(owner)).toBe('name')
    await owner.getByLabel('Name', { exact: true }).fill(HOSTILE)
    await owner.getByLabel(/^Send/).check()
    // A second click while the first is on its way.
    await button(owner, 'Make the key').evaluate((it: HTMLButtonElement) => {
      it.click()
      it.click()
    })
    const key = (await owner.locator('.made pre').textContent()) ?? ''
    expect(key).toMatch(/^lt_[\w-]{20,}$/)
    expect(await collector.db.collection('keys').countDocuments()).toBe(1)
    const used = await collector.ask('/api/v2/goals?site=first', { headers: { authorization: `Bearer ${key}` } })
    expect(used.status).toBe(403)
    await button(owner, 'Done').click()
    expect(await owner.content()).not.toContain(key)
    await owner.reload()
    await owner.getByText(HOSTILE).first().waitFor()
    expect(await owner.content()).not.toContain(key)
    await button(owner, /^Revoke/).click()
    await owner.getByRole('dialog').waitFor()
    await owner.keyboard.press('Escape')
    await owner.getByRole('dialog').waitFor({ state: 'hidden' })
    await expect.poll(() => owner.getByText(HOSTILE).count()).toBe(1)
    await button(owner, /^Revoke/).click()
    await owner.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await owner.getByText('No key yet.').waitFor()
    const after = await collector.ask('/api/v2/me', { headers: { authorization: `Bearer ${key}` } })
    expect(after.status).toBe(401)
    expect(problems.splice(0)).toEqual([])
  })

  it('is told what is wrong where it is wrong, and loses nothing that was typed', async () => {
    const owner = await newOwnerPage()
    await owner.goto(`${collector.url}/sites?add=1`)
    await button(owner, 'Add a site').click()
    await expect.poll(() => focused(owner)).toBe('domain')
    expect(await owner.getByLabel('Domain').getAttribute('aria-invalid')).toBe('true')
    await owner.getByLabel('Domain').fill('two words')
    await owner.getByLabel('Key').fill('first')
    await owner.getByLabel('Time zone').fill('Mars/Olympus')
    await button(owner, 'Add a site').click()
    await owner.getByText('That is no domain').waitFor()
    await owner.getByText('There is no such time zone').waitFor()
    await owner.getByLabel('Domain').fill('first.example')
    expect(await owner.getByText('That is no domain').count()).toBe(0)
    await owner.getByLabel('Time zone').fill('UTC')
    await button(owner, 'Add a site').click()
    await owner.getByText('Another site has this key.').waitFor()
    await expect.poll(() => focused(owner)).toBe('key')
    expect(await owner.getByLabel('Domain').inputValue()).toBe('first.example')

    // A collector that does not answer, then does.
    await owner.goto(`${collector.url}/settings?site=first&tab=goals&add=1`)
    await owner.getByLabel(/^Event/).check()
    await owner.getByLabel('Name of the event').fill('signup')
    await button(owner, 'Add a condition').click()
    await expect.poll(() => focused(owner)).toBe('property-0')
    await owner.getByLabel('Property', { exact: true }).fill('plan')
    await owner.getByLabel('Value', { exact: true }).fill('pro, "plus, yearly"')
    await owner.getByLabel('Always the same amount').check()
    await owner.getByLabel('Amount', { exact: true }).fill('49.90')
    await owner.getByLabel('Currency').fill('XXQ')
    await owner.route('**/api/v2/goals**', route => route.abort())
    await button(owner, 'Make the goal').click()
    await owner.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor()
    await owner.unroute('**/api/v2/goals**')
    await button(owner, 'Make the goal').click()
    await owner.getByRole('alert').filter({ hasText: 'ISO 4217' }).waitFor()
    await owner.getByLabel('Currency').fill('eur')
    await button(owner, 'Make the goal').click()
    await owner.getByText('worth €49.90').waitFor()
    const { goals } = (await (await collector.ask('/api/v2/goals?site=first')).json()) as { goals: object[] }
    expect(goals).toMatchObject([
      {
        name: 'signup',
        event: 'signup',
        where: [{ property: 'plan', is: ['pro', 'plus, yearly'] }],
        value: { amount: 4990, currency: 'EUR' },
      },
    ])

    // How far earlier days have it is told as long as that takes.
    const told = [12, 30]
    await owner.route('**/api/v2/goals**', async route => {
      const response = await route.fetch()
      const list = (await response.json()) as { goals: object[] }
      const backfill = { days: 30, done: told.shift() ?? 30 }
      await route.fulfill({ response, json: { goals: list.goals.map(goal => ({ ...goal, backfill })) } })
    })
    await owner.reload()
    await owner.getByText('12 of 30 earlier days are prepared').waitFor()
    await owner.getByText('earlier days are prepared').waitFor({ state: 'detached' })
    await owner.unroute('**/api/v2/goals**')
    expect(problems.filter(text => !/ERR_FAILED/.test(text))).toEqual([])
    problems.length = 0
  })

  it('makes an account of its own, changes its password and signs out everywhere', async () => {
    const owner = await newOwnerPage()
    await owner.goto(`${collector.url}/settings?tab=account`)
    await owner.getByLabel('E-mail').fill('Olga@first.example')
    await owner.getByLabel('Password').fill('short')
    await button(owner, 'Make an account').click()
    await expect.poll(() => focused(owner)).toBe('new')
    await owner.getByLabel('Password').fill(PASSWORD)
    await button(owner, 'Make an account').click()
    await owner.getByLabel('Present password').waitFor()
    expect(await owner.getByLabel('E-mail').inputValue()).toBe('olga@first.example')

    const other = await newPage()
    await other.goto(`${collector.url}/login?next=/settings`)
    await other.getByLabel('E-mail').fill('olga@first.example')
    await other.getByLabel('Password').fill(PASSWORD)
    await button(other, 'Sign in').click()
    await other.getByRole('tab', { name: 'Account' }).waitFor()

    await owner.getByLabel('Present password').fill('another password')
    await owner.getByLabel('New password').fill('correct horse battery staple')
    await button(owner, 'Change password').click()
    await owner.getByText('That is not your password.').waitFor()
    await expect.poll(() => focused(owner)).toBe('old')
    await owner.getByLabel('Present password').fill(PASSWORD)
    await button(owner, 'Change password').click()
    await status(owner, 'All your other browsers are signed out.')
    expect(await owner.getByLabel('Present password').inputValue()).toBe('')
    await other.reload()
    expect(new URL(other.url()).pathname).toBe('/login')

    await button(owner, 'Sign out everywhere').click()
    await owner.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
    await owner.waitForURL(`${collector.url}/login`)
    await owner.goto(`${collector.url}/settings`)
    expect(new URL(owner.url()).pathname).toBe('/login')
    expect(problems.splice(0)).toEqual([])
  })

  it('is told why something is refused once the role has changed', async () => {
    const owner = await newOwnerPage()
    await owner.goto(`${collector.url}/settings?site=first&tab=people&add=1`)
    await owner.getByLabel('E-mail').fill('eddy@first.example')
    await owner.getByLabel(/^Editor/).check()
    await button(owner, 'Invite').click()
    const editor = await newPage()
    await editor.goto((await owner.locator('.made pre').textContent()) ?? '')
    await editor.getByLabel('Password').fill(PASSWORD)
    await button(editor, 'Continue').click()
    await editor.waitForURL(`${collector.url}/overview**`)
    await editor.goto(`${collector.url}/settings?tab=properties&add=1`)
    await expect
      .poll(() => editor.getByRole('tab').allTextContents())
      .toEqual(['General', 'Goals', 'Properties', 'Account'])
    await editor
      .getByRole('textbox', { name: 'Property' })
      .or(editor.getByRole('combobox', { name: 'Property' }))
      .fill('plan')

    await owner.reload()
    await owner.getByText(/^joined/).waitFor()
    await button(owner, 'Change role eddy@first.example').click()
    await owner
      .getByRole('dialog')
      .getByLabel(/^Viewer/)
      .check()
    await owner.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await status(owner, 'Saved.')
    await button(editor, 'Declare it').click()
    await editor.getByRole('alert').filter({ hasText: 'Your role does not allow that' }).waitFor()
    await editor.reload()
    await editor.getByText('None yet.').waitFor()
    expect(await button(editor, 'Declare a property').count()).toBe(0)

    await button(owner, 'Remove eddy@first.example').click()
    await owner.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await owner.getByText('Nobody yet.').waitFor()
    await editor.reload()
    expect(new URL(editor.url()).pathname).toBe('/login')
    expect(problems.splice(0)).toEqual([])
  })

  it('finds every view accessible', async () => {
    const owner = await newOwnerPage()
    const ask = (path: string, body: object) =>
      collector.ask(`/api/v2/${path}?site=first`, { method: 'POST', body: JSON.stringify(body) })
    await ask('goals', { name: HOSTILE, event: HOSTILE, where: [{ property: 'plan', is: [HOSTILE] }] })
    await ask('people', { email: 'waiting@first.example', role: 'viewer' })
    await ask('shares', { name: HOSTILE, embed: true })
    const settings = ['general', 'goals', 'properties', 'keys', 'people', 'shares', 'account'].flatMap(tab => [
      `settings?site=first&tab=${tab}`,
      `settings?site=first&tab=${tab}&add=1`,
    ])
    const paths = ['sites', 'sites?add=1', 'sites?site=first&install=1', ...settings]
    for (const [i, path] of paths.entries()) {
      await owner.emulateMedia({ colorScheme: i % 2 ? 'dark' : 'light' })
      await owner.goto(`${collector.url}/${path}`)
      await owner.locator('.panel, .nothing').first().waitFor()
      await owner.evaluate(axe.source)
      const found = await owner.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run())
      expect(found.violations.map(({ id, nodes }) => [path, id, nodes.map(node => node.html)])).toEqual([])
    }
    expect(problems.splice(0)).toEqual([])
  })

  it('goes through the settings by keyboard, and says what to look at when nothing comes', async () => {
    const owner = await newOwnerPage()
    await owner.goto(`${collector.url}/settings?site=first`)
    await owner.getByRole('tab', { name: 'General' }).focus()
    await owner.keyboard.press('ArrowRight')
    expect(new URL(owner.url()).searchParams.get('tab')).toBe('goals')
    await owner.keyboard.press('End')
    await owner.getByRole('tab', { name: 'Account', selected: true }).waitFor()
    await owner.keyboard.press('ArrowRight')
    await owner.getByRole('tab', { name: 'General', selected: true }).waitFor()
    await owner.keyboard.press('Control+k')
    await owner.getByRole('combobox', { name: 'Type a few letters' }).fill('invite')
    await owner.keyboard.press('Enter')
    await owner.getByLabel('E-mail').waitFor()
    await expect.poll(() => focused(owner)).toBe('email')

    await owner.clock.install()
    await owner.goto(`${collector.url}/sites?site=first&install=1`)
    await status(owner, 'Waiting for the first event')
    expect(await owner.getByText('Nothing has come yet').count()).toBe(0)
    await owner.clock.fastForward('01:05')
    await owner.getByText('Nothing has come yet').waitFor()
    await owner.getByText(`script-src ${collector.url}; connect-src ${collector.url}`).waitFor()
    expect(problems.splice(0)).toEqual([])
  })
})
