import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { PASSWORD } from '../fixtures/people.ts'

/** Passwords take a processor half a second each, and more where others want it too. */
vi.setConfig({ testTimeout: 120_000 })

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const browser = await browserOrSkip()
let collector: TestCollector
beforeAll(async () => {
  collector = await startCollector()
})
afterAll(async () => {
  await browser?.close()
  await collector.close()
})

const newPage = async (): Promise<Page> => {
  const context = await browser?.newContext()
  if (!context) throw new Error('no browser')
  // So that what takes too long is named.
  context.setDefaultTimeout(20_000)
  return await context.newPage()
}
/** As the page's policy lets no script in, it comes by the debugger. */
async function violations(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate<{ violations: { id: string }[] }>(`${AXE}; axe.run()`)
  return violations.map(({ id }) => id)
}
const owned = async (path: string, body: object): Promise<Record<string, string>> => {
  const response = await collector.ask(`/api/v2${path}`, { method: 'POST', body: JSON.stringify(body) })
  return (await response.json()) as Record<string, string>
}

describe.skipIf(!browser)('in a browser', () => {
  it('somebody joins by a link, signs out, errs, and signs in to where they wanted to go', async () => {
    const page = await newPage()
    const problems: string[] = []
    page.on('pageerror', error => problems.push(error.message))
    const { invite = '' } = await owned('/people?site=shop', { email: 'ada@shop.example', role: 'viewer' })
    await page.goto(invite)
    expect(await page.getByLabel('E-mail').inputValue()).toBe('ada@shop.example')
    expect(await page.getByRole('alert').count()).toBe(0)
    expect(await violations(page)).toEqual([])
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.waitForURL(url => url.pathname === '/overview')

    await page.context().clearCookies()
    await page.goto(`${collector.url}/live?site=shop`)
    await page.waitForURL(url => url.pathname === '/login')
    expect(await page.getByRole('alert').count()).toBe(0)
    expect(await violations(page)).toEqual([])
    await page.getByLabel('E-mail').fill('ada@shop.example')
    await page.getByLabel('Password').fill('something else')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').filter({ hasText: 'That e-mail address or password is not right.' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(1)
    expect(await violations(page)).toEqual([])
    await page.getByLabel('E-mail').fill('ada@shop.example')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.waitForURL(`${collector.url}/live?site=shop`)
    expect(problems).toEqual([])
    await page.context().close()
  })

  it('the login page has no words of somebody else’s', async () => {
    const page = await newPage()
    for (const error of [
      'call 0123',
      '<b>hi</b>',
      '"><script>alert(1)</script>',
      'x" role="alert" hidden',
      'error',
      '$&',
    ]) {
      await page.goto(`${collector.url}/login?${new URLSearchParams({ error })}`)
      expect(await page.getByRole('alert').count()).toBe(0)
      expect(await page.content()).not.toMatch(/0123|<b>|alert\(1\)/)
    }
    await page.context().close()
  })

  it('signing in takes no script', async () => {
    const context = await browser?.newContext({ javaScriptEnabled: false })
    const page = await context?.newPage()
    if (!context || !page) return
    await page.goto(`${collector.url}/login`)
    await page.getByLabel('Owner key').fill('a wrong key')
    await page.getByRole('button', { name: 'Use the key' }).click()
    await page.getByText('That key is not right.').waitFor()
    await page.getByLabel('Owner key').fill(OWNER_KEY)
    await page.getByRole('button', { name: 'Use the key' }).click()
    await page.waitForURL(url => url.pathname === '/overview')
    await context.close()
  })

  it('a shared link is shown in a frame of another site where that was said, and comes alive without a cookie', async () => {
    const [open, closed] = [
      await owned('/shares?site=shop', { name: 'open', embed: true }),
      await owned('/shares?site=shop', { name: 'closed' }),
    ]
    const server = createServer((_, response) =>
      response
        .setHeader('content-type', 'text/html')
        .end(
          `<!doctype html><iframe name="open" src="${open.url}/live"></iframe><iframe name="closed" src="${closed.url}/live"></iframe>`,
        ),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const page = await newPage()
    const asked: string[] = []
    page.on('request', async request => {
      const headers = await request.allHeaders().catch((): Record<string, string> => ({}))
      if (headers.cookie) asked.push(request.url())
    })
    // Another site than 127.0.0.1.
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
    const shown = page.frameLocator('[name=open]')
    await collector.deliver(envelope([{ n: 'framed-event' }]))
    await shown.getByText('framed-event').first().waitFor({ timeout: 10_000 })
    await expect.poll(() => page.frame('closed')?.url()).toMatch(/^chrome-error:/)
    expect(asked).toEqual([])
    await page.context().close()
    server.close()
  })
})
