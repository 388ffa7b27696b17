/**
 * `npm run bench -- paint`: how soon the overview of 30 days is on a screen, in a real browser, over a history of 50,000
 * events; `--homes <folder> --events 5000000` takes one that `npm run bench -- reports` has kept there.
 *
 * Each load has an empty cache. First paint is the browser's own, from the start of the navigation; numbers are there when
 * each total and each list has one. A filter is chosen by a click on the first row of a list.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'
import { ensureHistory, SITE, STARTED_MS } from './reports.mjs'
import { startServer } from './servers.mjs'

const ROUNDS = 20

export async function measurePaint(argv) {
  const option = name => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined)
  const events = Number(option('--events') ?? 50_000)
  const homes = option('--homes')
  const home = homes ? join(homes, String(events)) : await mkdtemp(join(tmpdir(), 'livetag-bench-'))
  const { module } = await runnerImport(fileURLToPath(new URL('../fixtures/browser.ts', import.meta.url)))
  const browser = await module.launchBrowser()
  try {
    await ensureHistory(home, events)
    const server = await startServer('livetag', { LIVETAG_HOME: home })
    try {
      await pause(STARTED_MS)
      const loads = []
      for (let round = 0; round < ROUNDS; round++) loads.push(await load(browser, server))
      print(events, loads)
    } finally {
      await server.stop()
    }
  } finally {
    await browser.close()
    if (!homes) await rm(home, { recursive: true, force: true })
  }
}

async function load(browser, { url, key }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
  try {
    await context.request.post(`${url}/login`, { form: { key }, maxRedirects: 0 })
    const page = await context.newPage()
    await page.addInitScript(watch)
    await page.goto(`${url}/overview?site=${SITE}&range=30d`)
    const numbers = await page.evaluate('shown()')
    const paint = await page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0].startTime`)
    const filtered = await page.evaluate(`filter()`)
    return { paint, numbers, filtered }
  } finally {
    await context.close()
  }
}

/** Runs in the page. */
function watch() {
  const isShown = () => {
    const totals = [...document.querySelectorAll('.total-value')]
    const lists = [...document.querySelectorAll('.panel')]
    return (
      totals.length > 0 &&
      !document.querySelector('.ghost-box, [aria-busy=true]') &&
      lists.length > 0 &&
      totals.every(({ textContent }) => /\d/.test(textContent))
    )
  }
  const until = condition =>
    new Promise(resolve => {
      const look = () => (condition() ? requestAnimationFrame(() => resolve(performance.now())) : setTimeout(look, 4))
      look()
    })
  const shown = () => until(isShown)
  const filter = async () => {
    const before = document.querySelector('[data-metric=visitors] .total-value').textContent
    const row = document.querySelector('.panel .value')
    const begun = performance.now()
    row.click()
    const ended = await until(
      () => document.querySelector('[data-metric=visitors] .total-value')?.textContent !== before && isShown(),
    )
    return ended - begun
  }
  Object.assign(window, { shown, filter })
}

function print(events, loads) {
  const of = name => {
    const sorted = loads.map(one => one[name]).toSorted((a, b) => a - b)
    const at = share => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))])
    return { p50: at(0.5), p95: at(0.95) }
  }
  console.log(
    `The overview of 30 days of ${events.toLocaleString('en')} events, ${loads.length} loads with an empty cache, ms`,
  )
  console.table({
    'first paint': of('paint'),
    'numbers, from the start of the load': of('numbers'),
    'numbers, after a filter': of('filtered'),
  })
}
