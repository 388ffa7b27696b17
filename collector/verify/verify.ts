import type { Db, MongoClient } from 'mongodb'
import { checkClosed } from './closed.ts'
import { checkIds } from './ids.ts'
import type { Fault, Report } from './kinds.ts'
import { checkPages } from './pages.ts'
import { listParked } from './parked.ts'
import { checkRollups, readFolded } from './rollups.ts'
import { knowNothing, type Scope } from './scope.ts'
import { checkSessions } from './sessions.ts'
import { countSite, sitesOf, zonesOf } from './sites.ts'

export interface VerifyOptions {
  client: MongoClient
  db: Db
  /** only this one */
  site?: string | undefined
  /** mend what can be */
  repair?: boolean | undefined
  /** now, ms: what happens later is not judged */
  began: number
  /** told which site is looked at */
  progress?: (text: string) => void
}

export class NoSuchSite extends Error {
  override name = 'NoSuchSite'
}

/**
 * Checks ids, then sessions, then counters: each stands on the one before. What is large is sorted by the server and
 * read by cursors; what differs is held in memory, and judged again at one moment.
 * @throws NoSuchSite when nothing is kept of it
 */
export async function verify({ client, db, site, repair = false, began, progress }: VerifyOptions): Promise<Report> {
  const sites = await sitesOf(db)
  if (site !== undefined && !sites.includes(site))
    throw new NoSuchSite(`there is no site "${site}": \`livetag site list\` shows them`)
  const report: Report = { ok: true, checked: { events: 0, sessions: 0, rollups: 0, seen: 0 }, found: [], repaired: [] }
  const zones = await zonesOf(db)
  // Read before any rollup is.
  const folded = await readFolded(db)
  for (const key of site === undefined ? sites : [site]) {
    progress?.(`verifying ${key}`)
    const scope: Scope = { client, db, began, truth: knowNothing(), zoneOf: one => zones.get(one) ?? 'UTC' }
    for await (const fault of check(scope, key, folded, report)) {
      report.found.push(fault.found)
      if (repair && (await mended(fault))) report.repaired.push(fault.found)
      else {
        fault.stays?.()
        if (fault.found.kind !== 'parked') report.ok = false
      }
    }
    const counts = await countSite(db, key)
    for (const name of ['events', 'sessions', 'seen'] as const) report.checked[name] += counts[name]
  }
  return report
}

async function* check(scope: Scope, site: string, folded: Map<string, number>, { checked }: Report) {
  yield* checkIds(scope, site)
  yield* checkPages(scope, site)
  yield* checkSessions(scope, site)
  const looked = (rollups: number): void => {
    checked.rollups += rollups
  }
  yield* checkRollups(scope, site, folded, looked)
  yield* checkClosed(scope, site, looked)
  yield* listParked(scope.db, site)
}

/** A repair that fails leaves what it found, and the next one is tried. */
async function mended({ found, mend }: Fault): Promise<boolean> {
  try {
    return mend ? await mend() : false
  } catch (error) {
    found.why = `mending failed: ${(error as Error).message}`
    return false
  }
}
