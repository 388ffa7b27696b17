/** The sketcher: finds days that are over and whose sketches do not hold, and builds these. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from 'mongodb'
import { PACE, type Pace, serverTime } from '../rollup/index.ts'
import { readRevisions, type Session } from '../settle/index.ts'
import { dayOf } from '../zone.ts'
import { buildDay } from './build.ts'
import { ALL, type HeadDocument, heads } from './documents.ts'
import { isTolerated } from './read.ts'
import type { Span } from './visits.ts'

const DAY_MS = 86_400_000
/** Within this time days change by events: these are up to seven days late. */
const LATE_MS = 9 * DAY_MS
/** How often all that is kept is looked at: what was changed by other means, ms. */
const ALL_MS = 6 * 3_600_000
/** Times the first wait: after so long sketches that answer no more are built again. */
const STALE_WAITS = 5

export interface Sketcher {
  /** Builds what is due, the newest days first; gives back how many. Any number of collectors may do so at the same time. */
  pass(signal?: AbortSignal): Promise<number>
}

export interface SketcherParts {
  db: Db
  /** ms since the epoch; the server's if absent. It decides when a day is over, never what is counted. */
  now?: (() => number | Promise<number>) | undefined
  pace?: Pace | undefined
}

type Head = Pick<HeadDocument, 'to' | 'revision' | 'visits' | 'builtAt'>

export function createSketcher({ db, now = () => serverTime(db), pace = PACE }: SketcherParts): Sketcher {
  /** when all of a site was looked at, and in which zone */
  const looked = new Map<string, { at: number; zone: string }>()

  const sketchSite = async (site: string, zone: string, began: number, signal?: AbortSignal): Promise<number> => {
    const last = looked.get(site)
    const all = last?.zone !== zone || last.at < began - (pace.all ?? ALL_MS)
    let built = 0
    for (const day of await dueDays(db, { site, zone, from: all ? 0 : began - LATE_MS, began, pace })) {
      if (signal?.aborted) return built
      const begun = performance.now()
      if (await buildDay(db, site, day, began, signal)) built++
      // What was never sketched may be two years: half of the time is left to others.
      await pause(performance.now() - begun, undefined, signal ? { signal } : {}).catch(() => {})
    }
    if (all) looked.set(site, { at: began, zone })
    return built
  }

  return {
    async pass(signal) {
      const began = await now()
      let built = 0
      const sites = db.collection<{ _id: string; timezone: string }>('sites')
      for (const { _id, timezone } of await sites.find({}, { projection: { timezone: 1 } }).toArray()) {
        if (signal?.aborted) break
        built += await sketchSite(_id, timezone, began, signal)
      }
      return built
    },
  }
}

interface Asked {
  site: string
  zone: string
  /** ms; or from the first session on, where that is later */
  from: number
  began: number
  pace: Pace
}

/** The newest first. */
async function dueDays(db: Db, { site, zone, from: asked, began, pace }: Asked): Promise<Span[]> {
  const [first] = await db
    .collection<Session>('sessions')
    .find({ site }, { projection: { start: 1 } })
    .sort({ start: 1 })
    .limit(1)
    .toArray()
  if (!first) return []
  const from = dayOf(Math.max(+first.start, asked), zone).start
  const at = { $gte: new Date(from), $lt: new Date(began) }
  const projection = { at: 1, to: 1, revision: 1, visits: 1, builtAt: 1 }
  const held = new Map<number, Head>()
  for await (const head of heads(db).find({ site, dim: ALL, at }, { projection })) held.set(+head.at, head)
  const revisions = await readRevisions(db, site, { from, to: began }, {})
  const due: Span[] = []
  for (let at = from; at < began; ) {
    const { start, end } = dayOf(at, zone)
    const head = held.get(start)
    if (isDue(head, end, revisions(start, end), began, pace)) due.push({ from: start, to: end })
    at = end
  }
  return due.reverse()
}

function isDue(head: Head | undefined, end: number, revision: number, now: number, pace: Pace): boolean {
  // Also one of a zone of before, whose day began at the same time.
  if (!head || +head.to !== end) return now >= end + pace.first
  const pending = revision - head.revision
  if (pending <= 0) return false
  return now >= +head.builtAt + (isTolerated(pending, head) ? pace.later : STALE_WAITS * pace.first)
}
