/**
 * `npm run bench -- reports`: a dashboard of 30 days over histories of growing size, beside the same questions asked of
 * `events` by aggregation. `--events 50000000` says up to which size, with `--only` that one
 * alone; `--json` also writes `test/bench/reports.json`.
 * Writing the histories takes most of the time: with `--homes <folder>` they are kept there and measured again on the same day,
 * `--only-write` leaves it at that.
 *
 * At once is the first dashboard of a collector's process, asked when it listens, on a mongod that has run for a while: no code
 * is compiled, no connection open, nothing read. Cold is the first one of a process that has run for {@link STARTED_MS}: nobody has
 * asked anything yet, and the collector has read by itself what dashboards ask (`collector/query/ahead.ts`). Warm are questions that nobody has asked before, of days that somebody has
 * asked for, as rows of a longer list; kept are those that were asked. All questions of a dashboard are asked at once, and its time is that of the last answer.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { measureBatches } from './batches.mjs'
import { askColumns, COLUMNS } from './columns.mjs'
import { bodyOf, DASHBOARD, rowsOf, rowsOfPipeline, ZONE } from './dashboard.mjs'
import { idleOf, startServer } from './servers.mjs'
import { openJournal } from './settle.mjs'

const SIZES = [50_000, 500_000, 5_000_000, 50_000_000]
/** What ends within some ten minutes on two cores; most of it writes the history. */
const USUAL = 2_000_000
export const SITE = 'bench'
const DAYS = 30
/** How long its days may take to be closed and sketched, ms. */
const BUILT_MS = 3_600_000
const ROUNDS = { atOnce: 5, cold: 5, warm: 40, kept: 20, estimated: 20 }
/** How long a process has run that nobody has asked anything, ms. */
export const STARTED_MS = 10_000
/** Between two rounds, ms: longer than a collector holds a snapshot for who comes next. */
const APART_MS = 1_200
/** No round begins after so many ms, but three are measured. */
const PATIENCE = 60_000
const LEAST = 3
/** Up to this size the aggregation is measured more than once. */
const SMALL = 50_000
/** So long an aggregation may take, ms; of what takes longer it is said that it does. */
const AGGREGATED_MS = 180_000
const MAX_TIME_EXPIRED = 50

const progress = text => process.stderr.write(`${text}\n`)
const number = value => Math.round(value).toLocaleString('en')
const ms = ({ p50, p95 }) => `${number(p50)} / ${number(p95)}`
const aggregated = ms => (ms < AGGREGATED_MS ? number(ms) : `> ${number(AGGREGATED_MS)}`)
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
const summed = times => {
  const sorted = times.toSorted((a, b) => a - b)
  return { p50: at(sorted, 0.5), p95: at(sorted, 0.95), rounds: times.length }
}

export async function measureReports(argv) {
  const option = name => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined)
  const most = Number(option('--events') ?? USUAL)
  if (!Number.isInteger(most) || most < 1) throw new Error('--events takes a whole number')
  const homes = option('--homes')
  const measured = []
  const smaller = argv.includes('--only') ? [] : SIZES.filter(size => size < most)
  for (const events of [...smaller, most]) {
    await withHistory(homes, events, async (home, written) => {
      if (!argv.includes('--only-write')) measured.push({ ...written, ...(await measureSize(home, events)) })
    })
  }
  if (measured.length === 0) return
  print(measured)
  if (argv.includes('--json')) {
    const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version }
    writeFileSync(new URL('reports.json', import.meta.url), `${JSON.stringify({ machine, measured }, null, 2)}\n`)
  }
}

/** @param homes folder in which histories are kept; without one it is removed in the end */
export async function withHistory(homes, events, use) {
  const home = homes ? join(homes, String(events)) : await mkdtemp(join(tmpdir(), 'livetag-bench-'))
  try {
    await use(home, await ensureHistory(home, events))
  } finally {
    if (!homes) await rm(home, { recursive: true, force: true })
  }
}

