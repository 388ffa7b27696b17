/** A start on a journal of events that were accepted and not settled, as after a long outage, while clients go on sending. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from 'mongodb'
import { accept } from '../../collector/intake/accept.ts'
import { readAgent } from '../../collector/intake/agent.ts'
import { cookielessVisitor } from '../../collector/intake/cookieless.ts'
import { createJournal, type StoredPage } from '../../collector/journal/index.ts'
import { leaseLane, release } from '../../collector/settle/lane.ts'
import type { Site } from '../../collector/sites/index.ts'
import { batchesOf } from './batches.ts'
import { checkSite, type Faults, isFaulty, unfinished } from './check.ts'
import { BOT, CHROME, startClients } from './clients.ts'
import type { CollectorProcess } from './collectors.ts'
import { type Deployment, deploy, ROUND_SITE } from './deployment.ts'
import { largestMemory, MOST_MEMORY } from './final.ts'
import { emptyLedger, type Ledger, noteSent } from './ledger.ts'
import type { Options } from './options.ts'
import { quantile } from './pauses.ts'
import { examplesOf } from './report.ts'
import { drawsFrom } from './seeded.ts'
import { until } from './until.ts'

const SITE = 'backlog'
/** Batches that are put into the journal together: its bound lets more wait, but not for ever. */
const TOGETHER = 400
/** Of what waits: of the last minutes, some of what was offline; ms. */
const AGES = [0, 0, 0, 0, 0, 60_000, 120_000, 180_000, 240_000, 26 * 3_600_000] as const
const SETTLED_MS = 30 * 60_000

export interface BacklogWorked {
  ok: boolean
  /** that waited, and in how many pages */
  events: number
  pages: number
  /** from starting the collector until it listened, and until the backlog was settled, and all was folded; s */
  listening: number
  settled: number
  folded: number
  /** events of the backlog settled a second, from listening on */
  rate: number
  /** what clients sent meanwhile: events acknowledged, a second, and how long a batch took, ms */
  meanwhile: { acknowledged: number; rate: number; p50: number; p99: number; most: number; statuses: object }
  /** the most that the collector took, bytes */
  memory: number
  lost: number
  doubled: number
  wrongCounters: number
}

export async function startOnBacklog(
  { seed, clients: number, keep }: Options,
  events: number,
  say: (text: string) => void,
): Promise<BacklogWorked> {
  const ledger = emptyLedger()
  let waiting = { pages: 0, events: 0 }
  let begun = 0
  const deployment = await deploy('single', [SITE], undefined, async db => {
    say(`putting ${events.toLocaleString('en')} events into the journal`)
    waiting = await fillJournal(db, ledger, seed, events)
    begun = performance.now()
  })
  let ok = false
  try {
    const since = () => (performance.now() - begun) / 1_000
    const listening = since()
    const collectors = deployment.collectors as [CollectorProcess, ...CollectorProcess[]]
    const watched = watchMemory(deployment)
    const clients = startClients({ collectors, site: SITE, seeds: [seed, 1], clients: number })
    const journal = deployment.db.collection<StoredPage>('journal')
    // Its pages are of the epoch before: the collector has made a new one.
    const left = () => journal.countDocuments({ lane: 0, state: 'open', epoch: 1 })
    await until('the backlog is settled', SETTLED_MS, async () => (await left()) === 0, 250)
    const settled = since()
    const meanwhile = summaryOf(clients.ledger, settled - listening)
    await clients.finish()
    await until('all is folded', SETTLED_MS, async () => (await unfinished(deployment.db, SITE)) === 0, 250)
    const folded = since()
    const memory = await watched.end()

    const { faults } = await checkSite(deployment.db, SITE, together(ledger, clients.ledger))
    for (const answer of new Set(clients.ledger.wrongAnswers)) faults.foreign.push(`a client was answered ${answer}`)
    ok = !isFaulty(faults) && memory < MOST_MEMORY
    const worked = { ok, ...waiting, listening, settled, folded, rate: waiting.events / (settled - listening) }
    const result = { ...worked, meanwhile, memory, ...countsOf(faults) }
    say(textOf(result))
    if (isFaulty(faults)) say(examplesOf(faults))
    return result
  } finally {
    await deployment.close(keep || !ok)
  }
}

