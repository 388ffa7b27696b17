/**
 * `npm run bench -- export`: all events of a history as NDJSON, CSV and Parquet: rows a second, and by how much the collector's
 * memory grows over what it has when idle. `--events` says how many, `--homes <folder>` where histories of
 * `bench -- reports` are kept; without, one is written first. `--format parquet` measures that one alone.
 */
import { get } from 'node:http'
import { withHistory } from './reports.mjs'
import { idleOf, memoryOf, startServer } from './servers.mjs'

const SITE = 'bench'
const USUAL = 500_000
/** The most that memory may grow, MiB. */
const MOST = 200

const number = value => Math.round(value).toLocaleString('en')

export async function measureExport(argv) {
  const option = name => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined)
  const events = Number(option('--events') ?? USUAL)
  if (!Number.isInteger(events) || events < 1) throw new Error('--events takes a whole number')
  await withHistory(option('--homes'), events, async home => {
    const rows = {}
    const only = option('--format')
    for (const format of only ? [only] : ['ndjson', 'ndjson, gzip', 'csv', 'parquet'])
      rows[format] = await measure(home, format, events)
    console.log(`${number(events)} events, each format by a collector of its own`)
    console.table(rows)
    const most = Math.max(...Object.values(rows).map(row => row['memory over idle, MiB']))
    console.log(most <= MOST ? `at most ${most} MiB over idle` : `${most} MiB over idle: more than ${MOST}`)
    if (most > MOST) process.exitCode = 1
  })
}

async function measure(home, named, events) {
  const [format, gzip] = named.split(', ')
  const server = await startServer('livetag', { LIVETAG_HOME: home })
  try {
    process.stderr.write(`${named}\n`)
    const idle = await idleOf(server.pid)
    const started = performance.now()
    const { bytes, lines, most } = await download(server, format, gzip)
    const seconds = (performance.now() - started) / 1_000
    if (lines !== undefined && lines !== events) throw new Error(`${number(lines)} lines of ${number(events)} events`)
    return {
      'rows/s': number(events / seconds),
      seconds: Math.round(seconds),
      MB: number(bytes / 1e6),
      'idle, MiB': idle,
      'memory over idle, MiB': most - idle,
    }
  } finally {
    await server.stop()
  }
}

function download({ url, key, pid }, format, gzip) {
  return new Promise((resolve, reject) => {
    let [bytes, lines, most] = [0, 0, 0]
    const watch = setInterval(() => {
      most = Math.max(most, memoryOf(pid))
    }, 100)
    const headers = { authorization: `Bearer ${key}`, ...(gzip && { 'accept-encoding': gzip }) }
    get(`${url}/api/v2/events?site_id=${SITE}&date_range=all&format=${format}`, { headers }, response => {
      if (response.statusCode !== 200) reject(new Error(`answered with ${response.statusCode}`))
      const isCounted = format === 'ndjson' && !gzip
      response.on('data', chunk => {
        bytes += chunk.length
        for (let at = isCounted ? chunk.indexOf(10) : -1; at >= 0; at = chunk.indexOf(10, at + 1)) lines++
      })
      response.on('error', reject)
      response.on('end', () => {
        clearInterval(watch)
        resolve({ bytes, lines: isCounted ? lines : undefined, most })
      })
    }).on('error', reject)
  })
}