/** Writes it where it is not there yet; gives back how long that took. */
export async function ensureHistory(home, events) {
  const file = join(home, 'written.json')
  const day = new Intl.DateTimeFormat('sv', { timeZone: ZONE, dateStyle: 'short' }).format(new Date())
  const written = await readFile(file, 'utf8').then(JSON.parse, () => undefined)
  if (written && written.day !== day) throw new Error(`${home} is of ${written.day}: remove it`)
  if (written) return written
  await mkdir(home, { recursive: true })
  const started = performance.now()
  progress(`${number(events)} events: writing the history`)
  // No collector runs meanwhile: it would close and sketch days that are not whole yet, and then again.
  await livetag(home, ['site', 'add', SITE, '--domain', 'bench.example', '--consent', 'none', '--timezone', ZONE])
  await livetag(home, ['seed', '--site', SITE, '--events', String(events), '--days', String(DAYS)])
  const seeding = performance.now() - started
  const server = await startServer('livetag', { LIVETAG_HOME: home })
  try {
    progress('waiting until its days are closed and sketched')
    await built(server)
    const building = performance.now() - started - seeding
    const times = { day, events, seeding, building }
    await writeFile(file, JSON.stringify(times))
    return times
  } finally {
    await server.stop()
  }
}

async function measureSize(home, events) {
  // Holds the mongod, while others come and go.
  const holder = await startServer('livetag', { LIVETAG_HOME: home })
  try {
    const { db, close, settled } = await openJournal(home)
    try {
      progress(`${number(events)} events`)
      const measured = await measureDashboard(home, db, events)
      return { ...measured, intake: await measureIntake(holder, settled) }
    } finally {
      await close()
    }
  } finally {
    await holder.stop()
  }
}

/** As a collector does it by itself, a minute after a day's end. */
async function built(server) {
  const asked = ['days', 'pages', 'sources']
  const sources = async round =>
    await Promise.all(asked.map(async name => (await ask(server, bodyOf(DASHBOARD[name], SITE, round))).meta))
  // Each another question, so that nothing is kept of it.
  const until = performance.now() + BUILT_MS
  for (let round = 1_000; ; round++) {
    const answered = await sources(round)
    if (answered.every(meta => meta?.source === 'rollups' && !meta.pending) && (await areColumns(server, round))) return
    if (performance.now() > until) throw new Error(`not answered from rollups yet: ${JSON.stringify(answered)}`)
    await pause(5_000)
  }
}

/** Of days that are not columns yet an analysis reads events, and refuses to where these are many. */
async function areColumns(server, round) {
  try {
    return (await askColumns(server, SITE, 'funnel', round)).sources.join() === 'blocks'
  } catch (error) {
    if (error.code === 'query-too-large') return false
    throw error
  }
}

async function measureDashboard(home, db, events) {
  let first
  const firstOfProcess = rest => async () => {
    const server = await startServer('livetag', { LIVETAG_HOME: home })
    try {
      await pause(rest)
      const { ms, answers } = await askDashboard(server, 0)
      first ??= answers
      return ms
    } finally {
      await server.stop()
    }
  }
  progress('the dashboard, at once and cold')
  const atOnce = await repeated(ROUNDS.atOnce, firstOfProcess(0))
  const cold = await repeated(ROUNDS.cold, firstOfProcess(STARTED_MS))
  const server = await startServer('livetag', { LIVETAG_HOME: home })
  try {
    progress('warm, and kept')
    await askDashboard(server, 0)
    // What it reads by itself after a start is read.
    await idleOf(server.pid)
    let round = 0
    const warm = await repeated(ROUNDS.warm, async () => {
      await pause(APART_MS)
      return (await askDashboard(server, ++round)).ms
    })
    const single = await askOneByOne(server, ++round)
    const kept = await repeated(ROUNDS.kept, async () => {
      const { ms, answers } = await askDashboard(server, 0)
      const anew = Object.entries(answers).filter(([, { meta }]) => meta && !meta.cached)
      if (anew.length > 0) progress(`made anew: ${anew.map(([name]) => name).join(', ')}`)
      return ms
    })
    for (const [name, times] of Object.entries({ 'at once': atOnce, cold, warm, kept }))
      progress(`${name}: ${ms(times)} ms`)
    progress('the same by aggregation over events')
    const { times, rows } = await aggregate(db, events <= SMALL ? LEAST : 1)
    const equal = Object.entries(DASHBOARD).map(([name, asked]) => {
      const answer = first[name]
      if (!rows[name]) return [name, 'not compared']
      if (!answer?.results) return [name, `not answered: ${answer?.code}`]
      if (isDeepStrictEqual(rowsOf(asked, answer), rowsOfPipeline(asked, rows[name]))) return [name, 'equal']
      if (process.env.DEBUG) console.error(name, rowsOf(asked, answer), rowsOfPipeline(asked, rows[name]))
      return [name, answer.meta.exact ? 'DIFFERENT' : 'about equal']
    })
    const columns = await measureColumns(home, db, server)
    return { atOnce, cold, warm, kept, single, aggregation: summed(times), equal: Object.fromEntries(equal), columns }
  } finally {
    await server.stop()
  }
}

