/**
 * `npm run bench:tag`: what the tag costs a page, beside Umami's and Plausible's in the same run on the same machine.
 * Prints a table; `--json` also writes `results.json` beside this file. Build first (`npm run build`).
 *
 * Start: from the script's evaluation until its page view is sent. Event: one of 200 calls, with their sending. Tags take
 * turns, each page load is a fresh one, and the median is printed, less that of a page without a tag. The peers keep nothing
 * on the device, so livetag's figures stand beside theirs in the mode that does the same.
 */
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { brotliCompressSync } from 'node:zlib'
import { measurePage, openBrowser } from './browser.mjs'
import { startServer } from './server.mjs'
import { loadTags } from './tags.mjs'

const ROUNDS = 15
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
    // Every other round backwards: nobody always follows the same one.
    for (const name of round % 2 ? names.toReversed() : names) {
      const { start, event } = await measurePage(browser, server, name, tags[name])
      if (round === 0) continue
      measured[name].start.push(start)
      measured[name].event.push(event)
    }
  }
} finally {
  await browser.close()
  server.close()
}

const median = list => list.toSorted((a, b) => a - b)[list.length >> 1]
const figures = Object.fromEntries(
  names
    .filter(name => name !== 'none')
    .map(name => [
      name,
      {
        version: tags[name].version,
        brotli: brotliCompressSync(tags[name].code).length,
        startMs: median(measured[name].start) - median(measured.none.start),
        eventMs: median(measured[name].event) - median(measured.none.event),
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
for (const [what, key] of [
  ['start', 'startMs'],
  ['per event', 'eventMs'],
]) {
  for (const ours of OURS)
    for (const peer of ['Umami', 'Plausible']) {
      const times = figures[peer] ? `${(figures[ours][key] / figures[peer][key]).toFixed(2)} ×` : 'skipped'
      console.log(`${what}: ${ours}, beside ${peer}: ${times}`)
    }
}
if (process.argv.includes('--json')) {
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, memory: totalmem(), chromium: browser.version }
  const results = { machine, rounds: ROUNDS, figures, measured }
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
}
