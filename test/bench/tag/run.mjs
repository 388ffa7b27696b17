/**
 * `npm run bench:tag`: what the tag costs a page, beside Umami's and Plausible's in the same run on the same machine.
 * Prints a table; `--json` also writes `results.json` beside this file. Build first (`npm run build`).
 *
 * Start: from the script's evaluation until its page view is sent and answered. Event: one of 200 calls, with their sending.
 * What comes later than that is in no figure: `standard` looks once a second which elements and how much of the page are in
 * view, which the peers do not do. Each page load is a fresh one, and what a page without a tag costs, in the median, is taken
 * off. The peers keep nothing on the device, so livetag's figures stand beside theirs in the mode that does the same.
 *
 * Tags take turns. How busy the machine is changes within a run, so livetag is put beside a peer round by round: what is
 * printed is the median of these ratios, and between what half of them are.
 */
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { brotliCompressSync } from 'node:zlib'
import { measurePage, openBrowser } from './browser.mjs'
import { startServer } from './server.mjs'
import { loadTags } from './tags.mjs'

const ROUNDS = 40
/** An event costs the same each time, more or less: every so many rounds are enough for it. */
const EVENTS_EVERY = 8
const OURS = ['livetag core', 'livetag standard']

const tags = await loadTags()
const names = Object.keys(tags)
const measured = Object.fromEntries(names.map(name => [name, { start: [], event: [] }]))
const server = await startServer(tags)
const browser = await openBrowser()
try {
  // The first round fills the browser's own caches and does not count.
  for (let round = 0; round <= ROUNDS; round++) {
    process.stderr.write(`round ${round} of ${ROUNDS}\n`)
    // Each round begins with another one, and every other goes backwards: nobody always follows the same one.
    const turned = names.map((_, i) => names[(i + round) % names.length])
    for (const name of round % 2 ? turned.toReversed() : turned) {
      const { start, event } = await measurePage(browser, server, name, tags[name], round % EVENTS_EVERY === 1)
      if (round === 0) continue
      measured[name].start.push(start)
      if (event !== undefined) measured[name].event.push(event)
    }
  }
} finally {
  await browser.close()
  server.close()
}

const quantile = (list, share) => list.toSorted((a, b) => a - b)[Math.round((list.length - 1) * share)]
/** What a tag costs beyond a page without one, by round. */
const costs = (name, key) => measured[name][key].map(ms => ms - quantile(measured.none[key], 0.5))
const figures = Object.fromEntries(
  names
    .filter(name => name !== 'none')
    .map(name => [
      name,
      {
        version: tags[name].version,
        brotli: brotliCompressSync(tags[name].code).length,
        startMs: quantile(costs(name, 'start'), 0.5),
        eventMs: quantile(costs(name, 'event'), 0.5),
      },
    ]),
)
console.table(
  Object.fromEntries(
    Object.entries(figures).map(([name, figure]) => [
      figure.version ? `${name}, ${figure.version}` : name,
      {
        'brotli B': figure.brotli,
        'start ms': figure.startMs.toFixed(2),
        'per event ms': figure.eventMs.toFixed(3),
      },
    ]),
  ),
)
for (const [key, what] of Object.entries({ start: 'start', event: 'per event' })) {
  for (const ours of OURS)
    for (const peer of ['Umami', 'Plausible']) {
      if (!figures[peer]) {
        console.log(`${what}: ${ours}, beside ${peer}: skipped`)
        continue
      }
      const theirs = costs(peer, key)
      const ratios = costs(ours, key).map((ms, round) => ms / theirs[round])
      const [low, middle, high] = [0.25, 0.5, 0.75].map(share => quantile(ratios, share).toFixed(2))
      console.log(`${what}: ${ours}, beside ${peer}: ${middle} × (${low}–${high})`)
    }
}
if (process.argv.includes('--json')) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, memory: totalmem(), chromium: browser.version }
  const results = { machine, rounds: ROUNDS, figures, measured }
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
}
