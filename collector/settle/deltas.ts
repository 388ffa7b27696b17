/** By how much a page of events changes the counters. Pure. */
import { getOrAdd } from '../get-or-add.ts'
import {
  COUNTERS,
  type Counter,
  campaignOf,
  type Delta,
  DIMENSIONS,
  type Dimension,
  emptyRow,
  isImpressionOrClick,
  type JournalEvent,
} from '../journal/index.ts'
import type { Session } from './sessions.ts'

export const MINUTE_MS = 60_000
export const minuteOf = (at: Date): number => Math.floor(at.getTime() / MINUTE_MS) * MINUTE_MS

const COLUMN = Object.fromEntries(COUNTERS.map((counter, column) => [counter, column])) as Record<Counter, number>
const { events: EVENTS, views: VIEWS, sessions: SESSIONS, bounces: BOUNCES, duration: DURATION, bots: BOTS } = COLUMN

/** One minute of one site: rows by dimension and value. */
interface Minute {
  site: string
  at: number
  rows: Record<Dimension, Map<string, number[]>>
}

export interface DeltaSum {
  event(event: JournalEvent): void
  /** What a session adds to the minute in which it starts, or each visit of a cookieless day to its own: after minus before. */
  session(before: Session | undefined, after: Session): void
  deltas(): Delta[]
}

export function sumDeltas(): DeltaSum {
  const minutes = new Map<string, Minute>()
  // Events of a page are mostly of one site and minute.
  let last: Minute | undefined
  const minuteAt = (site: string, ts: Date): Minute => {
    const at = minuteOf(ts)
    if (last?.at === at && last.site === site) return last
    last = getOrAdd(minutes, `${at} ${site}`, () => ({
      site,
      at,
      rows: {
        total: new Map(),
        name: new Map(),
        page: new Map(),
        bot: new Map(),
        impression: new Map(),
        click: new Map(),
      },
    }))
    return last
  }
  const add = (row: number[], column: number, by: number): void => {
    row[column] = (row[column] ?? 0) + by
  }
  const addSession = (session: Session | undefined, sign: 1 | -1): void => {
    if (!session) return
    if (!session.visits) addVisit(session.site, session, sign)
    else for (const visit of session.visits) addVisit(session.site, visit, sign)
  }
  const addVisit = (
    site: string,
    { start, end, views }: Pick<Session, 'start' | 'end' | 'views'>,
    sign: 1 | -1,
  ): void => {
    const row = getOrAdd(minuteAt(site, start).rows.total, '', emptyRow)
    add(row, SESSIONS, sign)
    if (views <= 1) add(row, BOUNCES, sign)
    add(row, DURATION, sign * (end.getTime() - start.getTime()))
  }
  return {
    event(event) {
      const { site, ts, name, path, bot } = event
      const { rows } = minuteAt(site, ts)
      const isView = name === 'pageview'
      const count = (row: number[]): void => {
        add(row, EVENTS, 1)
        if (isView) add(row, VIEWS, 1)
        if (bot !== undefined) add(row, BOTS, 1)
      }
      count(getOrAdd(rows.total, '', emptyRow))
      count(getOrAdd(rows.name, name, emptyRow))
      if (isView) count(getOrAdd(rows.page, path, emptyRow))
      if (bot !== undefined) return count(getOrAdd(rows.bot, bot, emptyRow))
      if (!isImpressionOrClick(name)) return
      const campaign = campaignOf(event)
      if (campaign !== undefined) count(getOrAdd(rows[name], campaign, emptyRow))
    },
    session(before, after) {
      addSession(before, -1)
      addSession(after, 1)
    },
    deltas: () =>
      [...minutes.values()]
        .sort((a, b) => a.at - b.at)
        .flatMap(({ site, at, rows }) =>
          DIMENSIONS.flatMap(dim => {
            const changed = [...rows[dim]].filter(([, row]) => row.some(n => n !== 0))
            if (changed.length === 0) return []
            return { site, dim, at, values: changed.map(([value]) => value), counters: changed.map(([, row]) => row) }
          }),
        ),
  }
}
