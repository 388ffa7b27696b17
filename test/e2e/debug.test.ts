import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RawEvent } from '../../collector/settle/index.ts'
import { browserOrSkip } from '../fixtures/browser.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'

const browser = await browserOrSkip()
let collector: TestCollector
beforeAll(async () => {
  collector = await startCollector({ sites: [{ key: 'shop', domain: '127.0.0.1', consent: 'none' }] })
})
afterAll(async () => {
  await browser?.close()
  await collector.close()
})

/** What a page that does everything wrong makes the console say. */
async function consoleOf(query: string, name: string): Promise<string[]> {
  if (!browser) throw new Error('no browser')
  const context = await browser.newContext()
  const page = await context.newPage()
  const said: string[] = []
  page.on('console', message => said.push(message.text()))
  page.on('pageerror', error => said.push(`error ${error.message}`))
  await page.route('**/page', route =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><link rel=icon href="data:,"><script>window.livetag=function(){(livetag.q=livetag.q||[]).push([Date.now(),...arguments])}
        livetag('trak', 'early')</script><script defer src="/t/shop.js${query}"></script>`,
    }),
  )
  await page.goto(`${collector.url}/page`)
  await page.evaluate(own => {
    const call = (...args: unknown[]) =>
      (window as unknown as { livetag: (...args: unknown[]) => void }).livetag(...args)
    call('unknown')
    call('track', '')
    call('grant', ['measure', 'everything'])
    ;(window.livetag as { track(name: string): void }).track(own)
    window.livetag = (() => {}) as never
  }, name)
  const stored = () => collector.db.collection<RawEvent>('events').countDocuments({ 'meta.name': name })
  await vi.waitFor(async () => expect(await stored()).toBe(1), { timeout: 10_000 })
  await context.close()
  return said
}

describe.skipIf(!browser)('what a page does wrong', () => {
  it('is said in the console where the script is asked for with ?debug, and events arrive all the same', async () => {
    const said = await consoleOf('?debug', 'loud')
    expect(said).toEqual([
      expect.stringContaining('livetag: there is no call "trak"'),
      expect.stringContaining('livetag: there is no call "unknown"'),
      expect.stringContaining('livetag: track takes the name of an event first'),
      expect.stringContaining('everything'),
      expect.stringContaining('the page sets `livetag` after the tag has started'),
    ])
  })

  it('is not said to visitors', async () => {
    expect(await consoleOf('', 'quiet')).toEqual([])
  })
})
