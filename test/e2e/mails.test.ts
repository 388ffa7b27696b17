/** What a marketer sees of a mailing that is going out: in a real browser, of a real collector. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Mailing, Report } from '../../collector/email/index.ts'
import { makeMailing, mint, post, visit } from '../email/sending.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { CHROME, OWNER_KEY, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { newMember, outcome } from '../fixtures/people.ts'

const AGENT = {
  human: CHROME,
  'privacy-proxy': 'Mozilla/5.0',
  'image-proxy': 'Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)',
  scanner: 'Barracuda Sentinel (EE)',
} as const
const EVIL = '"><img src=x onerror=alert(1)>\u202egnp.exe'
const LINKS = [
  'https://shop.example/sale',
  `https://shop.example/?q="><script>alert(1)</script>${'x'.repeat(1_500)}`,
  'https://other.example/',
]

const browser = await browserOrSkip()
let offset = 0
let collector: TestCollector
let context: BrowserContext
let wrong: string[] = []

beforeAll(async () => {
  // Mails are opened a minute after they were minted.
  collector = await startCollector({
    sites: [{ key: 'shop' }, { key: 'blog', domain: 'blog.example' }],
    clock: () => Date.now() + offset,
  })
  if (browser) context = await browser.newContext({ locale: 'en-US', viewport: { width: 390, height: 844 } })
  await context?.request.post(`${collector.url}/login`, { form: { key: OWNER_KEY }, maxRedirects: 0 })
})
afterAll(async () => {
  await browser?.close()
  await collector.close()
})
afterEach(async () => {
  for (const page of context?.pages() ?? []) await page.close()
  expect(wrong).toEqual([])
  wrong = []
})

/** A page that notes what must not happen in it. */
async function newPage(of: BrowserContext): Promise<Page> {
  const page = await of.newPage()
  page.setDefaultTimeout(20_000)
  page.on('pageerror', error => wrong.push(error.message))
  page.on('request', request => request.url().startsWith(collector.url) || wrong.push(request.url()))
  page.on('dialog', dialog => {
    wrong.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return page
}
async function open(path: string, of = context): Promise<Page> {
  const page = await newPage(of)
  await page.goto(collector.url + path)
  return page
}
const reportOf = async ({ id }: Mailing): Promise<Report> =>
  (await (await collector.ask(`/api/v2/mailings/${id}/report?site=shop`)).json()) as Report

/** The numbers of a table's rows. */
const rows = (page: Page, title: string): Promise<number[][]> =>
  page
    .getByRole('region', { name: title, exact: true })
    .locator('tbody tr')
    .evaluateAll(all => all.map(row => [...row.querySelectorAll('td')].map(({ textContent }) => Number(textContent))))
const figure = (page: Page, name: string): Promise<string | null> =>
  page
    .locator('.figure')
    .filter({ has: page.locator('dt', { hasText: new RegExp(`^${name}`) }) })
    .locator('dd')
    .textContent()

const ORDER = ['human', 'image-proxy', 'privacy-proxy', 'prefetch', 'scanner'] as const

/** What the page shows is what the API's report says. */
async function expectShown(page: Page, mailing: Mailing): Promise<void> {
  const { opens, clicks, readers, links } = await reportOf(mailing)
  await expect
    .poll(() => rows(page, 'Opens'), { timeout: 15_000 })
    .toEqual(ORDER.map(kind => [opens[kind].people, opens[kind].events]))
  await expect
    .poll(() => rows(page, 'Clicks'), { timeout: 15_000 })
    .toEqual((['human', 'prefetch', 'scanner'] as const).map(kind => [clicks[kind].people, clicks[kind].events]))
  expect((await rows(page, 'By link')).map(([people]) => people)).toEqual(links.map(({ people }) => people))
  const { least, most } = readers
  expect(await figure(page, 'Have read it')).toBe(least === most ? `${least}` : `${least}–${most}`)
}

describe.skipIf(!browser)('mails', { timeout: 120_000 }, () => {
  let mailing: Mailing

  it('says what to do where there is none, and lists the first one by itself, whatever it is called', async () => {
    const page = await open('/mails?site=shop')
    await page.getByRole('heading', { name: 'No mailing yet' }).waitFor()
    await page.getByText("npx livetag email new shop 'March news'").waitFor()
    mailing = await makeMailing(collector, { name: EVIL, links: LINKS })
    await page.getByRole('link', { name: EVIL }).click()
    await page.getByRole('heading', { name: EVIL }).waitFor()
    expect(new URL(page.url()).search).toBe(`?site=shop&mailing=${mailing.id}`)
    expect(await page.locator('#app img, #app script').count()).toBe(0)
    await page.goBack()
    await page.getByRole('heading', { name: 'Mailings, newest first' }).waitFor()
  })

  it('shows a mailing while it goes out: opens by class, clicks and CTR, without being loaded anew', async () => {
    const page = await open(`/mails?site=shop&mailing=${mailing.id}`)
    await page.getByRole('heading', { name: EVIL }).waitFor()
    expect(await figure(page, 'Have read it')).toBe('0')
    await page.evaluate(() => Object.assign(window, { same: true }))

    const names = ['anna', 'ben', 'carl', 'dora', 'emil', 'fay', 'gus', 'hal']
    const minted = await mint(collector, mailing, names)
    await collector.ask(`/api/v2/mailings/${mailing.id}?site=shop`, {
      method: 'PATCH',
      body: JSON.stringify({ sent: 8, delivered: 4, unsubscribed: 1 }),
    })
    offset += 60_000
    const classes = ['human', 'image-proxy', 'privacy-proxy', 'scanner'] as const
    for (const [i, kind] of classes.entries())
      for (const { pixel } of minted.slice(0, i + 1)) await visit(collector, pixel, { agent: AGENT[kind] })
    await visit(collector, minted[0]?.pixel ?? '', { agent: AGENT.human })
    await visit(collector, minted[5]?.links[0] ?? '', { agent: AGENT.human })
    await visit(collector, minted[6]?.links[1] ?? '', { agent: AGENT.scanner })

    await expect.poll(async () => (await rows(page, 'Opens'))[4], { timeout: 15_000 }).toEqual([4, 4])
    await expect.poll(async () => (await rows(page, 'Clicks'))[2], { timeout: 15_000 }).toEqual([1, 1])
    expect(await rows(page, 'Opens')).toEqual([
      [1, 2],
      [2, 2],
      [3, 3],
      [0, 0],
      [4, 4],
    ])
    expect(await rows(page, 'By link')).toEqual([
      [1, 1, 0],
      [0, 0, 1],
      [0, 0, 0],
    ])
    await expectShown(page, mailing)
    // anna and ben opened it, fay followed a link; of carl nobody can tell.
    expect(await figure(page, 'Have read it')).toBe('3–4')
    expect(await figure(page, 'CTR')).toBe('25%')
    expect(await figure(page, 'Click to open')).toBe('25%–33.3%')
    expect(await figure(page, 'Unsubscribed')).toBe('1')
    await page.getByText('at least 3: 2 loaded the image').waitFor()

    await visit(collector, minted[7]?.links[2] ?? '', { agent: AGENT.human })
    await expect.poll(() => figure(page, 'Followed a link'), { timeout: 15_000 }).toBe('2')
    await expectShown(page, mailing)
    expect(await page.evaluate(() => 'same' in window)).toBe(true)

    // Nothing of it is more than text, and no link of it can be followed by mistake.
    const state = await page.evaluate(() => ({
      foreign: document.querySelectorAll('#app img, #app script, #app a[href^="http"]').length,
      tooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    }))
    expect(state).toEqual({ foreign: 0, tooWide: 0 })
  })

  it('keeps its figures while the collector does not answer, says since when, and goes on by itself', async () => {
    const page = await open(`/mails?site=shop&mailing=${mailing.id}`)
    await expectShown(page, mailing)
    const report = '**/report?site=shop'
    await page.route(report, route => route.abort())
    await page.getByText(/No newer figures since/).waitFor()
    await expectShown(page, mailing)
    await page.unroute(report)
    await page.getByText(/No newer figures since/).waitFor({ state: 'detached' })
  })

  it('does not ask while nobody looks, and does as soon as somebody does', async () => {
    const page = await newPage(context)
    let asked = 0
    page.on('request', request => {
      if (request.url().includes('/report?')) asked++
    })
    await page.clock.install()
    await page.goto(`${collector.url}/mails?site=shop&mailing=${mailing.id}`)
    await expect.poll(() => asked, { timeout: 15_000 }).toBeGreaterThan(2)
    const show = (hidden: boolean) =>
      page.evaluate(hidden => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }, hidden)
    await show(true)
    const before = asked
    await page.clock.runFor(600_000)
    expect(asked).toBe(before)
    await show(false)
    await expect.poll(() => asked, { timeout: 15_000 }).toBeGreaterThan(before + 1)
  })

  it('says of one that is not there what it may be, and asks no more', async () => {
    const page = await newPage(context)
    let asked = 0
    page.on('request', request => {
      if (request.url().includes('/report?')) asked++
    })
    await page.clock.install()
    // A mailing of another site is none here.
    await page.goto(`${collector.url}/mails?site=blog&mailing=${mailing.id}`)
    await page.getByRole('heading', { name: 'There is no such mailing here' }).waitFor()
    await page.clock.runFor(600_000)
    expect(asked).toBe(1)
    await page.goto(`${collector.url}/mails?site=blog&mailing=..%2F..%2Fkeys`)
    await page.getByRole('heading', { name: 'There is no such mailing here' }).waitFor()
    expect(asked).toBe(1)
    await page.getByRole('link', { name: 'All mailings' }).click()
    await page.getByRole('heading', { name: 'No mailing yet' }).waitFor()
  })

  it('is for viewers and shared links, too, and neither changes anything', async () => {
    const viewer = await newMember(collector, 'shop', 'viewer')
    const [name = '', value = ''] = viewer.cookie.split('=')
    const theirs = await browser?.newContext({ locale: 'en-US' })
    if (!theirs) return
    await theirs.addCookies([{ name, value, url: collector.url }])
    const made = await collector.ask('/api/v2/shares?site=shop', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'For the agency' }),
    })
    const { url } = (await made.json()) as { url: string }
    const share = new URL(url).pathname
    for (const path of ['/mails?site=shop', `${share}/mails`]) {
      const page = await newPage(theirs)
      page.on('request', request => request.method() === 'GET' || wrong.push(`${request.method()} ${request.url()}`))
      await page.goto(collector.url + path)
      await page.getByRole('link', { name: EVIL }).click()
      await expectShown(page, mailing)
      expect(await page.locator('main').locator('button, input, select, textarea').count()).toBe(0)
      await page.close()
    }
    await theirs.close()

    const pass = `&share=${share.split('/').at(-1)}`
    const refused = [403, 'not-allowed']
    const at = `/api/v2/mailings/${mailing.id}`
    expect(await outcome(await viewer.send('PATCH', `${at}?site=shop`, { sent: 1 }))).toEqual(refused)
    expect(await outcome(await viewer.send('POST', `${at}/mint?site=shop`, { recipient: 'x' }))).toEqual(refused)
    const anonymous = (path: string, method: string) =>
      fetch(`${collector.url}${path}?site=shop${pass}`, {
        method,
        body: JSON.stringify({ recipient: 'anna', sent: 1 }),
      })
    expect(await outcome(await anonymous(at, 'PATCH'))).toEqual(refused)
    expect(await outcome(await anonymous('/api/v2/mailings/withdraw', 'POST'))).toEqual(refused)
    // What is about one recipient is nobody's who has no more than a link.
    expect(await outcome(await anonymous('/api/v2/mailings/last-opens', 'POST'))).toEqual(refused)
    expect((await post(collector, '/last-opens?site=shop', { recipient: 'anna' })).status).toBe(200)
    expect(await reportOf(mailing)).toMatchObject({ sent: 8, delivered: 4 })
  })
})