/**
 * Filters and analyses: cold of a process that has run for a while, warm another question of the same, and of these until each
 * has the first line where estimates may come first.
 */
async function measureColumns(home, db, server) {
  const { from, to } = await lastDays(db)
  const match = { 'meta.site': SITE, ts: { $gte: from, $lt: to }, bot: { $exists: false } }
  const measured = {}
  for (const [name, { pipelines }] of Object.entries(COLUMNS)) {
    progress(name)
    let sources = []
    const cold = await repeated(LEAST, async () => {
      const fresh = await startServer('livetag', { LIVETAG_HOME: home })
      try {
        await pause(STARTED_MS)
        return (await askColumns(fresh, SITE, name, 0)).ms
      } finally {
        await fresh.stop()
      }
    })
    let round = 0
    await askColumns(server, SITE, name, 0)
    const warm = await repeated(ROUNDS.warm, async () => {
      await pause(APART_MS)
      const asked = await askColumns(server, SITE, name, ++round)
      sources = asked.sources
      return asked.ms
    })
    const estimated = await repeated(ROUNDS.estimated, async () => {
      await pause(APART_MS)
      return (await askColumns(server, SITE, name, ++round, true)).first
    })
    const started = performance.now()
    await Promise.all(pipelines(match).map(one => inTime(db, one)))
    const aggregation = performance.now() - started
    progress(
      `cold ${ms(cold)}, warm ${ms(warm)}, first lines ${ms(estimated)}, aggregation ${aggregated(aggregation)} ms; from ${sources.join(', ')}`,
    )
    measured[name] = { cold, warm, estimated, aggregation, sources }
  }
  return measured
}

/** Events a second in batches of 20, with nobody who asks and while one filtered dashboard follows the other, in turns. */
async function measureIntake(server, settled) {
  progress('events a second, alone and while filtered dashboards are asked')
  const rates = { idle: [], during: [] }
  let round = 0
  for (let turn = 0; turn <= INTAKE_TURNS; turn++) {
    for (const [kind, list] of Object.entries(rates)) {
      let isOver = false
      const ask = async () => {
        while (!isOver) {
          await askColumns(server, SITE, 'one filter', ++round)
          await pause(APART_MS)
        }
      }
      const asking = kind === 'during' ? ask() : undefined
      const { eventsPerSecond } = await measureBatches(server)
      isOver = true
      await asking
      await settled()
      // The first turn is for code that nothing has run yet.
      if (turn > 0) list.push(eventsPerSecond)
    }
  }
  const median = list =>
    at(
      list.toSorted((a, b) => a - b),
      0.5,
    )
  return {
    idle: median(rates.idle),
    during: median(rates.during),
    times: median(rates.during.map((n, i) => n / rates.idle[i])),
  }
}
const INTAKE_TURNS = 3

/** The days of a dashboard, today not included, as moments. */
async function lastDays(db) {
  const day = new Intl.DateTimeFormat('sv', { timeZone: ZONE, dateStyle: 'short' })
  const [days] = await db
    .aggregate([
      { $documents: [{ text: day.format(new Date()) }] },
      { $project: { at: { $dateFromString: { dateString: '$text', timezone: ZONE } } } },
      {
        $project: {
          to: '$at',
          from: { $dateSubtract: { startDate: '$at', unit: 'day', amount: DAYS, timezone: ZONE } },
        },
      },
    ])
    .toArray()
  return days
}

/** Times of so many rounds, fewer where they take long. */
async function repeated(rounds, round) {
  const until = performance.now() + PATIENCE
  const times = []
  while (times.length < rounds && (times.length < LEAST || performance.now() < until)) times.push(await round())
  return summed(times)
}

async function askDashboard(server, round) {
  const started = performance.now()
  const asked = Object.entries(DASHBOARD).map(async ([name, one]) => [
    name,
    await ask(server, bodyOf(one, SITE, round)),
  ])
  const answers = Object.fromEntries(await Promise.all(asked))
  return { ms: performance.now() - started, answers }
}

async function askOneByOne(server, round) {
  const single = {}
  for (const [name, one] of Object.entries(DASHBOARD)) {
    const started = performance.now()
    const { meta, code } = await ask(server, bodyOf(one, SITE, round))
    single[name] = { ms: performance.now() - started, source: meta?.source ?? code, exact: meta?.exact }
  }
  return single
}

