import type { Db } from 'mongodb'
import {
  createHolder,
  hasWork,
  type Lane,
  LEASE_MS,
  lanes,
  leaseLane,
  release,
  renew,
  type Session,
} from '../settle/index.ts'
import { listSites, type Site } from '../sites/index.ts'
import { historyOf, type Plan } from './history.ts'
import { planOf, SeedError, type SeedOptions } from './options.ts'
import { startTally, type Totals } from './totals.ts'
import { type Stored, startWriter } from './write.ts'

export interface SeedParts extends SeedOptions {
  db: Db
  /** key of the site */
  site: string
  /** also where there are events already */
  add?: boolean | undefined
  /** sessions and rollups alone */
  withoutEvents?: boolean | undefined
  /** ends it early: no visit begins any more, and those that have begun are written to their end */
  signal?: AbortSignal
  /** told how many events have been made, now and then */
  progress?: (events: number) => void
  /** ms */
  now: number
}

export interface SeedReport extends Totals {
  site: string
  seed: number
  /** begin of the first day and end of the last one, ISO 8601 */
  from: string
  to: string
  /** whether it was ended early */
  interrupted: boolean
  lane: number
  /** documents */
  stored: Stored
  /** how long it took, s */
  seconds: number
}

/**
 * Writes a history into a site, on a lane of its own. What is written is what settle and fold would have made of the same
 * events, but for the claims of their ids.
 * @throws SeedError when it is refused, and then nothing was written; {@link HalfWritten} when it broke off
 */
export async function seed(parts: SeedParts): Promise<SeedReport> {
  const { db, add = false, now } = parts
  const site = (await listSites(db)).find(({ key }) => key === parts.site)
  if (!site)
    throw new SeedError(
      `there is no site "${parts.site}": \`livetag site list\` shows them, \`livetag site add\` makes one`,
    )
  const plan = planOf(site, parts, now)
  if (!add && (await hasAnything(db, site))) {
    throw new SeedError(
      `the site "${site.key}" has events already: make another one with \`livetag site add\`, or say --add to put the history beside them`,
    )
  }
  await refuseRepeat(db, plan)
  const lane = await leaseOwn(db, site)
  try {
    return await write(parts, plan, lane)
  } catch (error) {
    throw new HalfWritten(
      `${(error as Error).message}\nWhat was written until then is not whole.\n${removalOf(site.key, add)}`,
      { cause: error },
    )
  } finally {
    await release(db, lane).catch(() => {})
  }
}

/** It broke off in the middle: what is there has to be removed. */
export class HalfWritten extends Error {
  override name = 'HalfWritten'
}

/** How to get rid of what was written, for `mongosh`. */
export function removalOf(site: string, added: boolean): string {
  const key = JSON.stringify(site)
  return [
    `To remove it${added ? ', with all else that the site has' : ''}, in mongosh on its database:`,
    `db.events.deleteMany({ "meta.site": ${key} })`,
    `db.sessions.deleteMany({ site: ${key} })`,
    `db.rollups.deleteMany({ site: ${key} })`,
  ].join('\n  ')
}

async function hasAnything(db: Db, { key: site }: Site): Promise<boolean> {
  const found = await Promise.all([
    db.collection('events').findOne({ 'meta.site': site }, { projection: { _id: 1 } }),
    db.collection('sessions').findOne({ site }, { projection: { _id: 1 } }),
    db.collection('rollups').findOne({ site }, { projection: { _id: 1 } }),
  ])
  return found.some(one => one !== null)
}

/** The same history again would double its events: its first session tells. */
async function refuseRepeat(db: Db, plan: Plan): Promise<void> {
  const [first] = historyOf(plan)
  const _id = first?.sessions[0]?._id
  if (_id === undefined || !(await db.collection<Session>('sessions').findOne({ _id }))) return
  throw new SeedError(`the site "${plan.site.key}" has this very history already: take another --seed`)
}

/** A lane that no page waits in and that has no rollups of the site, so that each of them is written once. */
const leaseOwn = (db: Db, { key: site }: Site): Promise<Lane> =>
  leaseLane(
    db,
    createHolder(),
    async lane => !(await hasWork(db, lane)) && (await db.collection('rollups').findOne({ site, lane })) === null,
  )

async function write(parts: SeedParts, plan: Plan, lane: Lane): Promise<SeedReport> {
  const { db, signal, progress, now, withoutEvents = false } = parts
  const started = performance.now()
  const primary = await electionOf(db)
  const keeping = keep(db, lane)
  try {
    const writer = startWriter(db, { lane: lane.id, upto: await takeNumber(db, lane), now, raw: !withoutEvents })
    const tally = startTally()
    let made = 0
    for (const minute of historyOf(plan, () => signal?.aborted === true)) {
      keeping.check()
      tally.add(minute)
      await writer.write(minute)
      made += minute.events.length
      progress?.(made)
    }
    await writer.end()
    keeping.check()
    // Of a majority, which then has all that was written before, too.
    await renew(db, lane)
    if ((await electionOf(db)) !== primary)
      throw new Error('the primary of the replica set has changed meanwhile, and may have lost writes')
    return {
      site: plan.site.key,
      seed: plan.seed,
      from: new Date(plan.from).toISOString(),
      to: new Date(plan.to).toISOString(),
      interrupted: made < plan.events,
      lane: lane.id,
      stored: writer.stored,
      seconds: Math.round((performance.now() - started) / 100) / 10,
      ...tally.totals(),
    }
  } finally {
    keeping.end()
  }
}

/** One settle number stands for the whole history: what is settled later on this lane comes after it. */
async function takeNumber(db: Db, { id: _id, holder, epoch }: Lane): Promise<number> {
  const lane = await lanes(db).findOneAndUpdate(
    { _id, holder, epoch },
    { $inc: { settled: 1 } },
    { returnDocument: 'after' },
  )
  if (!lane) throw new Error(`lane ${_id} has another holder`)
  return lane.settled
}

/** Renews the lease; `check` throws when that has failed. */
function keep(db: Db, lane: Lane) {
  let failure: unknown
  const timer = setInterval(() => {
    renew(db, lane).catch(error => {
      failure = error
    })
  }, LEASE_MS / 3)
  return {
    check() {
      if (failure !== undefined) throw failure
    },
    end: () => clearInterval(timer),
  }
}

/** Which election made the primary, where there is a replica set. */
const electionOf = async (db: Db): Promise<string> => String((await db.command({ hello: 1 })).electionId)
