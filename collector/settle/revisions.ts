/**
 * What of sessions has changed, by the hour in which their visits begin, and how many events have come, by theirs: raised in
 * the transaction that counts them, so that whoever has read the revisions of a time, and then its sessions or events, knows
 * by the same sum that these are still the same. (Events are there before that transaction: who reads some too early finds
 * the sum raised later.) By hours of UTC, so that the site's zone does not matter; by lane, so that lanes do not wait for
 * each other.
 */
import type { AnyBulkWriteOperation, ClientSession, Db, FindOptions } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { ATTRIBUTES, type Attribute, type JournalEvent } from '../journal/index.ts'
import { KEPT } from '../store/index.ts'
import { HOUR_MS } from './hour-grid.ts'
import { isInHours } from './hours.ts'
import type { Session } from './sessions.ts'

const DAY_MS = 24 * HOUR_MS
/** Of who mends sessions instead of counting them. */
export const NO_LANE = -1

export interface RevisionDocument {
  _id: string
  site: string
  /** a day of UTC */
  day: Date
  lane: number
  /** by the hour, from 0 to 23: how many times a session with a visit that begins in it has changed */
  hours?: Record<string, number>
  /** by the hour: how many events there are, without bots; of those that came before this was counted there are none */
  events?: Record<string, number>
  expires: Date
}

/** By begin of the hour, ms since the epoch. */
type Hours = Map<number, number>
/** By site. */
export type Revised = Map<string, { visits: Hours; events: Hours }>

const ATTRIBUTE_NAMES = [
  'visitor',
  'bot',
  'host',
  'entry',
  'exit',
  ...(Object.keys(ATTRIBUTES) as Attribute[]),
] as const

/**
 * Notes a change of what a visit is told apart by: its begin, its visitor and its attributes; what it has done only where hours
 * do not tell that, as of bots.
 */
export function noteRevision(revised: Revised, before: Session | undefined, after: Session | undefined): void {
  if (before && after && isInHours(after) && isSame(before, after)) return
  const hours = new Set([...startsOf(before), ...startsOf(after)].map(at => Math.floor(at / HOUR_MS) * HOUR_MS))
  const { visits } = ofSite(revised, (after ?? before)?.site ?? '')
  for (const hour of hours) visits.set(hour, (visits.get(hour) ?? 0) + 1)
}

/** Notes an event that is counted. */
export function noteEvent(revised: Revised, { site, ts, bot }: Pick<JournalEvent, 'site' | 'ts' | 'bot'>): void {
  if (bot !== undefined) return
  const { events } = ofSite(revised, site)
  const hour = Math.floor(ts.getTime() / HOUR_MS) * HOUR_MS
  events.set(hour, (events.get(hour) ?? 0) + 1)
}

const ofSite = (revised: Revised, site: string) =>
  getOrAdd(revised, site, () => ({ visits: new Map() as Hours, events: new Map() as Hours }))

const startsOf = (session: Session | undefined): number[] =>
  session ? (session.visits ?? [session]).map(({ start }) => start.getTime()) : []

function isSame(before: Session, after: Session): boolean {
  if (ATTRIBUTE_NAMES.some(name => before[name] !== after[name])) return false
  const [old, now] = [startsOf(before), startsOf(after)]
  return old.length === now.length && old.every((start, i) => start === now[i])
}

/** @param session of the transaction that changes the sessions; without one: after they are written, of a majority */
export async function raiseRevisions(db: Db, lane: number, revised: Revised, session?: ClientSession): Promise<void> {
  const raised: AnyBulkWriteOperation<RevisionDocument>[] = []
  for (const [site, { visits, events }] of revised) {
    for (const [day, inc] of byDay({ hours: visits, events })) {
      const $setOnInsert = { site, day: new Date(day), lane, expires: new Date(day + KEPT.events) }
      raised.push({
        updateOne: { filter: { _id: `${site}/${day}/${lane}` }, update: { $inc: inc, $setOnInsert }, upsert: true },
      })
    }
  }
  if (raised.length === 0) return
  const options = session ? { session } : { writeConcern: { w: 'majority', journal: true } as const }
  await db.collection<RevisionDocument>('revisions').bulkWrite(raised, { ...options, ordered: false })
}

function byDay(raised: Record<'hours' | 'events', Hours>): Map<number, Record<string, number>> {
  const days = new Map<number, Record<string, number>>()
  for (const [field, hours] of Object.entries(raised)) {
    for (const [at, n] of hours) {
      const day = Math.floor(at / DAY_MS) * DAY_MS
      getOrAdd<number, Record<string, number>>(days, day, () => ({}))[`${field}.${(at - day) / HOUR_MS}`] = n
    }
  }
  return days
}

/** How often sessions were revised, and how many events came. */
export interface Revision {
  visits: number
  events: number
}

/** Of all lanes: the sum over the hours that hold some of a time, ms since the epoch. */
type RevisionSum = (from: number, to: number) => Revision

/** @param options with a session in which sessions or events are read afterwards, or at the same moment */
export async function readRevisions(
  db: Db,
  site: string,
  { from, to }: { from: number; to: number },
  options: FindOptions,
): Promise<RevisionSum> {
  const day = { $gte: new Date(from - DAY_MS), $lt: new Date(to) }
  const visits: Hours = new Map()
  const events: Hours = new Map()
  for await (const document of db.collection<RevisionDocument>('revisions').find({ site, day }, options)) {
    for (const [sums, hours] of [
      [visits, document.hours],
      [events, document.events],
    ] as const) {
      for (const [hour, n] of Object.entries(hours ?? {})) {
        const begin = +document.day + Number(hour) * HOUR_MS
        sums.set(begin, (sums.get(begin) ?? 0) + n)
      }
    }
  }
  return (from, to) => {
    const sum = { visits: 0, events: 0 }
    for (let at = Math.floor(from / HOUR_MS) * HOUR_MS; at < to; at += HOUR_MS) {
      sum.visits += visits.get(at) ?? 0
      sum.events += events.get(at) ?? 0
    }
    return sum
  }
}
