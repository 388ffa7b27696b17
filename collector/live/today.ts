/** The site's own day, by hours of its zone, as settled; and its visitors, as counted last. Pure state, of bounded size. */
import { getOrAdd } from '../get-or-add.ts'
import { HOUR_COUNTERS, type HourDelta, type HourDimension, unpackHour } from '../journal/index.ts'
import { type Hours, OTHER } from '../rollup/index.ts'
import { dayOf } from '../sites/index.ts'
import type { LiveHour, LiveToday, LiveVisitors } from './messages.ts'

export const TODAY_DIMENSIONS = ['total', 'visits', 'goal'] as const satisfies readonly HourDimension[]
type TodayDimension = (typeof TODAY_DIMENSIONS)[number]
const isOfToday = (dim: HourDimension): dim is TodayDimension =>
  (TODAY_DIMENSIONS as readonly HourDimension[]).includes(dim)

/** Of {@link HOUR_COUNTERS}: all but revenue. */
const COUNTED = HOUR_COUNTERS.indexOf('revenue')
/** Rows held of an hour, beside `(other)`: a site has at most 50 goals, and some may have been taken away. */
const MOST_ROWS = 200

export interface Today {
  load(hours: Map<HourDimension, Hours>): void
  settled(hours: HourDelta[]): void
  visitors(counted: LiveVisitors): void
  /** What has changed since the last call. */
  take(now: number): (LiveToday & { visitors?: LiveVisitors | null }) | undefined
  all(now: number): LiveToday & { visitors: LiveVisitors | null }
}

type Rows = Map<string, LiveHour>

/** @param timezone of the site */
export function createToday(timezone: string): Today {
  const hours = new Map<number, Rows>()
  let pending: Rows = new Map()
  let visitors: LiveVisitors | null = null
  let isCounted = false
  let start = Number.NEGATIVE_INFINITY
  let toldStart: number | undefined

  /** The day at this time; what is of days before is let go. */
  const turn = (now: number): { start: number; end: number } => {
    const day = dayOf(now, timezone)
    if (day.start !== start) {
      for (const at of hours.keys()) if (at < day.start) hours.delete(at)
      if (visitors && visitors.at < day.start) visitors = null
      start = day.start
    }
    return { start, end: day.end }
  }
  const add = (at: number, dim: TodayDimension, value: string, counters: readonly number[]): void => {
    const rows = getOrAdd<number, Rows>(hours, at, () => new Map())
    const isHeld = value === '' || rows.size < MOST_ROWS || rows.has(`${dim} ${value}`)
    const name = isHeld ? value : OTHER
    sum(rows, `${dim} ${name}`, [at, dim, name, ...counters])
    sum(pending, `${at} ${dim} ${name}`, [at, dim, name, ...counters])
  }

  return {
    load(read) {
      for (const [dim, byHour] of read) {
        if (!isOfToday(dim)) continue
        for (const [at, rows] of byHour) for (const [value, row] of rows) add(at, dim, value, row.slice(0, COUNTED))
      }
    },
    settled(deltas) {
      for (const delta of deltas) {
        if (delta.at < start) continue
        for (const { dim, at, values, counters } of unpackHour(delta)) {
          if (!isOfToday(dim)) continue
          for (const [i, value] of values.entries()) add(at, dim, value, counters[i]?.slice(0, COUNTED) ?? [])
        }
      }
    },
    visitors(counted) {
      if (counted.at < start) return
      visitors = counted
      isCounted = true
    },
    take(now) {
      const day = turn(now)
      const changed = [...pending.values()].filter(([at]) => at >= day.start).flatMap(trimmed)
      pending = new Map()
      const isTold = isCounted || (toldStart !== undefined && toldStart !== day.start)
      isCounted = false
      toldStart = day.start
      return changed.length > 0 || isTold ? { ...day, hours: changed, ...(isTold && { visitors }) } : undefined
    },
    all(now) {
      const day = turn(now)
      return { ...day, hours: [...hours.values()].flatMap(rows => [...rows.values()].flatMap(trimmed)), visitors }
    },
  }
}

function sum(rows: Rows, key: string, hour: LiveHour): void {
  const held = rows.get(key)
  if (!held) return void rows.set(key, hour)
  const [, , , ...counters] = hour
  counters.forEach((n, c) => {
    held[c + 3] = Number(held[c + 3] ?? 0) + n
  })
}

/** Without zeros at its end; nothing where there is nothing else. */
function trimmed([at, dim, value, ...counters]: LiveHour): [] | [LiveHour] {
  const length = counters.findLastIndex(n => n !== 0) + 1
  return length === 0 ? [] : [[at, dim, value, ...counters.slice(0, length)]]
}
