/**
 * `npm run bench -- paint`: how soon the overview of 30 days is on a screen, in a real browser, over a history of 50,000
 * events; `--homes <folder> --events 5000000` takes one that `npm run bench -- reports` has kept there.
 *
 * Each load has an empty cache. First paint is the browser's own, from the start of the navigation; numbers are there when
 * each total and each list has one. In an open dashboard of a week 30 days are chosen by their key, and then a filter by a click on
 * the first row of a list: nobody has asked for it before the first round, which is not among those that are told of.
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
      const first = await load(browser, server)
      for (let round = 0; round < ROUNDS; round++) loads.push(await load(browser, server))
      print(events, first, loads)
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
    await page.goto(`${url}/overview?site=${SITE}&range=7d`)
    await page.evaluate('shown()')
    const chosen = await page.evaluate('choose()')
    const filtered = await page.evaluate('filter()')
    return { paint, numbers, chosen, filtered }
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
  const visitors = () => document.querySelector('[data-metric=visitors] .total-value')?.textContent
  const changed = async act => {
    const before = visitors()
    const begun = performance.now()
    act()
    return (await until(() => visitors() !== before && isShown())) - begun
  }
  const choose = () =>
    changed(() => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'r', bubbles: true })))
  const filter = () => changed(() => document.querySelector('.panel .value').click())
  Object.assign(window, { shown, choose, filter })
}

function print(events, first, loads) {
  const of = name => {
    const sorted = loads.map(one => one[name]).toSorted((a, b) => a - b)
    const at = share => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))])
    return { first: Math.round(first[name]), p50: at(0.5), p95: at(0.95) }
  }
  console.log(
    `The overview of 30 days of ${events.toLocaleString('en')} events, ${loads.length} loads with an empty cache, ms`,
  )
  console.table({
    'first paint': of('paint'),
    'numbers, from the start of the load': of('numbers'),
    'numbers, after 30 days were chosen': of('chosen'),
    'numbers, after a filter': of('filtered'),
  })
}
