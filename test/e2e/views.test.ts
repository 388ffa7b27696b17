/**
 * What has to hold in every view: nobody is shut out (axe-core, WCAG 2.2 AA), nothing of what was sent to the collector
 * runs or breaks the page, nothing asks another host. Screenshots of all go to `.screenshots/`.
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeMailing, mint, visit } from '../email/sending.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { shown, views } from './dashboard-views.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const FOLDER = new URL('../../.screenshots/', import.meta.url).pathname
const WIDTHS = [390, 1280, 2560]

const browser = await browserOrSkip()
let collector: TestCollector
let share = ''
let mailing = ''

/** What somebody might send who wants to be more than counted. */
const EVIL = [
  '<img src=x onerror="window.pwned=1">',
  '"><script>window.pwned=1</script>',
  '</script><svg onload=window.pwned=1>',
  '{{constructor.constructor("window.pwned=1")()}}',
  '\u202e\u2066gnp.exe\u2069',
  'مرحبا بالعالم',
  '👩‍👩‍👧‍👦🏳️‍🌈 e\u0301\u0302\u0303',
  `long-${'x'.repeat(10_000)}`,
  'a\u0000b\u2028c',
  'javascript:window.pwned=1',
]

beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true })
  collector = await startCollector({
    sites: [
      { key: 'shop', domain: 'shop.example', consent: 'none' },
      { key: 'new', domain: 'new.example', consent: 'required' },
    ],
  })
  for (const [n, text] of EVIL.entries()) {
    const view = { u: `https://shop.example/${encodeURIComponent(text).slice(0, 1_500)}?utm_campaign=${n}`, ti: text }
    await collector.deliver(
      envelope(
        [
          { n: 'pageview' },
          { n: text.slice(0, 100), d: { text, [text.slice(0, 60)]: n } },
          { n: 'impression', d: { impression: text, campaign: text } },
        ],
        { p: { ...view, r: `https://${n}.example/${encodeURIComponent(text).slice(0, 500)}` } },
      ),
    )
  }
  const made = await makeMailing(collector, {
    name: EVIL[0],
    links: EVIL.map(text => `https://shop.example/${text.slice(0, 1_000)}`),
  })
  mailing = made.id
  for (const { pixel, links } of await mint(collector, made, ['anna', 'ben'])) {
    await visit(collector, pixel, { agent: 'Mozilla/5.0' })
    await visit(collector, links[0] ?? '')
  }
  await collector.folded()
  const goal = { name: EVIL[0], event: 'pageview' }
  await collector.ask('/api/v2/goals?site=shop', { method: 'POST', body: JSON.stringify(goal) })
  const shared = await collector.ask('/api/v2/shares?site=shop', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: EVIL[1], password: 'correct horse battery' }),
  })
  const { url } = (await shared.json()) as { url: string }
  share = new URL(url).pathname.split('/').at(-1) ?? ''
})
afterAll(async () => {
  await browser?.close()
  await collector.close()
})

/** A browser that is signed in; `wrong` gets what it complains of, and what is asked of other hosts. */
async function signedIn(colorScheme: 'light' | 'dark', wrong: string[]): Promise<[BrowserContext, Page]> {
  // Motion would be in the screenshots, and in axe's look at colors.
  const context = await browser?.newContext({ colorScheme, reducedMotion: 'reduce', bypassCSP: false })
  if (!context) throw new Error('no browser')
  const page = await context.newPage()
  page.on('pageerror', error => wrong.push(`${page.url()}: ${error.message}`))
  // That a shared link wants its password first is an answer, which the browser counts as an error.
  page.on('console', message => {
    if (message.type() === 'error' && !message.location().url.includes('/me?share=')) wrong.push(message.text())
  })
  page.on('request', request => request.url().startsWith(collector.url) || wrong.push(request.url()))
  page.on('dialog', dialog => {
    wrong.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(`${collector.url}/login?token=${await collector.collector.access.newLink()}`)
  return [context, page]
}

const OPTIONS: RunOptions = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }

async function violations(page: Page): Promise<string[]> {
  // By the debugger's way in, which the page's policy for scripts does not stand in.
  await page.evaluate(axe)
  const { violations } = (await page.evaluate(
    options => (window as unknown as { axe: { run(options: unknown): Promise<unknown> } }).axe.run(options),
    OPTIONS as object,
  )) as AxeResults
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} (${failureSummary?.split('\n')[1]?.trim()})`),
  )
}

describe.skipIf(!browser).each(['light', 'dark'] as const)('every view, %s', theme => {
  it('shuts nobody out, runs nothing of what was sent, fits the screen', { timeout: 400_000 }, async () => {
    const wrong: string[] = []
    const [context, page] = await signedIn(theme, wrong)
    for (const view of views(share, mailing)) {
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: width === 390 ? 844 : Math.round((width * 10) / 16) })
        if (width === WIDTHS[0]) await page.goto(`${collector.url}/${view.path}`)
        await shown(page).catch(error => {
          throw new Error(`${view.name} at ${width}: ${error.message}\n${wrong.join('\n')}`)
        })
        if (width === WIDTHS[0]) await view.open?.(page)
        const where = `${view.name} at ${width}`
        const state = await page.evaluate(() => ({
          pwned: 'pwned' in window || document.querySelector('#app img, #app script, #app svg[onload]') !== null,
          tooWide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        }))
        expect.soft(state, where).toEqual({ pwned: false, tooWide: 0 })
        if (width !== 2560) expect.soft(await violations(page), where).toEqual([])
        await page.screenshot({ path: `${FOLDER}${view.name}-${width}-${theme}.png` })
      }
    }
    expect(wrong).toEqual([])
    await context.close()
  })
})
