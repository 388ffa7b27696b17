import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { readGoal } from '../../collector/sites/index.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'

const browser = await browserOrSkip()
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
let collector: TestCollector

beforeAll(async () => {
  const goals = [readGoal({ name: 'Order <b>', event: 'purchase' }, new Date(0))]
  collector = await startCollector({
    sites: [{ domain: 'shop.example' }, { key: 'full', domain: 'full.example', goals }],
  })
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

  it('shows who is here, converts, sees and clicks campaigns, and which bots come; axe finds no fault in it, nor in the wall', async () => {
    const context = await browser?.newContext({ viewport: { width: 1_280, height: 900 } })
    const page = await context?.newPage()
    if (!context || !page) return
    const problems: string[] = []
    page.on('pageerror', error => problems.push(error.message))
    page.on('dialog', dialog => {
      problems.push(`a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    await context.request.post(`${collector.url}/login`, { form: { key: OWNER_KEY }, maxRedirects: 0 })
    const evil = [
      '"><img src=x onerror=alert(1)>',
      '<script>alert(1)</script>',
      '\u202Egnp.exe',
      '😀'.repeat(400),
      'x'.repeat(2_000),
    ]
    const { rejected } = await collector.deliver(
      envelope(
        [
          {},
          ...Array.from({ length: 200 }, () => ({ n: 'impression', d: { campaign: 'spring' } })),
          ...Array.from({ length: 3 }, () => ({ n: 'click', d: { campaign: 'spring' } })),
          ...evil.map(text => ({
            n: text.slice(0, 100),
            d: { [text.replace('.', '').slice(0, 40)]: text, campaign: text },
          })),
          ...evil.map(text => ({ n: 'impression', d: { campaign: text } })),
          { n: 'purchase', d: { revenue: { amount: '49.90', currency: 'EUR' } } },
        ],
        { s: 'full', p: { u: 'https://full.example/<script>', ti: evil[0] ?? '', r: 'https://news.example/' } },
      ),
    )
    expect(rejected).toEqual([])
    const bot = { 'user-agent': 'Googlebot/2.1' }
    expect((await collector.send(envelope([{}, {}], { s: 'full' }), bot)).status).toBe(200)
    await collector.settled()
    await page.goto(`${collector.url}/live?site=full`)
    const panel = (title: string) =>
      page.locator('section.panel').filter({ has: page.getByRole('heading', { name: title }) })
    const rowsOf = (title: string) => panel(title).locator('tbody tr').allTextContents()
    await vi.waitFor(
      async () => {
        expect((await rowsOf('Campaigns'))[0]).toBe('spring20031.5%')
        expect(await rowsOf('Active by source')).toEqual(['news.example1'])
        expect(await rowsOf('Bots by rule')).toEqual(['Google2'])
        expect(await panel('Converting now').locator('li').allTextContents()).toEqual([
          expect.stringMatching(/^Order <b>€49\.90\/.*news\.example/),
        ])
      },
      { timeout: 15_000, interval: 100 },
    )
    // Bots are in no other figure.
    const today = await page.locator('.figures-today dd').allTextContents()
    expect(today.slice(1)).toEqual(['1', '1', '215', '1'])

    const feed = page.locator('.feed')
    const names = () => feed.locator('.kind').allTextContents()
    await feed.getByLabel('Kind of event').selectOption('conversion')
    expect(await names()).toEqual(['purchase'])
    await feed.getByLabel('Kind of event').selectOption('bot')
    expect(new Set(await names())).toEqual(new Set(['pageview']))
    await feed.getByLabel('Kind of event').selectOption('')
    await feed.getByLabel('Filter events').fill('nothing has this')
    await feed.getByText('Nothing held here fits the filter').waitFor()
    await feed.getByLabel('Filter events').fill('PURCHASE 49.90')
    expect(await names()).toEqual(['purchase'])
    await feed.getByLabel('Filter events').fill('')
    await feed.getByRole('button', { name: 'Pause' }).click()
    await collector.deliver(envelope([{ n: 'while-paused' }], { s: 'full' }))
    await feed.getByText('Paused · 1 new').waitFor()
    expect(await names()).not.toContain('while-paused')
    await page.keyboard.press('p')
    await feed.getByText('while-paused').first().waitFor()

    const faults = async () => {
      const checked = await page.evaluate(await readFile(axe, 'utf8')).then(() => page.evaluate('axe.run()'))
      const { violations } = checked as { violations: { id: string; nodes: { html: string }[] }[] }
      return violations.map(({ id, nodes }) => [id, nodes[0]?.html])
    }
    expect(await faults()).toEqual([])
    await page.goto(`${collector.url}/live?site=full&wall=1`)
    await page.locator('.wall .figure-first dd').waitFor()
    expect(await faults()).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    expect(problems).toEqual([])
    await context.close()
  })
})