/** The answer, or the problem. */
async function ask({ url, key }, body) {
  const response = await fetch(`${url}/api/v2/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  })
  return await response.json()
}

async function aggregate(db, rounds) {
  const { from, to } = await lastDays(db)
  const match = { 'meta.site': SITE, ts: { $gte: from, $lt: to }, bot: { $exists: false } }
  const times = []
  let rows = {}
  for (let round = 0; round < rounds; round++) {
    const started = performance.now()
    const asked = Object.entries(DASHBOARD).map(async ([name, { pipeline }]) => [
      name,
      await inTime(db, pipeline(match)),
    ])
    rows = Object.fromEntries(await Promise.all(asked))
    times.push(performance.now() - started)
  }
  return { times, rows }
}

/** Its rows, or `undefined` when it takes longer than it may. */
async function inTime(db, pipeline) {
  const options = { allowDiskUse: true, readConcern: { level: 'majority' }, maxTimeMS: AGGREGATED_MS }
  try {
    return await db.collection('events').aggregate(pipeline, options).toArray()
  } catch (error) {
    if (error.code !== MAX_TIME_EXPIRED) throw error
  }
}

function livetag(home, args) {
  return new Promise((resolve, reject) => {
    const command = new URL('../../collector/cli/livetag.mjs', import.meta.url).pathname
    const child = spawn(process.execPath, [command, ...args], {
      env: { ...process.env, LIVETAG_HOME: home },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.once('exit', code =>
      code === 0 ? resolve() : reject(new Error(`livetag ${args.join(' ')} ended with ${code}`)),
    )
  })
}

function print(measured) {
  const last = measured.at(-1)
  if (last.events < SIZES.at(-1)) {
    const hours = ((SIZES.at(-1) / last.events) * (last.seeding + last.building)) / 3_600_000
    console.log(
      `Up to ${number(last.events)} events: writing and building ${number(SIZES.at(-1))} takes ${hours.toFixed(1)} h here`,
    )
  }
  const percent = (of, { p50 }) => `${p50 < AGGREGATED_MS ? '' : '< '}${((100 * of.p50) / p50).toPrecision(2)} %`
  for (const { events, seeding, building } of measured) {
    const seconds = ms => `${number(ms / 1_000)} s`
    console.log(
      `${number(events)} events: written in ${seconds(seeding)}, closed and sketched ${seconds(building)} later`,
    )
  }
  console.log(`A dashboard of 30 days, ${Object.keys(DASHBOARD).length} questions at once; ms at p50 / p95`)
  console.table(
    Object.fromEntries(
      measured.map(({ events, atOnce, cold, warm, kept, aggregation }) => [
        `${number(events)} events`,
        {
          'at once': ms(atOnce),
          cold: ms(cold),
          warm: ms(warm),
          kept: ms(kept),
          aggregation: aggregated(aggregation.p50),
          'cold in % of it': percent(cold, aggregation),
          'warm in % of it': percent(warm, aggregation),
          'kept in % of it': percent(kept, aggregation),
        },
      ]),
    ),
  )
  for (const { events, intake } of measured)
    console.log(
      `${number(events)} events: taken ${number(intake.idle)} a second alone, ${number(intake.during)} beside filtered dashboards, ${intake.times.toFixed(2)} ×`,
    )
  console.log('Filtered dashboards, all questions at once, and analyses; ms at p50 / p95')
  for (const { events, columns } of measured) {
    console.log(`${number(events)} events`)
    console.table(
      Object.fromEntries(
        Object.entries(columns).map(([name, { cold, warm, estimated, aggregation, sources }]) => [
          name,
          {
            cold: ms(cold),
            warm: ms(warm),
            'first lines': ms(estimated),
            aggregation: aggregated(aggregation),
            'cold in % of it': percent(cold, { p50: aggregation }),
            'warm in % of it': percent(warm, { p50: aggregation }),
            from: sources.join(', '),
          },
        ]),
      ),
    )
  }
  const [first] = measured
  for (const name of ['atOnce', 'cold', 'warm', 'kept', 'aggregation'])
    console.log(
      `${name}: ${(last[name].p50 / first[name].p50).toFixed(1)} × from ${number(first.events)} to ${number(last.events)} events`,
    )
  console.log('\nEach question by itself, warm: ms (source)')
  console.table(
    Object.fromEntries(
      Object.keys(DASHBOARD).map(name => [
        name,
        Object.fromEntries([
          ...measured.map(({ events, single }) => {
            const { ms: took, source, exact } = single[name]
            return [number(events), `${number(took)} (${source}${exact === false ? ', ≈' : ''})`]
          }),
          ['beside the aggregation', [...new Set(measured.map(({ equal }) => equal[name]))].join(', ')],
        ]),
      ]),
    ),
  )
}
