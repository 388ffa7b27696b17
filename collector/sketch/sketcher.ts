/** The sketcher: finds days and weeks that are over and whose sketches do not hold, and builds these. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from 'mongodb'
import { createPass, LATE_MS, type Pace, type Pass, type PassParts } from '../rollup/index.ts'
import { type Revision, readRevisions, type Session } from '../settle/index.ts'
import { dayOf } from '../zone.ts'
import { buildDay } from './build.ts'
import { ALL, type HeadDocument, heads } from './documents.ts'
import { CHANGEABLE, changedSince, isTolerated } from './read.ts'
import type { Span } from './visits.ts'
import { buildWeek, dueWeeks } from './week.ts'

/** Times the first wait: after so long sketches that answer no more are built again, and weeks of days that were. */
const STALE_WAITS = 5

type Head = Pick<HeadDocument, 'to' | 'revision' | 'visits' | 'events' | 'builtAt'>

/** Builds sketches of days, then of weeks, the newest first. */
export const createSketcher = (parts: PassParts): Pass =>
  createPass(parts, async ({ site, zone, all, began, pace, signal }) => {
    const { db } = parts
    let built = 0
    const buildAll = async (spans: Span[], build: typeof buildDay): Promise<void> => {
      for (const span of spans) {
        if (signal?.aborted) return
        const begun = performance.now()
        if (await build(db, site, span, began, signal)) built++
        // What was never sketched may be two years: half of the time is left to others.
        await pause(performance.now() - begun, undefined, signal ? { signal } : {}).catch(() => {})
      }
    }
    const asked = await daysFrom(db, site, zone, all ? 0 : began - LATE_MS, began)
    if (asked === undefined) return built
    await buildAll(await dueDays(db, { site, zone, from: asked, began, pace }), buildDay)
    const wait = STALE_WAITS * pace.first
    await buildAll(await dueWeeks(db, { site, zone, from: asked, to: began, wait }), buildWeek)
    return built
  })

/** Begin of the first day on which something was, or of the one that holds `asked`, ms, where that is later. */
async function daysFrom(db: Db, site: string, zone: string, asked: number, now: number): Promise<number | undefined> {
  const [first] = await db
    .collection<Session>('sessions')
    .find({ site }, { projection: { start: 1 } })
    .sort({ start: 1 })
    .limit(1)
    .toArray()
  // Events without a session may be older.
  const [revised] = await db
    .collection<{ day: Date }>('revisions')
    .find({ site }, { projection: { day: 1 } })
    .sort({ day: 1 })
    .limit(1)
    .toArray()
  if (!first && !revised) return undefined
  return dayOf(Math.max(Math.min(+(first?.start ?? now), +(revised?.day ?? now)), asked), zone).start
}

interface Asked {
  site: string
  zone: string
  /** begin of the first day, ms */
  from: number
  began: number
  pace: Pace
}

/** The newest first. */
async function dueDays(db: Db, { site, zone, from, began, pace }: Asked): Promise<Span[]> {
  const at = { $gte: new Date(from), $lt: new Date(began) }
  const projection = { at: 1, to: 1, builtAt: 1, ...CHANGEABLE }
  const held = new Map<number, Head>()
  for await (const head of heads(db).find({ site, dim: ALL, at }, { projection })) held.set(+head.at, head)
  const revisions = await readRevisions(db, site, { from, to: began }, {})
  const due: Span[] = []
  for (let at = from; at < began; ) {
    const { start, end } = dayOf(at, zone)
    const head = held.get(start)
    const revision = revisions(start, end)
    const isEmpty = !head && revision.visits === 0 && revision.events === 0 && !(await hasAny(db, site, start, end))
    if (!isEmpty && isDue(head, end, revision, began, pace)) due.push({ from: start, to: end })
    at = end
  }
  return due.reverse()
}

/** Of days from before there were revisions nothing else tells. */
async function hasAny(db: Db, site: string, from: number, to: number): Promise<boolean> {
  const within = { $gte: new Date(from), $lt: new Date(to) }
  const one = { projection: { _id: 1 } }
  if (await db.collection<Session>('sessions').findOne({ site, start: within }, one)) return true
  return (await db.collection('events').findOne({ 'meta.site': site, ts: within }, one)) !== null
}

function isDue(head: Head | undefined, end: number, revision: Revision, now: number, pace: Pace): boolean {
  const changed = head && [changedSince(head, revision, 'visits'), changedSince(head, revision, 'events')]
  // Also one of a zone of before, whose day began at the same time, and one without its events.
  if (!changed || +head.to !== end) return now >= end + pace.first
  if (changed.every(one => one && one.pending <= 0)) return false
  const answers = changed.every(one => one && isTolerated(one))
  return now >= +head.builtAt + (answers ? pace.later : STALE_WAITS * pace.first)
}
