/** The closer: finds days and months that are over and not built of what their hours hold now, and builds them. */
import type { Db, Filter } from 'mongodb'
import type { HourDimension } from '../journal/index.ts'
import { KEPT } from '../store/index.ts'
import { monthOf } from '../zone.ts'
import { type ClosedSpan, closeSpan } from './close.ts'
import type { ClosedDocument, ClosedGrain } from './closed.ts'
import type { RollupDocument } from './rollup.ts'
import { daySpan, isStale, readTouches, type Touch } from './touch.ts'

/** How often is looked, and how long is waited, ms. */
export interface Pace {
  /** between two looks */
  every: number
  /** after the end of a day, and after it was built for the first time: late events come in groups */
  first: number
  /** after it was built again */
  later: number
  /** between two looks at all that is kept: what was changed by other means, and what was never touched; 6 h if absent */
  all?: number
}

export const PACE: Pace = { every: 60_000, first: 60_000, later: 3_600_000 }
const DAY_MS = 86_400_000
/** Within this time days change by events: these are up to seven days late. */
const LATE_MS = 9 * DAY_MS
const ALL_MS = 6 * 3_600_000
/** One of them has a row in each hour in which something was. */
const TELLING: HourDimension[] = ['total', 'visits', 'bot']

export interface Closer {
  /** Closes what is due; gives back how many days and months. Any number of collectors may do so at the same time. */
  pass(signal?: AbortSignal): Promise<number>
}

export interface CloserParts {
  db: Db
  /**
   * ms since the epoch; the server's if absent, by whose time hours expire. It decides what is over, and when: never what is
   * counted.
   */
  now?: (() => number | Promise<number>) | undefined
  pace?: Pace
}

type Span = Pick<ClosedSpan, 'from' | 'to'>
type Head = Pick<ClosedDocument, 'grain' | 'at' | 'to' | 'built' | 'builtAt' | 'upto' | 'mended'>

export function createCloser({ db, now = () => serverTime(db), pace = PACE }: CloserParts): Closer {
  /** when all of a site was looked at, and in which zone */
  const looked = new Map<string, { at: number; zone: string }>()
  /** spans whose hours do not tell, and when that was seen */
  const unfit = new Map<string, number>()

  const closeSite = async (site: string, zone: string, began: number, signal?: AbortSignal): Promise<number> => {
    const last = looked.get(site)
    const all = last?.zone !== zone || last.at < began - (pace.all ?? ALL_MS)
    let closed = 0
    // Months are built of days.
    for (const grain of ['day', 'month'] as const) {
      for (const span of await dueSpans(db, { site, zone, all, grain, began, pace })) {
        if (signal?.aborted) return closed
        const key = `${site}/${grain}/${span.from}`
        if (began < (unfit.get(key) ?? began - pace.later) + pace.later) continue
        unfit.delete(key)
        const outcome = await closeSpan(db, { site, grain, zone, ...span }, began, signal)
        if (outcome === 'closed') closed++
        else if (outcome === 'unfit') unfit.set(key, began)
      }
    }
    if (all) looked.set(site, { at: began, zone })
    return closed
  }

  return {
    async pass(signal) {
      const began = await now()
      let closed = 0
      const sites = db
        .collection<{ _id: string; timezone: string }>('sites')
        .find({}, { projection: { timezone: 1 } })
        .sort({ _id: 1 })
      for (const { _id, timezone } of await sites.toArray()) {
        if (signal?.aborted) break
        closed += await closeSite(_id, timezone, began, signal)
      }
      return closed
    },
  }
}

interface Asked {
  site: string
  zone: string
  /** all that is kept, or what late events may have changed */
  all: boolean
  grain: ClosedGrain
  began: number
  pace: Pace
}

async function dueSpans(db: Db, { site, zone, all, grain, began, pace }: Asked): Promise<Span[]> {
  // A day sooner than they expire: what has lost some of its hours stays as it is.
  const oldest = began - KEPT.hours + DAY_MS
  const from = all ? oldest : spanOf(grain, began - LATE_MS, zone).from
  const range = { site, from, to: began }
  const touches = await readTouches(db, range, {})
  const spans = new Map<number, Span>()
  let last: Span | undefined
  const note = (at: number): void => {
    // Neighbors mostly have the same one, and finding it takes time.
    if (last && at >= last.from && at < last.to) return
    const span = spanOf(grain, at, zone)
    last = span
    if (span.from >= oldest && span.to <= began) spans.set(span.from, span)
  }
  for (const touch of touches) {
    note(touch.from)
    note(touch.to - 1)
  }
  if (all) for (const at of await hoursIn(db, range)) note(at)
  const heads = await headsIn(db, range, grain)
  return [...spans.values()]
    .filter(span => isDue(span, heads.get(span.from), touches, began, pace))
    .sort((a, b) => a.from - b.from)
}

function isDue(span: Span, head: Head | undefined, touches: readonly Touch[], now: number, pace: Pace): boolean {
  if (!head) return now >= span.to + pace.first
  // Of a zone of before, whose day began at the same time.
  if (+head.to !== span.to) return true
  const wait = head.built < 2 ? pace.first : pace.later
  return now >= +head.builtAt + wait && isStale(head, span, touches)
}

function spanOf(grain: ClosedGrain, at: number, zone: string): Span {
  const day = daySpan(at, zone)
  if (grain === 'day') return { from: day.start, to: day.end }
  try {
    const { start, end } = monthOf(at, zone)
    return { from: start, to: end }
  } catch {
    const { start, end } = monthOf(at, 'UTC')
    return { from: start, to: end }
  }
}

/** The hours that have something, from the index alone. */
async function hoursIn(db: Db, { site, from, to }: Span & { site: string }): Promise<number[]> {
  const filter: Filter<RollupDocument> = {
    site,
    grain: 'hour',
    dim: { $in: TELLING },
    at: { $gte: new Date(from), $lt: new Date(to) },
  }
  return (await db.collection<RollupDocument>('rollups').distinct('at', filter)).map(Number)
}

async function headsIn(db: Db, { site, from, to }: Span & { site: string }, grain: ClosedGrain) {
  const filter: Filter<ClosedDocument> = { site, grain, dim: 'total', at: { $gte: new Date(from), $lt: new Date(to) } }
  const heads = new Map<number, Head>()
  const found = db.collection<ClosedDocument>('rollups').find(filter, { projection: { values: 0, counters: 0 } })
  for await (const head of found) heads.set(+head.at, head)
  return heads
}

/** By the clock of the server that answers, ms since the epoch. */
export const serverTime = async (db: Db): Promise<number> => +(await db.command({ hello: 1 })).localTime
