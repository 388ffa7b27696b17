/** By how much a page of events changes the counters. Pure. */
import { getOrAdd } from '../get-or-add.ts'
import { COUNTERS, type Counter, type Delta, DIMENSIONS, type Dimension, type JournalEvent } from '../journal/index.ts'
import type { Session } from './sessions.ts'

export const MINUTE_MS = 60_000
export const minuteOf = (at: Date): number => Math.floor(+at / MINUTE_MS) * MINUTE_MS

const COLUMN = Object.fromEntries(COUNTERS.map((counter, column) => [counter, column])) as Record<Counter, number>

type Change = Partial<Record<Counter, number>>

export interface DeltaSum {
  event(event: JournalEvent): void
  /** What a session adds to the minute in which it starts: after minus before. */
  session(before: Session | undefined, after: Session): void
  deltas(): Delta[]
}

export function sumDeltas(): DeltaSum {
  const sums = new Map<string, { site: string; dim: Dimension; at: number; rows: Map<string, number[]> }>()
  const add = (site: string, dim: Dimension, at: number, value: string, change: Change): void => {
    const key = `${at} ${dim} ${site}`
    const sum = getOrAdd(sums, key, () => ({ site, dim, at, rows: new Map<string, number[]>() }))
    const row = getOrAdd(sum.rows, value, () => COUNTERS.map(() => 0))
    for (const [counter, by] of Object.entries(change)) {
      const column = COLUMN[counter as Counter]
      row[column] = (row[column] ?? 0) + by
    }
  }
  const addSession = (session: Session | undefined, sign: 1 | -1): void => {
    if (!session) return
    add(session.site, 'total', minuteOf(session.start), '', {
      sessions: sign,
      bounces: session.views > 1 ? 0 : sign,
      duration: sign * (+session.end - +session.start),
    })
  }
  return {
    event(event) {
      const views = event.name === 'pageview' ? 1 : 0
      const change: Change = { events: 1, views, bots: event.bot === undefined ? 0 : 1 }
      const at = minuteOf(event.ts)
      add(event.site, 'total', at, '', change)
      add(event.site, 'name', at, event.name, change)
      if (views > 0) add(event.site, 'page', at, event.path, change)
    },
    session(before, after) {
      addSession(before, -1)
      addSession(after, 1)
    },
    deltas: () =>
      [...sums.values()]
        .map(({ site, dim, at, rows }) => {
          const changed = [...rows].filter(([, row]) => row.some(n => n !== 0))
          return { site, dim, at, values: changed.map(([value]) => value), counters: changed.map(([, row]) => row) }
        })
        .filter(({ values }) => values.length > 0)
        .sort((a, b) => a.at - b.at || DIMENSIONS.indexOf(a.dim) - DIMENSIONS.indexOf(b.dim)),
  }
}
