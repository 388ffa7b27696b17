/**
 * Going through all sites again and again, for what is over and not built, or not built of what there is now: closed days, weeks
 * and months (`closer.ts`), and sketches.
 */
import { createHash } from 'node:crypto'
import type { Db } from 'mongodb'
import { readChanges } from '../settle/index.ts'

/** How often is looked, and how long is waited, ms. */
export interface Pace {
  /** between two looks */
  every: number
  /** after the end of a day, and after it was built for the first time: late events come in groups */
  first: number
  /** after it was built again */
  later: number
  /** between two looks at all that is kept, if nothing says that it was changed: what was never touched; 6 h if absent */
  all?: number
}

export const PACE: Pace = { every: 60_000, first: 60_000, later: 3_600_000 }
const DAY_MS = 86_400_000
const ALL_MS = 6 * 3_600_000
/** Within this time days change by events, ms: these are up to seven days late. */
export const LATE_MS = 9 * DAY_MS

export interface PassParts {
  db: Db
  /**
   * ms since the epoch; the server's if absent, by whose time hours expire. It decides what is over, and when: never what is
   * counted.
   */
  now?: (() => number | Promise<number>) | undefined
  pace?: Pace | undefined
}

/** One look at one site. */
export interface Look {
  site: string
  zone: string
  /** all that is kept, or what late events may have changed */
  all: boolean
  /** when the pass began, ms since the epoch */
  began: number
  pace: Pace
  signal: AbortSignal | undefined
}

/** Builds what is due of all sites; gives back how much. Any number of collectors may do so at the same time. */
export type Pass = (signal?: AbortSignal) => Promise<number>

/**
 * @param build of one site, what is due; gives back how much. Looks at all that is kept in the beginning, when the zone is
 *   another one, and when counts were changed other than by settling, as by a history that was written.
 * @param fields of the site's document that it depends on, too: when one of them was changed, it looks at all
 */
export function createPass(
  { db, now = () => serverTime(db), pace = PACE }: PassParts,
  build: (look: Look) => Promise<number>,
  fields: readonly string[] = [],
): Pass {
  /** when all of a site was looked at, what it depended on, and after how many changes */
  const looked = new Map<string, { at: number; changes: number; by: string }>()
  const projection = Object.fromEntries(['timezone', ...fields].map(field => [field, 1]))
  return async signal => {
    const began = await now()
    const changes = await readChanges(db)
    let built = 0
    const sites = db.collection<{ _id: string; timezone: string }>('sites').find({}, { projection })
    // Of the others there is nothing to build, and a deployment may have thousands.
    const counted = new Set<string>(await db.collection('rollups').distinct('site'))
    const all = (await sites.toArray()).filter(({ _id }) => counted.has(_id))
    // Begins anywhere: where collectors end all the time, each site has its turn.
    const first = Math.floor(Math.random() * all.length)
    for (const found of [...all.slice(first), ...all.slice(0, first)]) {
      if (signal?.aborted) break
      const { _id: site, timezone: zone } = found
      const by = createHash('sha256').update(JSON.stringify(found)).digest('base64')
      const last = looked.get(site)
      const isSame = last?.by === by && last.changes === changes
      const isWhole = !isSame || last.at < began - (pace.all ?? ALL_MS)
      built += await build({ site, zone, all: isWhole, began, pace, signal })
      // Not where it was ended in the middle.
      if (isWhole && !signal?.aborted) looked.set(site, { at: began, by, changes })
    }
    return built
  }
}

/** By the clock of the server that answers, ms since the epoch. */
const serverTime = async (db: Db): Promise<number> => +(await db.command({ hello: 1 })).localTime
