import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import { createCollector } from '../server.ts'
import { examine, type Report } from './examine.ts'
import { fail } from './fail.ts'
import { addressOf, asOwner, isRunning } from './running.ts'

/**
 * `livetag doctor`: sends a marked event through the whole path of the running collector, or of one that it starts on a
 * temporary folder where none runs. The exit code is 0 when every step is well, else 1.
 */
export const doctor = defineCommand({
  meta: { name: 'doctor', description: 'Send an event through the whole path and time each step' },
  args: { json: { type: 'boolean', description: 'print {ok, steps, oplog, places} as JSON' } },
  async run({ args }) {
    const report = await diagnose(text => process.stderr.write(`${text}\n`)).catch(fail)
    process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : table(report))
    process.exit(report.ok ? 0 : 1)
  },
})

async function diagnose(progress: (text: string) => void): Promise<Report> {
  const url = addressOf(process.env)
  if (await isRunning(url)) return await examine(await asOwner(url, process.env), 'running')
  progress(`no collector answers at ${url}: starting one on a temporary folder`)
  const home = await mkdtemp(join(tmpdir(), 'livetag-doctor-'))
  const ownerKey = crypto.randomUUID()
  const started = performance.now()
  try {
    const collector = await createCollector({
      home,
      host: '127.0.0.1',
      port: 0,
      ownerKey,
      logLevel: 'warn',
      onProgress: progress,
    })
    try {
      const { url: own } = await collector.listen()
      const ms = Math.round(performance.now() - started)
      const report = await examine(await asOwner(own, { LIVETAG_OWNER_KEY: ownerKey }), 'temporary')
      return { ...report, steps: { started: { ok: true, ms }, ...report.steps } }
    } finally {
      await collector.close()
    }
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

function table({ ok, collector, steps, oplog, places }: Report): string {
  const rows = Object.entries(steps).map(([name, { ok, ms, error, warning }]) => {
    const mark = ok ? 'ok  ' : error ? 'FAIL' : 'warn'
    const words = error ?? warning
    return `  ${mark}  ${name.padEnd(12)} ${`${ms}`.padStart(7)} ms${words ? `   ${words}` : ''}`
  })
  return `\n  ${collector === 'running' ? 'the running collector' : 'a collector on a temporary folder'}\n\n${rows.join('\n')}\n\n  ${ok ? 'Everything works.' : 'Something does not work: see above.'}\n\n  ${said(oplog)}\n  ${saidOfPlaces(places)}\n\n`
}

/** In numbers, as how long that is decides how long yesterday's visitors could be found out. */
function said(oplog: Report['oplog']): string {
  const what =
    'Salts of cookieless visitors are deleted after two days; MongoDB’s oplog still holds them for as long as it'
  if (!oplog) return `${what} reaches back, which this user may not see.`
  const { reachesMs, filled } = oplog
  const full = filled < 0.9 && filled > 0 ? `; full, about ${span(reachesMs / filled)} as things go` : ''
  return `${what} reaches back: ${span(reachesMs)} now (${Math.round(filled * 100)} % full${full}).`
}

function saidOfPlaces(places: Report['places']): string {
  if (!places) return 'Where visitors are is not looked up: LIVETAG_GEO names no database.'
  return `Where visitors are is looked up in ${places.path}: ${places.type} of ${places.built.slice(0, 10)}.`
}

const HOUR_MS = 3_600_000
const span = (ms: number): string => {
  if (ms < HOUR_MS) return `${Math.round(ms / 60_000)} minutes`
  return ms < 72 * HOUR_MS ? `${Math.round(ms / HOUR_MS)} hours` : `${Math.round(ms / 24 / HOUR_MS)} days`
}
