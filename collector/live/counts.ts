/** Counters of the last 30 minutes, as settled. Pure state, of bounded size. */
import { getOrAdd } from '../get-or-add.ts'
import { COUNTERS, type Delta, type Dimension } from '../journal/index.ts'
import { type Minutes, OTHER } from '../rollup/index.ts'
import { MINUTE_MS } from '../settle/index.ts'
import { type LiveDelta, MOST_CAMPAIGNS } from './messages.ts'

export const WINDOW_MS = 30 * MINUTE_MS
/** Rows of counters held; with more, new names and paths become `(other)`. */
const MOST_COUNTED = 200_000
/** Rows of a snapshot; with more, the smallest become `(other)`. */
const MOST_ROWS = 20_000

const [EVENTS, VIEWS, BOTS] = (['events', 'views', 'bots'] as const).map(counter => COUNTERS.indexOf(counter)) as [
  number,
  number,
  number,
]
const OF_CAMPAIGNS: readonly Dimension[] = ['impression', 'click']

export interface Counts {
  /** Takes the counters as read at one moment. */
  load(minutes: Map<Dimension, Minutes>): void
  settled(deltas: Delta[]): void
  expire(now: number): void
  /** What was added since the last call, a row each. */
  take(): LiveDelta[]
  all(): LiveDelta[]
}

/** Rows of one minute, by {@link keyOf}. */
type Rows = Map<string, LiveDelta>

export function createCounts(): Counts {
  // By minute, so that the old ones are let go without looking at every row at every tick.
  const counts = new Map<number, Rows>()
  let counted = 0
  let pending: Rows = new Map()
  /** that are named, and the last minute in which each was counted */
  const campaigns = new Map<string, number>()

  const named = (at: number, dim: Dimension, value: string): string => {
    if (!OF_CAMPAIGNS.includes(dim)) return value
    const last = campaigns.get(value)
    if (last === undefined && campaigns.size >= MOST_CAMPAIGNS) return OTHER
    campaigns.set(value, Math.max(at, last ?? at))
    return value
  }
  const count = (delta: LiveDelta): void => {
    const [at, dim, value, ...counters] = delta
    const rows = getOrAdd<number, Rows>(counts, at, () => new Map())
    if (!rows.has(keyOf(delta))) {
      const isMore = counted >= MOST_COUNTED && value !== '' && value !== OTHER
      if (isMore) {
        count([at, dim, OTHER, ...counters])
        return
      }
      counted++
    }
    add(rows, delta)
  }
  const deltaOf = (at: number, dim: Dimension, value: string, row: readonly number[]): LiveDelta => {
    const bots = row[BOTS] ?? 0
    const [name, events, views] = [named(at, dim, value), row[EVENTS] ?? 0, row[VIEWS] ?? 0]
    return bots === 0 ? [at, dim, name, events, views] : [at, dim, name, events, views, bots]
  }

  return {
    load(minutes) {
      // Which campaigns are named is decided by all of them: those with most.
      const sums = new Map<string, number>()
      for (const dim of OF_CAMPAIGNS)
        for (const rows of minutes.get(dim)?.values() ?? [])
          for (const [value, row] of rows) sums.set(value, (sums.get(value) ?? 0) + (row[EVENTS] ?? 0))
      const most = [...sums].sort((a, b) => b[1] - a[1]).slice(0, MOST_CAMPAIGNS)
      for (const [value] of most) campaigns.set(value, 0)
      for (const [dim, byMinute] of minutes)
        for (const [at, rows] of byMinute) for (const [value, row] of rows) count(deltaOf(at, dim, value, row))
    },
    settled(deltas) {
      for (const { dim, at, values, counters } of deltas) {
        values.forEach((value, i) => {
          const delta = deltaOf(at, dim, value, counters[i] ?? [])
          if (delta[3] === 0 && delta[4] === 0) return
          count(delta)
          add(pending, delta)
        })
      }
    },
    expire(now) {
      for (const [at, rows] of counts) {
        if (at >= now - WINDOW_MS) continue
        counts.delete(at)
        counted -= rows.size
        for (const [campaign, last] of campaigns) if (last <= at) campaigns.delete(campaign)
      }
    },
    take() {
      const taken = [...pending.values()]
      pending = new Map()
      return taken
    },
    all: () => largest([...counts.values()].flatMap(minute => [...minute.values()])),
  }
}

const keyOf = ([at, dim, value]: LiveDelta): string => `${at} ${dim} ${value}`

function add(rows: Rows, delta: LiveDelta): void {
  const held = rows.get(keyOf(delta))
  if (!held) return void rows.set(keyOf(delta), [...delta])
  held[3] += delta[3]
  held[4] += delta[4]
  const bots = (held[5] ?? 0) + (delta[5] ?? 0)
  if (bots !== 0) held[5] = bots
}

function largest(rows: LiveDelta[]): LiveDelta[] {
  if (rows.length <= MOST_ROWS) return rows
  // A total is no value among others: it is never given up.
  const sorted = rows.toSorted((a, b) => Number(b[1] === 'total') - Number(a[1] === 'total') || b[3] - a[3])
  const others: Rows = new Map()
  for (const [at, dim, , ...counters] of sorted.splice(MOST_ROWS)) add(others, [at, dim, OTHER, ...counters])
  return [...sorted, ...others.values()]
}
