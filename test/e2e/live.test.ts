import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { browserOrSkip } from '../fixtures/browser.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'

const browser = await browserOrSkip()
let collector: TestCollector

beforeAll(async () => {
  collector = await startCollector({ sites: [{ key: 'shop', domain: 'shop.example', consent: 'none' }] })
})
afterAll(async () => {
  await browser?.close()
  await collector.close()
})

describe.skipIf(!browser)('the live page', () => {
  it('says what to paste while nothing has come, and shows the first event by itself', async () => {
    const context = await browser?.newContext()
    const page = await context?.newPage()
    if (!context || !page) return
    const problems: string[] = []
    const elsewhere: string[] = []
    page.on('pageerror', error => problems.push(error.message))
    page.on('console', message => message.type() === 'error' && problems.push(message.text()))
    page.on('request', request => request.url().startsWith(collector.url) || elsewhere.push(request.url()))

    await page.goto(`${collector.url}/live?site=shop`)
    expect(new URL(page.url()).pathname).toBe('/login')
    await page.getByLabel('Owner key').fill(OWNER_KEY)
    await page.getByRole('button', { name: 'Use the key' }).click()
    await page.waitForURL(`${collector.url}/live?site=shop`)
    await page.getByText(`<script defer src="${collector.url}/t/shop.js"></script>`).first().waitFor()

    await collector.deliver(
      envelope([{ n: 'pageview' }, { n: 'signup' }], { p: { u: 'https://shop.example/first', ti: 'First' } }),
    )
    await page.getByText('signup').first().waitFor({ timeout: 10_000 })
    await page.getByText('/first').first().waitFor({ timeout: 10_000 })
    expect(problems).toEqual([])
    expect(elsewhere).toEqual([])
    await context.close()
  })
})
