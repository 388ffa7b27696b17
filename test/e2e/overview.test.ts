import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { QueryAnswer } from '../../collector/query/schema.ts'
import { readGoal } from '../../collector/sites/index.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { envelope, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'

const browser = await browserOrSkip()
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
let collector: TestCollector
let context: BrowserContext
const problems: string[] = []

const EVIL = [
  '"><img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  '\u202Egnp.exe',
  'مرحبا بالعالم',
  `=HYPERLINK("https://evil.example","${'x'.repeat(400)}")`,
  '😀 {{7*7}} <%=7*7%>',
]
let visitor = 0
const visit = (path: string, { events = [{ n: 'pageview' }], site = 'shop', referrer = '' } = {}) => {
  visitor++
  return envelope(events, {
    s: site,
    i: `visitor-${visitor}`,
    k: `session-${visitor}`,
    p: { u: `https://shop.example${path}`, ti: 'Title', ...(referrer && { r: referrer }) },
  })
}

beforeAll(async () => {
  collector = await startCollector({
    sites: [
      { key: 'shop', goals: [readGoal({ name: 'Sign-up', event: 'signup' }, new Date(0))] },
      { key: 'fresh', domain: 'fresh.example', consent: 'none' },
      { key: 'many', domain: 'many.example', consent: 'none' },
    ],
  })
  for (let i = 0; i < 6; i++) await collector.deliver(visit('/shoes', { referrer: 'https://www.google.com/' }))
  for (let i = 0; i < 3; i++) await collector.deliver(visit('/hats'))
  await collector.deliver(visit('/hats', { events: [{ n: 'pageview' }, { n: 'signup' }] }))
  for (const text of EVIL) await collector.deliver(visit('/evil', { events: [{ n: text.slice(0, 100) }] }))
  await collector.send(visit('/bot'), { 'user-agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)' })
  for (let i = 0; i < 5; i++)
    await collector.deliver(Array.from({ length: 60 }, (_, j) => visit(`/page/${i * 60 + j}`, { site: 'many' })))
  await collector.folded()
  if (!browser) return
  context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  await page.goto(`${collector.url}/login`)
  await page.getByLabel('Owner key').fill(OWNER_KEY)
  await page.getByRole('button', { name: 'Use the key' }).click()
  await page.waitForURL(/overview/)
  await page.close()
})
afterAll(async () => {
  await browser?.close()
  await collector.close()
})

afterEach(async () => {
  for (const page of context?.pages() ?? []) await page.close()
})

