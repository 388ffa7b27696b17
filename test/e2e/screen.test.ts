import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { addSite, readGoal } from '../../collector/sites/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { verify } from '../../collector/verify/index.ts'
import { collectorProcess } from '../crash/collectors.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { CHROME, envelope, OWNER_KEY } from '../fixtures/collector.ts'
import { freshDatabase } from '../fixtures/database.ts'

const browser = await browserOrSkip()
const ends: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const end of ends.reverse()) await end()
})

const FIGURES = ['visitors', 'visits', 'views', 'events', 'conversions'] as const
type Figures = Record<(typeof FIGURES)[number], number>

/** What the overview shows. */
async function totalsOf(page: Page): Promise<Figures> {
  const of = async (metric: string) =>
    Number((await page.locator(`[data-metric=${metric}] .total-value`).textContent())?.replace(/[^\d-]/g, '') || NaN)
  const [visitors = NaN, visits = NaN, views = NaN, events = NaN, conversions = NaN] = await Promise.all(
    ['visitors', 'visits', 'pageviews', 'events', 'conversions'].map(of),
  )
  return { visitors, visits, views, events, conversions }
}

describe.skipIf(!browser)('numbers on screen', () => {
  it('of today are never negative and never jump back while a collector is killed under load, and are right after it', async () => {
    if (!browser) return
    ends.push(() => browser.close())
    const { client: mongo, db, uri, name, drop } = await freshDatabase()
    const home = await mkdtemp(join(tmpdir(), 'livetag-screen-'))
    ends.push(drop, () => rm(home, { recursive: true, force: true }))
    await ensureCollections(db)
    const goals = [readGoal({ name: 'Order', event: 'purchase' }, new Date(0))]
    await addSite(db, { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC', goals })
    const port = randomInt(20_000, 60_000)
    const collector = collectorProcess({
      name: 'screen',
      folder: home,
      built: pathToFileURL('dist/collector/index.js').href,
      without: undefined,
      closing: undefined,
      options: { mongodbUri: uri, database: name, host: '127.0.0.1', port, ownerKey: OWNER_KEY, home },
    })
    ends.push(() => collector.end('SIGKILL'))
    await collector.start()

    const key = { authorization: `Bearer ${OWNER_KEY}` }
    let isSending = true
    let sent = 0
    const client = async (who: string): Promise<void> => {
      for (let visit = 0; isSending; visit++) {
        const body = JSON.stringify(
          envelope([{}, { n: 'click' }, { n: 'purchase' }, {}], { i: `${who}-${visit % 5}`, k: `${who}-${visit}` }),
        )
        const post = () =>
          fetch(`${collector.url}/e`, {
            method: 'POST',
            body,
            headers: { 'content-type': 'text/plain', 'user-agent': CHROME },
          })
            .then(({ status }) => status === 204)
            .catch(() => false)
        // As the tag does: until it is taken.
        while (!(await post())) await new Promise(resolve => setTimeout(resolve, 50))
        sent++
      }
    }
    const clients = ['a', 'b', 'c'].map(client)
    await vi.waitFor(() => expect(sent).toBeGreaterThan(3), 20_000)

    const context = await browser.newContext()
    await context.request.post(`${collector.url}/login`, { form: { key: OWNER_KEY }, maxRedirects: 0 })
    const page = await context.newPage()
    await page.goto(`${collector.url}/live?site=shop`)
    await page.locator('.figures-today dd').first().waitFor()
    const overview = await context.newPage()
    // The goals' names are asked for while the collector is away: it is asked again.
    await overview.route('**/api/v2/goals*', route => route.abort('connectionrefused'), { times: 1 })
    await overview.goto(`${collector.url}/overview?site=shop&range=today`)
    // Every number that ever stands there, noted as it changes.
    await page.evaluate(() => {
      const seen: string[][] = []
      const note = () =>
        void seen.push([...document.querySelectorAll('.figures-today dd')].map(({ textContent }) => textContent ?? ''))
      new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true })
      Object.assign(window, { seen })
    })
    const seen = async (): Promise<Figures[]> => {
      const rows = await page.evaluate(() => (window as unknown as { seen: string[][] }).seen)
      return rows
        .filter(row => row.length === FIGURES.length)
        .map(
          row =>
            Object.fromEntries(FIGURES.map((figure, i) => [figure, Number(row[i]?.replace(/[^\d-]/g, ''))])) as Figures,
        )
    }
    for (let kill = 0; kill < 3; kill++) {
      const before = (await seen()).length
      await vi.waitFor(async () => expect((await seen()).length).toBeGreaterThan(before + 10), {
        timeout: 30_000,
        interval: 100,
      })
      await collector.end('SIGKILL')
      await collector.start()
    }
    isSending = false
    await Promise.all(clients)

    const expected = async (): Promise<Figures> => {
      const metrics = ['visitors', 'visits', 'pageviews', 'events']
      const body = JSON.stringify({ site_id: 'shop', metrics, date_range: 'day' })
      const answer = await fetch(`${collector.url}/api/v2/query`, { method: 'POST', body, headers: key })
      const { results } = (await answer.json()) as { results: { metrics: number[] }[] }
      const [visitors = 0, visits = 0, views = 0, events = 0] = results[0]?.metrics ?? []
      return { visitors, visits, views, events, conversions: events / 4 }
    }
    await vi.waitFor(
      async () => {
        const right = await expected()
        expect(right.events).toBeGreaterThanOrEqual(sent * 4)
        expect((await seen()).at(-1)).toEqual(right)
        expect(await totalsOf(overview)).toEqual(right)
      },
      { timeout: 60_000, interval: 500 },
    )
    // What both show is what the raw record has.
    const report = await verify({ client: mongo, db, site: 'shop', began: Date.now() })
    expect(report).toMatchObject({ ok: true, found: [] })
    expect(report.checked.events).toBe((await expected()).events)
    const all = await seen()
    expect(all.length).toBeGreaterThan(40)
    for (const figure of FIGURES) {
      const numbers = all.map(one => one[figure])
      expect([figure, numbers.filter((n, i) => n < (numbers[i - 1] ?? 0))]).toEqual([figure, []])
    }
    await context.close()
  }, 240_000)
})
