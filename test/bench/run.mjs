/**
 * `npm run bench`: what livetag does, as ratios to references measured in the same run on the same machine.
 * Prints a table; `--json` also writes `test/bench/results.json`, `--burst` adds a million events at once. With the word
 * `reports` it measures those instead ({@link ./reports.mjs}), with `viewers` a thousand live viewers ({@link ./viewers.mjs}),
 * with `export` exports ({@link ./export.mjs}), with `paint` a dashboard in a browser ({@link ./paint.mjs}).
 *
 * Servers run in processes of their own and take turns, seven rounds of the pixels; medians are printed, of ratios those of each round.
 */
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { measureBatches } from './batches.mjs'
import { measureBurst } from './burst.mjs'
import { measureExport } from './export.mjs'
import { measureLive } from './live.mjs'
import { measurePaint } from './paint.mjs'
import { measurePixels, mintPixel } from './pixels.mjs'
import { measureReports } from './reports.mjs'
import { startServer } from './servers.mjs'
import { measureSettle, openJournal } from './settle.mjs'
import { measureViewers } from './viewers.mjs'

for (const [word, measure] of Object.entries({
  reports: measureReports,
  export: measureExport,
  paint: measurePaint,
  viewers: measureViewers,
})) {
  if (!process.argv.includes(word)) continue
  await measure(process.argv)
  process.exit()
}

const progress = text => process.stderr.write(`${text}\n`)
const results = { machine: { cpus: cpus().length, model: cpus()[0]?.model, memory: totalmem(), node: process.version } }

/** A collector with a mongod of its own: nobody works off what the measurement before left to do. */
async function withLivetag(measure) {
  const home = await mkdtemp(join(tmpdir(), 'livetag-bench-'))
  try {
    const livetag = await startServer('livetag', { LIVETAG_HOME: home })
    const journal = await openJournal(home)
    try {
      await measure(livetag, journal)
    } finally {
      await journal.close()
      await livetag.stop()
    }
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

await withLivetag(async (livetag, journal) => {
  progress('pixels: raw Node, bare Express, livetag')
  results.pixels = await measurePixels(livetag, journal.settled)
  progress('opens of mails: raw Node, bare Express, livetag')
  results.opens = await measurePixels(livetag, journal.settled, await mintPixel(livetag))
  progress('batches of 20')
  results.batches = await measureBatches(livetag)
  progress('receipt to SSE, 20 viewers')
  await journal.settled()
  results.live = await measureLive(livetag)
})
await withLivetag(async (livetag, journal) => {
  progress('settle')
  results.settle = await measureSettle(livetag, journal)
})
if (process.argv.includes('--burst')) {
  await withLivetag(async (livetag, journal) => {
    progress('a burst of 1,000,000 events')
    results.burst = await measureBurst(livetag, journal)
  })
}

const { pixels, opens, batches, live, settle, burst } = results
const number = value => Math.round(value).toLocaleString('en')
console.table({
  'pixel, raw Node http': { figure: `${number(pixels.raw)} requests/s`, ratio: '' },
  'pixel, bare Express': { figure: `${number(pixels.express)} requests/s`, ratio: '1 ×' },
  'pixel, livetag, durable': {
    figure: `${number(pixels.livetag)} requests/s`,
    ratio: `${pixels.timesExpress.toFixed(2)} × Express, ${pixels.timesRaw.toFixed(2)} × raw`,
  },
  'opens of mails, verified and durable': {
    figure: `${number(opens.livetag)} requests/s`,
    ratio: `${opens.timesExpress.toFixed(2)} × Express (${number(opens.express)}) in the same rounds`,
  },
  'batches of 20, durable': { figure: `${number(batches.eventsPerSecond)} events/s`, ratio: `p99 ${batches.p99Ms} ms` },
  'settle, pages of 500': {
    figure: `${number(settle.eventsPerSecond)} events/s`,
    ratio: `${settle.timesNaive.toFixed(1)} × the naive way (${number(settle.naivePerSecond)}), mongod ${settle.mongodShare.toFixed(2)} cores`,
  },
  'receipt → SSE, 20 viewers': {
    figure: `p50 ${live.p50Ms} ms, p99 ${live.p99Ms} ms`,
    ratio: `${number(live.messages)} messages`,
  },
  ...(burst && {
    'burst of 1,000,000 events': {
      figure: `${number(burst.acknowledgedPerSecond)} events/s, p99 ${burst.p99Ms} ms`,
      ratio: `all counted ${burst.settledAfterSeconds.toFixed(1)} s later, memory at most ${burst.peakMemoryMiB} MiB`,
    },
  }),
})
if (process.argv.includes('--json')) {
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`)
}
