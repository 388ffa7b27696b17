/** One round: a plan is drawn and carried out while clients send; afterwards everything of it is counted. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Done, nothingDone, perform } from './actions.ts'
import { type Checked, checkSite, compareRows, type Faults, isFaulty, noFaults, unfinished } from './check.ts'
import { startClients } from './clients.ts'
import { type ClosedWatch, watchClosed } from './closed.ts'
import type { CollectorProcess } from './collectors.ts'
import { type Deployment, OWNER_KEY } from './deployment.ts'
import type { Ledger } from './ledger.ts'
import { COUNTERS, type Rows } from './model.ts'
import type { Options } from './options.ts'
import { describe, drawPlan } from './plan.ts'
import { drawsFrom } from './seeded.ts'
import { until } from './until.ts'
import { type LiveViewer, watch } from './viewer.ts'

/** Load lasts at least so long, ms. */
const LEAST_MS = 1_800
/**
 * How long it may take until a round is settled and folded, until counters that differ are right (a request may still arrive
 * that nobody waits for), and until all collectors answer; ms. Only time counts in which nothing is done to the deployment:
 * later rounds kill what would have to adopt a lane, or settle.
 */
const SETTLED_MS = 90_000
const RIGHT_MS = 10_000
const ANSWERED_MS = 60_000
/** Live views hold 30 minutes, and what falls out of them in the meantime is not compared; ms. */
const LIVE_MS = 25 * 60_000

export interface RoundDone {
  round: number
  site: string
  plan: string[]
  done: Done
  ledger: Ledger
  viewer: LiveViewer
  closed: ClosedWatch
  /** s until everything sent was taken and everything ran again */
  seconds: number
  endedAt: number
}

export interface RoundChecked {
  faults: Faults
  /** in `events` */
  stored: number
}

/** Runs a round up to the moment when all that was sent is taken. Its counters may lag behind. */
export async function runRound(
  options: Options,
  deployment: Deployment,
  round: number,
  site: string,
): Promise<RoundDone> {
  const { scenario, seed, only } = options
  const collectors = deployment.collectors as [CollectorProcess, ...CollectorProcess[]]
  const plan = drawPlan(scenario, drawsFrom(seed, round), only)
  const begun = performance.now()
  const done = nothingDone()
  const viewer = watch(
    collectors.map(({ url }) => url),
    site,
    OWNER_KEY,
  )
  const clients = startClients({ collectors, site, seeds: [seed, round], clients: options.clients })
  const closed = watchClosed(deployment.db, site)
  deployment.disturbed.start()
  try {
    await Promise.all([perform(plan, deployment, clients, done), pause(LEAST_MS)])
  } finally {
    await clients.finish().finally(deployment.disturbed.stop)
  }
  const seconds = (performance.now() - begun) / 1000
  const { ledger } = clients
  return { round, site, plan: plan.map(describe), done, ledger, viewer, closed, seconds, endedAt: performance.now() }
}

/** Waits until a round is settled and folded, then counts. */
export async function checkRound(
  deployment: Deployment,
  { site, ledger, viewer, closed }: RoundDone,
): Promise<RoundChecked> {
  const { db, disturbed } = deployment
  const calm = (ms: number) => {
    const before = disturbed.ms
    return () => ms + disturbed.ms - before
  }
  await until('settled and folded', calm(SETTLED_MS), async () => (await unfinished(db, site)) === 0, 100)
  let last: Checked = { faults: noFaults(), events: [], minutes: new Map(), hours: new Map() }
  let unanswered = 0
  const right = calm(RIGHT_MS)
  await until(
    'right counters',
    () => right() + unanswered,
    async () => {
      const asked = performance.now()
      const answers = await until('answers of /api/v2/stats', calm(ANSWERED_MS), () => askStats(deployment, site))
      unanswered += performance.now() - asked
      last = await checkSite(db, site, ledger)
      const stats = answers.flatMap(totals => compareStats(totals, last))
      last.faults.counters.push(...compareLive(viewer, last), ...stats)
      // What is doubled stays so: there is nothing to wait for.
      return !isFaulty(last.faults) || last.faults.doubled.length > 0
    },
    500,
  ).catch(error => {
    // Not about counters: about the database, or a collector that does not answer.
    if (!isFaulty(last.faults)) throw error
  })
  for (const answer of new Set(ledger.wrongAnswers)) last.faults.foreign.push(`a client was answered ${answer}`)
  viewer.leave()
  last.faults.counters.push(...(await closed.end()))
  return { faults: last.faults, stored: last.events.length }
}

function compareLive(viewer: LiveViewer, { minutes, hours }: Checked): string[] {
  const since = Date.now() - LIVE_MS
  const recent = (rows: Iterable<[string, number[]]>): Rows =>
    new Map([...rows].filter(([key]) => Number(key.split(' ')[1]) >= since).map(([key, row]) => [key, row.slice(0, 2)]))
  const { start, hours: heard } = viewer.today()
  // All counters but revenue.
  const ofToday = (rows: Rows): Rows =>
    new Map(
      [...rows]
        .filter(([key]) => /^(total|visits|goal) /.test(key) && Number(key.split(' ')[1]) >= start)
        .map(([key, row]) => [key, row.slice(0, 7)]),
    )
  const faults = [
    ...compareRows('live view', recent(viewer.counters()), recent(minutes)),
    ...compareRows('live view of today', heard, ofToday(hours)),
  ]
  return faults.length > 0 ? [`live view: its viewer ${viewer.history()}`, ...faults] : []
}

/**
 * What the API of each collector says; `undefined` while one does not answer, as a viewer may be joined to that one: what it
 * can not tell is not wrong yet.
 */
async function askStats({ collectors }: Deployment, site: string): Promise<Record<string, number>[] | undefined> {
  const answers = collectors.map(async ({ url }) => {
    const answer = await fetch(`${url}/api/v2/stats?site=${site}&period=30d`, {
      headers: { authorization: `Bearer ${OWNER_KEY}` },
      signal: AbortSignal.timeout(3_000),
    })
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}`)
    return ((await answer.json()) as { totals: Record<string, number> }).totals
  })
  return await Promise.all(answers).catch(() => undefined)
}

function compareStats(totals: Record<string, number>, { minutes }: Checked): string[] {
  const expected = new Map<string, number>(COUNTERS.map(name => [name, 0]))
  for (const [key, row] of minutes) {
    if (!key.startsWith('total ')) continue
    COUNTERS.forEach((name, c) => {
      expected.set(name, (expected.get(name) ?? 0) + (row[c] ?? 0))
    })
  }
  return [...expected].flatMap(([name, n]) =>
    totals[name] === n ? [] : [`/api/v2/stats, ${name}: ${totals[name]}, not ${n}`],
  )
}
