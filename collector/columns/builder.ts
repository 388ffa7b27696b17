/** Goes through days that are over and whose blocks do not hold, and builds these, the newest first. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from 'mongodb'
import { createPass, LATE_MS, type Pace, type Pass, type PassParts } from '../rollup/index.ts'
import { readRevisions, type Session } from '../settle/index.ts'
import type { Site } from '../sites/index.ts'
import { dayOf } from '../zone.ts'
import { columns, countColumns, LAYOUT, type ManifestDocument, manifests } from './documents.ts'
import { type Holds, hasGoals, readHolds, readManifests } from './fresh.ts'
import type { Span } from './read-raw.ts'
import { buildBlocks, type DayAsked, removeOverlapping } from './write.ts'

/** A version that no manifest has is somebody's work for so long, ms: reading a day takes less, and writing it, too. */
const ABANDONED_MS = 30 * 60_000

/** @param abandoned from which age on, ms, columns that no manifest has are nobody's work */
export function createBlockBuilder(parts: PassParts, abandoned = ABANDONED_MS): Pass {
  const { db } = parts
  /** days that are too large, and when that was seen */
  const large = new Map<string, number>()
  return createPass(
    parts,
    async ({ site, zone, all, began, pace, signal }) => {
      const first = await firstDay(db, site, zone, all ? 0 : began - LATE_MS, began)
      if (all) await sweep(db, site, abandoned)
      if (first === undefined) return 0
      const wanted = await wantedOf(db, site)
      let built = 0
      for (const day of await dueDays(db, { site, zone, all, from: first, began, pace, ...wanted })) {
        if (signal?.aborted) return built
        const key = `${site}/${day.from}`
        if (began < (large.get(key) ?? Number.NEGATIVE_INFINITY) + pace.later) continue
        const begun = performance.now()
        // What was made meanwhile is in it at once.
        const outcome = await buildBlocks(db, { site, ...(await wantedOf(db, site)), ...day }, began, signal)
        if (outcome === 'too-large') large.set(key, began)
        if (outcome === 'built') built++
        // What was never built may be two years: half of the time is left to others.
        await pause(performance.now() - begun, undefined, signal ? { signal } : {}).catch(() => {})
      }
      return built
    },
    WANTED,
  )
}

/** What of a site its days are built with. */
const WANTED = ['properties', 'goals'] as const
type Wanted = Pick<DayAsked, (typeof WANTED)[number]>

async function wantedOf(db: Db, site: string): Promise<Wanted> {
  const projection = Object.fromEntries(WANTED.map(field => [field, 1]))
  const found = await db
    .collection<Pick<Site, (typeof WANTED)[number]> & { _id: string }>('sites')
    .findOne({ _id: site }, { projection })
  return { properties: (found?.properties ?? []).map(({ name }) => name), goals: found?.goals }
}

/** Begin of the first day on which something was, or of the one that holds `asked`, ms, where that is later. */
async function firstDay(db: Db, site: string, zone: string, asked: number, now: number): Promise<number | undefined> {
  const [first] = await db
    .collection<Session>('sessions')
    .find({ site }, { projection: { start: 1 } })
    .sort({ start: 1 })
    .limit(1)
    .toArray()
  const event = await nextEvent(db, site, 0, now)
  const begin = Math.min(+(first?.start ?? now), event)
  return begin < now ? dayOf(Math.max(begin, asked), zone).start : undefined
}

interface Asked extends Omit<DayAsked, 'to'> {
  zone: string
  /** also those whose columns are not all there */
  all: boolean
  began: number
  pace: Pace
}

async function dueDays(db: Db, { site, zone, all, from, began, pace, properties, goals }: Asked): Promise<Span[]> {
  const span = { from, to: began }
  const revisions = await readRevisions(db, site, span, {})
  const { held, holds, isWhole } = await db.client.withSession({ snapshot: true }, async session => {
    const held = await readManifests(db, site, span, { session })
    const counted = all ? await countColumns(db, site, { session }) : undefined
    const isWhole = ({ version, columns }: ManifestDocument) => !counted || counted.get(String(version)) === columns
    return { held, holds: await readHolds(db, site, held, { session }), isWhole }
  })
  const byBegin = new Map(held.map(manifest => [+manifest.at, manifest]))
  const due: Span[] = []
  let next = Number.NEGATIVE_INFINITY
  for (let at = from; at < began; ) {
    const { start, end } = dayOf(at, zone)
    const manifest = byBegin.get(start)
    const { visits, events } = revisions(start, end)
    if (!manifest && visits === 0 && events === 0 && next < start) next = await nextEvent(db, site, start, began)
    const isEmpty = !manifest && visits === 0 && events === 0 && next >= end
    if (!isEmpty && end <= began) {
      if (isDue(manifest, end, holds, { began, pace, properties, goals }) || (manifest && !isWhole(manifest)))
        due.push({ from: start, to: end })
      // Who built this day has ended before those of another zone were removed.
      else if (manifest && held.some(one => one !== manifest && +one.at < end && +one.to > start))
        await removeOverlapping(db, { site, from: start, to: end })
    }
    at = end
  }
  return due.reverse()
}

/**
 * When the first event from then on was, ms, or `to`: of days from before there were revisions, and of bots without a session,
 * nothing else tells.
 */
async function nextEvent(db: Db, site: string, from: number, to: number): Promise<number> {
  const [event] = await db
    .collection<{ ts: Date }>('events')
    .find({ 'meta.site': site, ts: { $gte: new Date(from), $lt: new Date(to) } }, { projection: { _id: 0, ts: 1 } })
    .sort({ ts: 1 })
    .limit(1)
    .toArray()
  return event ? +event.ts : to
}

function isDue(
  manifest: ManifestDocument | undefined,
  end: number,
  holds: Holds,
  { began: now, pace, properties, goals }: Pick<Asked, 'began' | 'pace' | 'properties' | 'goals'>,
): boolean {
  // Also one of a zone of before, whose day began at the same time.
  if (!manifest || +manifest.to !== end) return now >= end + pace.first
  if (properties.some(name => !manifest.properties.includes(name))) return true
  if (manifest.layout !== LAYOUT || !hasGoals(manifest, goals)) return true
  const wait = manifest.built < 2 ? pace.first : pace.later
  return now >= +manifest.builtAt + wait && !holds(manifest)
}

/** Columns that no manifest has: of who ended in the middle, and of days that are gone. */
async function sweep(db: Db, site: string, age: number): Promise<void> {
  // Before manifests are read, so that those that get one meanwhile are there.
  const versions = await columns(db).distinct('version', { site })
  const kept = new Set((await manifests(db).distinct('version', { site })).map(String))
  const abandoned = versions.filter(
    version => !kept.has(String(version)) && +version.getTimestamp() <= Date.now() - age,
  )
  if (abandoned.length > 0) await columns(db).deleteMany({ site, version: { $in: abandoned } })
}
