/** Totals and a series of one site, from rollups: `GET /api/v2/stats`. */
import type { Db, MongoClient } from 'mongodb'
import { getOrAdd } from '../get-or-add.ts'
import { COUNTERS, type Counter, emptyRow } from '../journal/index.ts'
import { readMinutes } from '../rollup/index.ts'
import { beginningIn, MINUTE_MS, type Session } from '../settle/index.ts'
import { type Site, startOfDay } from '../sites/index.ts'
import { reading } from './reading.ts'

export const PERIODS = ['6h', 'today', '30d'] as const
export type Period = (typeof PERIODS)[number]
export const INTERVALS = ['minute', 'hour', 'day'] as const
export type Interval = (typeof INTERVALS)[number]

const HOUR_MS = 60 * MINUTE_MS

export interface Stats {
  site: string
  period: Period
  /** in which days begin */
  timezone: string
  /** first minute, and the end of the last one (ISO 8601, UTC) */
  from: string
  to: string
  totals: Record<Counter, number> & {
    /** different visitors, exact; a session whose visitor has no id counts as one, a cookieless visitor as one a day */
    visitors: number
  }
  interval: Interval
  /** one entry an interval, the empty ones too */
  series: ({ at: string } & Record<Counter, number>)[]
  /** how it was made: every settled event is counted, exactly */
  source: 'rollups'
  exact: true
}

/**
 * @param interval of the series; by default minutes, and hours for 30 days
 * @param signal at which the database stops
 */
export async function readStats(
  client: MongoClient,
  db: Db,
  site: Site,
  period: Period,
  now: number,
  interval: Interval = period === '30d' ? 'hour' : 'minute',
  signal?: AbortSignal,
): Promise<Stats> {
  const last = Math.floor(now / MINUTE_MS) * MINUTE_MS
  const from = firstMinute(period, now, site.timezone)
  return await client.withSession({ snapshot: true }, async session => {
    const options = reading(signal)
    const range = { site: site.key, dims: ['total'] as const, from, to: last, options }
    const minutes = (await readMinutes(db, range, session)).get('total') ?? new Map<number, Map<string, number[]>>()
    const buckets = emptyBuckets(from, last, interval, site.timezone)
    const totals = emptyRow()
    const starts = [...buckets.keys()]
    let place = 0
    for (const at of [...minutes.keys()].sort((a, b) => a - b)) {
      while ((starts[place + 1] ?? Number.POSITIVE_INFINITY) <= at) place++
      const row = minutes.get(at)?.get('') ?? []
      const bucket = buckets.get(starts[place] ?? from) ?? []
      for (let c = 0; c < COUNTERS.length; c++) {
        totals[c] = (totals[c] ?? 0) + (row[c] ?? 0)
        bucket[c] = (bucket[c] ?? 0) + (row[c] ?? 0)
      }
    }
    const visitors = await db
      .collection<Session>('sessions')
      .aggregate<{ n: number }>(
        [
          { $match: beginningIn(site.key, { $gte: new Date(from) }) },
          { $group: { _id: { $ifNull: ['$visitor', '$_id'] } } },
          { $count: 'n' },
        ],
        { ...options, session },
      )
      .toArray()
    return {
      site: site.key,
      period,
      timezone: site.timezone,
      from: new Date(from).toISOString(),
      to: new Date(last + MINUTE_MS).toISOString(),
      totals: { ...named(totals), visitors: visitors[0]?.n ?? 0 },
      interval,
      series: [...buckets].map(([at, row]) => ({ at: new Date(at).toISOString(), ...named(row) })),
      source: 'rollups',
      exact: true,
    }
  })
}

function firstMinute(period: Period, now: number, zone: string): number {
  const last = Math.floor(now / MINUTE_MS) * MINUTE_MS
  if (period === '6h') return last - 359 * MINUTE_MS
  // The site's own days: today and the 29 before it.
  return startOfDay(now, zone, period === 'today' ? 0 : 29)
}

function emptyBuckets(from: number, last: number, interval: Interval, zone: string): Map<number, number[]> {
  const buckets = new Map<number, number[]>()
  const step = interval === 'minute' ? MINUTE_MS : HOUR_MS
  for (let at = from; at <= last; at += step) {
    const start = interval === 'day' ? Math.max(from, startOfDay(at, zone)) : at
    getOrAdd(buckets, start, emptyRow)
  }
  // The last day may be younger than a step.
  if (interval === 'day') getOrAdd(buckets, Math.max(from, startOfDay(last, zone)), emptyRow)
  return buckets
}

const named = (row: number[]) =>
  Object.fromEntries(COUNTERS.map((counter, c) => [counter, row[c] ?? 0])) as Record<Counter, number>
