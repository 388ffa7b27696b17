import type { Db } from 'mongodb'
import { type Lane, noteChange, release, renew } from '../settle/index.ts'
import { addGoal, GoalError, listSites } from '../sites/index.ts'
import { GOALS } from './goals.ts'
import { historyOf, type Plan } from './history.ts'
import { planOf, SeedError, type SeedOptions } from './options.ts'
import { keepLane, leaseOwn, takeNumber } from './own-lane.ts'
import { refuseMore, refuseRepeat } from './refuse.ts'
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
 * Writes a history into a site, on a lane of its own, and makes its goals there. What is written is what settle and fold would have made of the same
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
  if (!add) await refuseMore(db, site)
  await refuseRepeat(db, plan)
  // Where nothing else is, all events carry them.
  const carried = add ? undefined : new Date(0)
  for (const goal of GOALS) {
    // One that the site has already by this name stays as it is.
    await addGoal(db, site.key, goal, new Date(now), carried).catch(error => {
      if (!(error instanceof GoalError)) throw error
    })
  }
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
    `db.touch.deleteMany({ site: ${key} })`,
    `db.manifest.deleteMany({ site: ${key} })`,
    `db.blocks.deleteMany({ site: ${key} })`,
    `db.sketches.deleteMany({ site: ${key} })`,
  ].join('\n  ')
}

async function write(parts: SeedParts, plan: Plan, lane: Lane): Promise<SeedReport> {
  const { db, signal, progress, now, withoutEvents = false } = parts
  const started = performance.now()
  const primary = await electionOf(db)
  const keeping = keepLane(db, lane)
  try {
    const upto = await takeNumber(db, lane)
    const writer = startWriter(db, { lane: lane.id, upto, zone: plan.site.timezone, now, raw: !withoutEvents })
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
    await noteChange(db)
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

/** Which election made the primary, where there is a replica set. */
const electionOf = async (db: Db): Promise<string> => String((await db.command({ hello: 1 })).electionId)
