/**
 * Joins journal, settle and rollup for the lanes that one collector works on: its own, and orphans that it drains. Days that
 * are over it closes, whatever the lane.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from 'mongodb'
import { createBlockBuilder } from './columns/index.ts'
import { createJournal, type Journal, type JournalEvent, type StoredPage } from './journal/index.ts'
import type { Log } from './log.ts'
import { createCloser, createFolder, PACE, type Pass, type PassParts } from './rollup/index.ts'
import {
  createHolder,
  hasWork,
  type Lane,
  LaneLost,
  LEASE_MS,
  leaseLane,
  leaseOrphan,
  noFence,
  type RaiseFence,
  raiseFence,
  refreshFences,
  release,
  renew,
  type Settler,
  startSettler,
  testFence,
  type ZoneOf,
} from './settle/index.ts'
import { createSketcher } from './sketch/index.ts'

/** How long after a page is settled its deltas are folded, ms: the live views have them from the page itself. */
const FOLD_MS = 1_000
/** How often it looks for lanes whose holder is gone, ms. */
const ORPHANS_MS = LEASE_MS / 2
/** How long after the start nothing is closed, ms: first come what tags have held back meanwhile, and who looks at it. */
const QUIET_MS = 5_000
/** How often the server is told that the sessions of all lanes live, ms. */
const REFRESH_MS = 5 * 60_000

export interface Pipeline {
  journal: Journal
  /** events settled since the start */
  settled(): number
  /** whether the server refuses raw events of a collector that lost its lane */
  readonly fenced: boolean
  /** Writes, settles and folds what is there, then gives the lane back. */
  close(): Promise<void>
}

interface Parts {
  db: Db
  log: Log
  /** the time zones of sites as this collector knows them */
  zoneOf?: ZoneOf | undefined
  /** called for each event that is not counted, as one with its id was counted before */
  repeated?: ((event: JournalEvent) => void) | undefined
  /** when days are over, and how soon they are closed */
  closing?: Closing | undefined
}

export type Closing = Omit<PassParts, 'db'>

interface FencedParts extends Parts {
  raise: RaiseFence
}

/** @param limit bound in bytes of what may wait for the journal */
export async function startPipeline(given: Parts, limit: number): Promise<Pipeline> {
  const { db, log } = given
  const holder = createHolder()
  const fault = await testFence(db)
  const fenced = fault === undefined
  if (!fenced) log.error({ fault }, 'no session fence: a raw event may be stored twice, though it is counted once')
  const parts = { ...given, raise: fenced ? raiseFence : noFence }
  const stop = new AbortController()
  let settledBefore = 0
  let worker = workOn(parts, await leaseLane(db, holder))
  const journal = createJournal({
    pages: db.collection<StoredPage>('journal'),
    lane: () => worker.lane,
    limit,
    written: (...page) => worker.written(...page),
  })

  const keepLane = async () => {
    while (!stop.signal.aborted) {
      const lost = await worker.ended
      if (stop.signal.aborted || !lost) return
      log.warn({ lane: worker.lane.id }, lost.message)
      settledBefore += worker.settled()
      await worker.close()
      await until(stop.signal, 1_000, log, async () => {
        worker = workOn(parts, await leaseLane(db, holder))
      })
    }
  }
  const drainOrphans = () =>
    repeat(stop.signal, ORPHANS_MS, log, async () => {
      for (let lane = await leaseOrphan(db, holder); lane; lane = await leaseOrphan(db, holder)) {
        log.info({ lane: lane.id }, 'draining a lane whose holder is gone')
        await drain(parts, lane, stop.signal)
      }
    })
  const refresh = () => repeat(stop.signal, REFRESH_MS, log, () => refreshFences(db))
  const closing = { db, ...given.closing }
  const { every } = closing.pace ?? PACE
  // At times of its own, so that collectors that were started together find the work of each other done.
  const ownTime = async (pass: Pass) => {
    await pause(Math.min(every, QUIET_MS), undefined, { signal: stop.signal }).catch(() => {})
    await repeat(stop.signal, every * (0.5 + Math.random()), log, async () => {
      await pass(stop.signal).catch(error => {
        if (!stop.signal.aborted) throw error
      })
    })
  }
  const loops = [
    keepLane(),
    drainOrphans(),
    refresh(),
    ownTime(createCloser(closing)),
    ownTime(createSketcher(closing)),
    ownTime(createBlockBuilder(closing)),
  ]

  return {
    journal,
    settled: () => settledBefore + worker.settled(),
    fenced,
    async close() {
      await journal.close()
      stop.abort()
      await worker.close()
      await Promise.all(loops)
      await release(db, worker.lane).catch(error => log.warn({ err: error }, 'the lane could not be given back'))
    },
  }
}

async function drain(parts: FencedParts, lane: Lane, signal: AbortSignal): Promise<void> {
  const worker = workOn(parts, lane)
  while (!worker.lost() && !signal.aborted && (await hasWork(parts.db, lane.id))) await pause(200)
  await worker.close()
  if (!worker.lost()) await release(parts.db, lane)
}

interface LaneWorker {
  readonly lane: Lane
  written: Settler['written']
  settled(): number
  /** resolves with the reason when another collector holds the lane, with nothing when the worker was closed */
  ended: Promise<LaneLost | undefined>
  /** whether another collector holds the lane */
  lost(): boolean
  close(): Promise<void>
}

/** Settles and folds one lane and renews its lease. */
function workOn({ db, log, raise, zoneOf, repeated }: FencedParts, lane: Lane): LaneWorker {
  const stop = new AbortController()
  let lost = false
  let end: (reason?: LaneLost) => void = () => {}
  const ended = new Promise<LaneLost | undefined>(resolve => {
    end = reason => {
      lost ||= reason !== undefined
      resolve(reason)
    }
  })
  const failed = (error: unknown) => {
    if (error instanceof LaneLost) end(error)
    else log.warn({ err: error, lane: lane.id }, 'settling failed and is tried again')
  }
  const settler = startSettler({ db, lane, raise, zoneOf, repeated, failed, lost: end })
  const folder = createFolder(db, lane, zoneOf)
  const foldAll = async () => {
    while ((await folder.fold()) > 0);
  }
  const guarded = (action: () => Promise<unknown>) => () => action().catch(failed)
  const loops = [
    repeat(stop.signal, FOLD_MS, log, guarded(foldAll)),
    repeat(
      stop.signal,
      LEASE_MS / 3,
      log,
      guarded(() => renewLease(db, lane)),
    ),
  ]
  return {
    lane,
    written: settler.written,
    settled: () => settler.settled,
    ended,
    lost: () => lost,
    async close() {
      await settler.close()
      stop.abort()
      await Promise.all(loops)
      // Not where the lane was lost: its next holder has its rollups in memory.
      if (!lost) await guarded(foldAll)()
      end()
    },
  }
}

async function renewLease(db: Db, lane: Lane): Promise<void> {
  const { epoch } = lane
  await renew(db, lane).catch(error => {
    // An adoption of our own in the meantime is no loss.
    if (!(error instanceof LaneLost) || lane.epoch === epoch) throw error
  })
}

async function repeat(signal: AbortSignal, ms: number, log: Log, action: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) {
    await action().catch(error => log.warn({ err: error }, 'a step of the pipeline failed and is tried again'))
    await pause(ms, undefined, { signal }).catch(() => {})
  }
}

async function until(signal: AbortSignal, ms: number, log: Log, action: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      return await action()
    } catch (error) {
      log.error({ err: error }, 'no lane could be leased')
      await pause(ms, undefined, { signal }).catch(() => {})
    }
  }
}