async function open(path: string): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', error => problems.push(error.message))
  // A request that was answered with a problem is what one of the tests is about.
  page.on(
    'console',
    message => message.type() === 'error' && !/status of 503/.test(message.text()) && problems.push(message.text()),
  )
  page.on('dialog', dialog => {
    problems.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(collector.url + path)
  return page
}
const total = (page: Page, metric: string) => page.locator(`[data-metric=${metric}] .total-value:not(.ghost-box)`)
const row = (page: Page, panel: string, name: string) =>
  page.locator(`.list-${panel} tbody tr`).filter({ has: page.getByRole('link', { name, exact: true }) })

/** As the collector answers what is large: an estimate that is twice too high and, when told to, what is counted. */
async function startLarge() {
  let counts = () => {}
  const isCounted = new Promise<void>(done => {
    counts = done
  })
  const server = createServer(async (request, response) => {
    const asked: unknown = JSON.parse(await text(request))
    response.setHeader('content-type', 'application/x-ndjson')
    const each = async (question: number, one: unknown): Promise<void> => {
      const body = JSON.stringify(one)
      const answer = (await (await collector.ask('/api/v2/query', { method: 'POST', body })).json()) as QueryAnswer
      const results = answer.results.map(row => ({
        ...row,
        metrics: row.metrics.map(value => (typeof value === 'number' ? value * 2 : value)),
      }))
      const meta = { ...answer.meta, exact: false, error: 0.03, sample: 0.0625 }
      response.write(`${JSON.stringify({ question, ...answer, results, meta })}\n`)
      await isCounted
      response.write(`${JSON.stringify({ question, ...answer })}\n`)
    }
    await Promise.all((Array.isArray(asked) ? asked : [asked]).map((one, i) => each(i, one)))
    response.end()
  })
  await new Promise<void>(done => void server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    counts,
    async close() {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
    },
  }
}

describe.skipIf(!browser)('the overview', { timeout: 120_000 }, () => {
  it('shows totals, lists and bots of the range, with nothing that axe finds fault with', async () => {
    const page = await open('/overview?site=shop')
    await total(page, 'pageviews').filter({ hasText: /^10$/ }).waitFor()
    expect(await total(page, 'conversions').textContent()).toBe('1')
    await row(page, 'pages', '/shoes').waitFor()
    await page.getByText('1 events of bots are left out.').waitFor()
    const checked = await page.evaluate(await readFile(axe, 'utf8')).then(() => page.evaluate('axe.run()'))
    const { violations } = checked as { violations: { id: string; nodes: { html: string }[] }[] }
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([])
  })

  it('filters by what is clicked, keeps it in the address, and takes it back by the back button', async () => {
    const page = await open('/overview?site=shop')
    await row(page, 'pages', '/shoes').getByRole('link').click()
    await total(page, 'visitors').filter({ hasText: /^6$/ }).waitFor()
    expect(new URL(page.url()).search).toBe('?site=shop&f=is:page:/shoes')
    await row(page, 'sources', 'google.com').waitFor()
    await page.getByRole('button', { name: 'Remove the filter: Page is /shoes' }).waitFor()

    await page.goBack()
    await row(page, 'pages', '/hats').waitFor()
    expect(await page.locator('.chip').count()).toBe(0)
    // With Alt: all but this.
    await row(page, 'pages', '/shoes')
      .getByRole('link')
      .click({ modifiers: ['Alt'] })
    await total(page, 'visitors').filter({ hasText: /^10$/ }).waitFor()
    expect(page.url()).toContain('f=is_not:page:/shoes')
    expect(await row(page, 'pages', '/shoes').count()).toBe(0)
    await page.goBack()
    await page.goForward()
    await total(page, 'visitors').filter({ hasText: /^10$/ }).waitFor()

    // The same address, opened by somebody else, is the same view.
    const other = await open(new URL(page.url()).pathname + new URL(page.url()).search)
    await total(other, 'visitors').filter({ hasText: /^10$/ }).waitFor()
    await other.close()
    await page.keyboard.press('x')
    await row(page, 'pages', '/shoes').waitFor()
    expect(page.url()).not.toContain('f=')
  })

  it('never shows an answer of an address that was left', async () => {
    const page = await open('/overview?site=shop')
    await row(page, 'pages', '/shoes').waitFor()
    let isHeld = true
    const held: (() => void)[] = []
    await page.route('**/api/v2/query', async route => {
      if (isHeld && route.request().postData()?.includes('/shoes')) await new Promise<void>(done => held.push(done))
      await route.continue().catch(() => {})
    })
    await row(page, 'pages', '/shoes').getByRole('link').click()
    await page.locator('.totals .ghost-box').first().waitFor()
    await page.goBack()
    await total(page, 'visitors').first().waitFor()
    isHeld = false
    for (const done of held) done()
    await row(page, 'pages', '/hats').waitFor()
    expect(await total(page, 'visitors').textContent()).not.toBe('6')
  })

  it('ticks while it is looked at, without being loaded anew, and never back', async () => {
    const page = await open('/overview?site=shop')
    await row(page, 'pages', '/shoes').waitFor()
    const before = Number(await total(page, 'pageviews').textContent())
    await page.evaluate(() => {
      const seen: number[] = []
      Object.assign(window, { seen })
      const look = () => seen.push(Number(document.querySelector('[data-metric=pageviews] .total-value')?.textContent))
      new MutationObserver(look).observe(document.querySelector('.totals') as Element, {
        subtree: true,
        characterData: true,
        childList: true,
      })
    })
    for (let i = 0; i < 5; i++) await collector.deliver(visit('/new'))
    await total(page, 'pageviews')
      .filter({ hasText: new RegExp(`^${before + 5}$`) })
      .waitFor({ timeout: 15_000 })
    await row(page, 'pages', '/new').waitFor({ timeout: 15_000 })
    const seen = (await page.evaluate('seen')) as number[]
    expect(seen.length).toBeGreaterThan(0)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))

    // What it says is what the API says.
    await collector.folded()
    const body = { site_id: 'shop', metrics: ['pageviews', 'visits', 'events'], date_range: 'day' }
    const answer = await collector.ask('/api/v2/query', { method: 'POST', body: JSON.stringify(body) })
    const [views, visits, events] = (await answer.json()).results[0].metrics
    await expect.poll(() => total(page, 'pageviews').textContent()).toBe(String(views))
    await expect.poll(() => total(page, 'visits').textContent()).toBe(String(visits))
    await expect.poll(() => total(page, 'events').textContent()).toBe(String(events))
  })

  it('shows texts of events as texts, whatever is in them', async () => {
    const page = await open('/overview?site=shop')
    for (const text of EVIL) {
      const name = text.slice(0, 100)
      const shown = page.locator('.list-events .value', { hasText: name })
      await shown.first().waitFor()
      expect(await shown.first().textContent()).toBe(name)
    }
    expect(await page.locator('.overview img, .overview script').count()).toBe(0)
    // Nothing is wider than the page.
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
  })

  it('saves a list as CSV in which no spreadsheet finds a formula', async () => {
    const page = await open('/overview?site=shop')
    await page.locator('.list-events .value').first().waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV: Event' }).click(),
    ])
    const lines = (await readFile(await download.path(), 'utf8')).split('\r\n')
    expect(lines[0]).toBe('\uFEFFEvent,Events,Visitors,Share')
    expect(lines.some(line => line.startsWith('pageview,'))).toBe(true)
    expect(lines.some(line => line.startsWith(`"'=HYPERLINK(""https`))).toBe(true)
    expect(lines.some(line => /^"?=/.test(line))).toBe(false)
  })

  it('opens a long list of which only what is in view is drawn, and finds by a part of a name', async () => {
    const page = await open('/overview?site=many&details=page')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('300 rows').waitFor()
    await expect.poll(() => dialog.locator('tbody tr[data-row]').count()).toBeGreaterThan(10)
    expect(await dialog.locator('tbody tr').count()).toBeLessThan(80)
    await dialog.locator('.details-rows').evaluate(box => box.scrollTo(0, box.scrollHeight))
    await dialog.locator('tbody tr[aria-rowindex="301"] .value').waitFor()
    expect(await dialog.locator('tbody tr').count()).toBeLessThan(80)
    await dialog.getByRole('searchbox').fill('PAGE/29')
    await dialog.getByText('11 rows').waitFor()
    await dialog.getByRole('link', { name: '/page/299' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(page.url()).toContain('f=is:page:/page/299')
    await total(page, 'visitors').filter({ hasText: /^1$/ }).waitFor()
  })

  it('says that nothing is in a range and offers a wider one', async () => {
    const page = await open('/overview?site=shop&range=yesterday')
    await page.getByRole('heading', { name: 'No events in this range' }).waitFor()
    await page.getByRole('button', { name: 'Show: All time' }).click()
    await row(page, 'pages', '/shoes').waitFor()
    expect(page.url()).toContain('range=all')
  })

  it('says what to paste before the first event, and begins by itself with it', async () => {
    const page = await open('/overview?site=fresh')
    await page.getByText(`<script defer src="${collector.url}/t/fresh.js"></script>`).first().waitFor()
    await collector.deliver(visit('/first', { site: 'fresh' }))
    await row(page, 'pages', '/first').waitFor({ timeout: 15_000 })
  })

  it('says what went wrong and tries again', async () => {
    const page = await open('/overview?site=shop&range=30d')
    await page.getByRole('heading', { name: 'No events in this range' }).waitFor()
    let isAway = true
    await page.route('**/api/v2/query', route =>
      isAway
        ? route.fulfill({
            status: 503,
            contentType: 'application/problem+json',
            body: JSON.stringify({ code: 'unavailable', status: 503, title: 'The database is away.' }),
          })
        : route.continue(),
    )
    await page.keyboard.press('d')
    await page.getByText('The database is away.').first().waitFor()
    isAway = false
    await page.getByRole('button', { name: 'Try again' }).first().click()
    await row(page, 'pages', '/shoes').waitFor()
    await expect.poll(() => page.getByText('The database is away.').count()).toBe(0)
  })

  it('says that it is still counting, and can be stopped', async () => {
    const page = await open('/overview?site=shop')
    await row(page, 'pages', '/shoes').waitFor()
    let isSlow = true
    await page.route('**/api/v2/query', route => (isSlow ? undefined : route.continue()))
    await row(page, 'pages', '/shoes').getByRole('link').click()
    await page.getByText(/^Still counting/).waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Stopped before it was counted.').first().waitFor()
    expect(await page.getByText(/^Still counting/).count()).toBe(0)
    isSlow = false
    await page.getByRole('button', { name: 'Try again' }).first().click()
    await total(page, 'visitors').filter({ hasText: /^6$/ }).waitFor()
  })

  it('shows an estimate, marked, until it is counted; then nothing has moved', async () => {
    const [large, another] = [await startLarge(), await startLarge()]
    const page = await open('/overview?site=shop')
    await row(page, 'pages', '/shoes').waitFor()
    await page.route('**/api/v2/query', route => route.continue({ url: large.url }))
    await row(page, 'pages', '/shoes').getByRole('link').click()
    await total(page, 'visitors')
      .filter({ hasText: /^≈ 12$/ })
      .waitFor()
    await row(page, 'pages', '/shoes').filter({ hasText: '12' }).waitFor()
    await page.getByText(/^Still counting/).waitFor()
    const said = 'Estimated: ±3.0%, 95 of 100 times. It is still being counted.'
    for (const part of ['.course-head', '.list-pages', '.list-sources', '.list-events'])
      await page.locator(part).getByRole('img', { name: said }).waitFor()
    expect(await total(page, 'visits').getAttribute('title')).toBe('Estimated: ±3.0%, 95 of 100 times')
    // Files are of what is counted.
    expect(await page.getByRole('button', { name: 'CSV: Visitors' }).isDisabled()).toBe(true)
    expect(await page.getByRole('button', { name: 'PNG: Page' }).isDisabled()).toBe(true)
    const axed = await page.evaluate(await readFile(axe, 'utf8')).then(() => page.evaluate('axe.run()'))
    expect((axed as { violations: { id: string }[] }).violations.map(({ id }) => id)).toEqual([])
    const places = () =>
      page.evaluate(() =>
        [...document.querySelectorAll('.panel, :is(.head, .list-pages, .list-sources) :not(.approx, .estimated)')]
          .map(element => element.getBoundingClientRect())
          .map(({ x, y, height }) => [x, y, height].map(Math.round)),
      )
    const before = await places()
    large.counts()
    await total(page, 'visitors').filter({ hasText: /^6$/ }).waitFor()
    await row(page, 'events', 'pageview').waitFor()
    await expect.poll(() => page.getByText(/^Still counting/).count()).toBe(0)
    expect(await page.getByRole('img', { name: 'Estimated' }).count()).toBe(0)
    expect(await places()).toEqual(before)

    await page.unroute('**/api/v2/query')
    await page.route('**/api/v2/query', route => route.continue({ url: another.url }))
    // Stopped, it stays as it is, and can be gone on with.
    await page.goBack()
    await total(page, 'visitors').filter({ hasText: /^≈/ }).waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    const pill = page.locator('.counting')
    await pill.getByText('Stopped before it was counted.').waitFor()
    expect(await total(page, 'visitors').textContent()).toMatch(/^≈ \d+$/)
    await page.getByRole('img', { name: 'Stopped before it was counted.' }).first().waitFor()
    await page.unroute('**/api/v2/query')
    await pill.getByRole('button', { name: 'Try again' }).click()
    await total(page, 'visitors').filter({ hasText: /^\d+$/ }).waitFor()
    await expect.poll(() => page.locator('.counting:empty').count()).toBe(1)
    for (const { close } of [large, another]) await close()
  })

  it('is worked by keyboard: ranges, tabs, the chart', async () => {
    const page = await open('/overview?site=shop')
    await row(page, 'pages', '/shoes').waitFor()
    await page.keyboard.press('w')
    await page.waitForURL(/range=7d/)
    await page.keyboard.press('d')
    await page.waitForURL(/range=today/)
    await page.getByRole('tab', { name: 'Pages' }).focus()
    await page.keyboard.press('ArrowRight')
    await page.locator('.list-pages thead').getByText('Entry page').waitFor()
    expect(await page.getByRole('tab', { name: 'Entry' }).getAttribute('aria-selected')).toBe('true')
    const chart = page.getByRole('slider')
    await chart.focus()
    await page.keyboard.press('Home')
    await expect.poll(() => chart.getAttribute('aria-valuetext')).toMatch(/12:00\sAM: \d+/)
    await page.locator('.readout-box').waitFor()
    await page.getByRole('button', { name: 'As a table' }).click()
    await page.getByRole('region', { name: 'Visitors over time' }).locator('tbody tr').nth(23).waitFor()
    await page.keyboard.press('/')
    await page.getByRole('dialog', { name: 'Filter' }).getByLabel('Value').fill('/hats')
    await page.keyboard.press('Enter')
    await page.waitForURL(/f=is:page:\/hats/)
  })

  it('has met no error, no dialog, and nothing that its policy forbids', () => {
    expect(problems).toEqual([])
  })
})