/** Of a day. */
const saltOf = (at: number) => Buffer.from(new Date(at).toISOString().slice(0, 10))

/** As a collector accepts and writes them, in a lane that it has left behind. */
async function fillJournal(db: Db, ledger: Ledger, seed: number, events: number) {
  const lane = await leaseLane(db, 'gone:0:0')
  // As `connect` sets it for a collector.
  const pages = db.collection<StoredPage>('journal', { ignoreUndefined: true })
  const journal = createJournal({ pages, lane: () => lane, limit: 256 * 1024 ** 2 })
  const site: Site = { key: SITE, ...ROUND_SITE }
  const batches = batchesOf(SITE, drawsFrom(seed, 0), 20, AGES)
  for (let sent = 0; sent < events; ) {
    const appended: Promise<void>[] = []
    for (let i = 0; i < TOGETHER && sent < events; i++) {
      const batch = batches.next(Math.min(25, events - sent))
      noteSent(ledger, batch)
      for (const [key] of batch.events) ledger.acknowledged.add(key)
      const agent = readAgent(batch.bot ? BOT : CHROME)
      const taken = accept(batch.body, {
        received: Date.now(),
        agent,
        site: () => site,
        visitor: () => '',
        cookieless: (_, at) => cookielessVisitor(saltOf(at), SITE, 'network', `${batch.bot} ${batch.cookieless}`),
        place: () => ({}),
        gpc: false,
      })
      sent += taken.events.length
      appended.push(journal.append(taken.events, taken.bytes))
    }
    await Promise.all(appended)
  }
  await journal.close()
  await release(db, lane)
  const [sum] = await pages.aggregate([{ $group: { _id: null, events: { $sum: '$n' }, pages: { $sum: 1 } } }]).toArray()
  return { events: Number(sum?.events), pages: Number(sum?.pages) }
}

/** The most that the collector takes until the end. */
function watchMemory(deployment: Deployment) {
  let most = 0
  let ended = false
  const watching = (async () => {
    while (!ended) {
      most = Math.max(most, await largestMemory(deployment))
      await pause(100)
    }
  })()
  return {
    async end() {
      ended = true
      await watching
      return most
    },
  }
}

function summaryOf({ acknowledged, taken, statuses }: Ledger, seconds: number): BacklogWorked['meanwhile'] {
  const took = taken.map(({ after }) => after)
  const [p50 = 0, p99 = 0] = [0.5, 0.99].map(share => Math.round(quantile(took, share) * 10) / 10)
  return {
    acknowledged: acknowledged.size,
    rate: acknowledged.size / seconds,
    p50,
    p99,
    most: Math.round(quantile(took, 1)),
    statuses: Object.fromEntries(statuses),
  }
}

function together(one: Ledger, other: Ledger): Ledger {
  const sent = new Map(one.sent)
  for (const [key, events] of other.sent) sent.set(key, [...(sent.get(key) ?? []), ...events])
  for (const key of other.acknowledged) one.acknowledged.add(key)
  for (const id of other.invalid) one.invalid.add(id)
  return { ...one, sent }
}

const countsOf = ({ lost, doubled, foreign, counters }: Faults) => ({
  lost: lost.length,
  doubled: doubled.length,
  foreign: foreign.length,
  wrongCounters: counters.length,
})

function textOf({
  events,
  pages,
  listening,
  settled,
  folded,
  rate,
  meanwhile,
  memory,
  ...counts
}: BacklogWorked): string {
  const n = (count: number) => Math.round(count).toLocaleString('en')
  const { acknowledged, rate: taken, p50, p99, most } = meanwhile
  return [
    `${n(events)} events in ${n(pages)} pages waited; the collector listened after ${listening.toFixed(1)} s`,
    `settled after ${settled.toFixed(1)} s (${n(rate)} events a second), folded after ${folded.toFixed(1)} s`,
    `meanwhile ${n(acknowledged)} events acknowledged (${n(taken)} a second), a batch within ${p50} ms (p50), ${p99} ms (p99), ${most} ms at most`,
    `at most ${n(memory / 1024 ** 2)} MiB`,
    `${counts.lost} lost, ${counts.doubled} doubled, ${counts.wrongCounters} wrong counters`,
  ].join('\n')
}
