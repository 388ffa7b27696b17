/** How far goals are backfilled: the job is the block builder's, and what it has done is what manifests say. */
import type { Db } from 'mongodb'
import { readRevisions } from '../settle/index.ts'
import { carriedFrom, type Goal, markOf } from '../sites/index.ts'
import { dayOf } from '../zone.ts'
import { readManifests } from './fresh.ts'
import { MOST_OF_DAY } from './write.ts'

/** Of the days that were over when a goal was made, and that have events. */
export interface Progress {
  days: number
  /** whose columns have it */
  done: number
}

/**
 * Of each of these goals, in their order. Days that are too large for columns are left out: these are always read from events.
 * @param now ms since the epoch
 */
export async function readProgress(
  db: Db,
  { site, zone, goals }: { site: string; zone: string; goals: readonly Goal[] },
  now: number,
): Promise<Progress[]> {
  const asked = goals.map(goal => ({ from: carriedFrom(goal), mark: markOf(goal), progress: { days: 0, done: 0 } }))
  const to = Math.min(now, Math.max(0, ...asked.map(({ from }) => from)))
  const progress = asked.map(one => one.progress)
  const span = { from: 0, to }
  const [manifests, revisions, [first]] = await Promise.all([
    readManifests(db, site, span, { projection: { at: 1, to: 1, goals: 1 } }),
    readRevisions(db, site, span, {}),
    db
      .collection<{ day: Date }>('revisions')
      .find({ site }, { projection: { day: 1 } })
      .sort({ day: 1 })
      .limit(1)
      .toArray(),
  ])
  const byBegin = new Map(manifests.map(manifest => [+manifest.at, manifest]))
  const begin = Math.min(+(manifests[0]?.at ?? to), +(first?.day ?? to))
  for (let at = begin; at < to; ) {
    const { start, end } = dayOf(at, zone)
    at = end
    const manifest = byBegin.get(start)
    const { events, visits } = revisions(start, end)
    const isEmpty = !manifest && events === 0 && visits === 0
    if (isEmpty || events + visits > MOST_OF_DAY) continue
    const has = new Set(+(manifest?.to ?? Number.NaN) === end ? manifest?.goals : [])
    for (const { from, mark, progress } of asked) {
      if (end > from || end > now) continue
      progress.days++
      if (has.has(mark)) progress.done++
    }
  }
  return progress
}
