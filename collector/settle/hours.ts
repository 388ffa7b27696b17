/** By how much a page of events changes the counters of hours, in every dimension. Pure. */
import { getOrAdd } from '../get-or-add.ts'
import {
  HOUR_COUNTERS,
  HOUR_DIMENSIONS,
  type HourDelta,
  type HourDimension,
  type JournalEvent,
  packHour,
  propertyKey,
  propertyText,
  revenueKey,
  VISIT_DIMENSIONS,
} from '../journal/index.ts'
import { type Hour, hourOf } from './hour-grid.ts'
import type { Session } from './sessions.ts'

export interface HourSum {
  event(event: JournalEvent): void
  /** What a session, or each visit of a cookieless day, adds to the hour in which it begins: after minus before. */
  session(before: Session | undefined, after: Session): void
  deltas(): HourDelta[]
}

/** Rows by value. Neighbors mostly have the same one. */
interface Rows {
  all: Map<string, number[]>
  value: string | undefined
  row: number[]
}

interface HourOfSite extends Hour {
  site: string
  /** in the order of `HOUR_DIMENSIONS` */
  dims: Rows[]
}

const WIDTH = HOUR_COUNTERS.length
const place = (dim: HourDimension): number => HOUR_DIMENSIONS.indexOf(dim)
const [TOTAL, NAME, PAGE, HOST, CONSENT, BOT] = (['total', 'name', 'page', 'host', 'consent', 'bot'] as const).map(
  place,
) as [number, number, number, number, number, number]
const [GOAL, REVENUE, PROPERTY, VISITS] = (['goal', 'revenue', 'property', 'visits'] as const).map(place) as [
  number,
  number,
  number,
  number,
]
/** What of a session its visits are counted by, and where. */
const PARTS = VISIT_DIMENSIONS.filter(dim => dim !== 'visits').map(part => [part, place(part)] as const)

/** A session or a visit. */
type Countable = Pick<Session, 'start' | 'end' | 'views' | 'events'> & { engaged?: number; goals?: number }

/** A session of before hours were counted has no host: it is not in them. */
export const isInHours = ({ host, bot }: Session): boolean => host !== undefined && bot === undefined

const visitsOf = (session: Session | undefined): readonly Countable[] =>
  session && isInHours(session) ? (session.visits ?? [session]) : []

const rowOf = ({ start, end, views, events, engaged = 0, goals = 0 }: Countable): number[] => [
  events,
  views,
  1,
  views <= 1 ? 1 : 0,
  end.getTime() - start.getTime(),
  engaged,
  goals,
  0,
]

/** @param zoneOf the time zone of a site, the same as long as this sums up */
export function sumHours(zoneOf: (site: string) => string): HourSum {
  const hours = new Map<string, HourOfSite>()
  let last: HourOfSite | undefined
  const hourAt = (site: string, ts: number): HourOfSite => {
    if (last && ts >= last.at && ts < last.end && last.site === site) return last
    const hour = hourOf(ts, zoneOf(site))
    last = getOrAdd(hours, `${hour.at} ${site}`, () => ({
      ...hour,
      site,
      dims: HOUR_DIMENSIONS.map(() => ({ all: new Map(), value: undefined, row: [] })),
    }))
    return last
  }

  const count = (session: Session, visit: Countable, sign: 1 | -1): void => {
    const { dims } = hourAt(session.site, visit.start.getTime())
    const row = rowOf(visit)
    if (sign < 0) for (let c = 0; c < WIDTH; c++) row[c] = -(row[c] ?? 0)
    add(dims[VISITS], '', row)
    for (const [part, d] of PARTS) addPart(dims[d], session[part], row)
  }
  /** Of a visit that begins in the same hour as before. */
  const recount = (before: Session, was: Countable, after: Session, is: Countable): void => {
    const { dims } = hourAt(after.site, is.start.getTime())
    const [less, more] = [rowOf(was), rowOf(is)]
    let same = true
    const change = more.map((n, c) => {
      const by = n - (less[c] ?? 0)
      if (by !== 0) same = false
      return by
    })
    const negative = less.map(n => -n)
    if (!same) add(dims[VISITS], '', change)
    for (const [part, d] of PARTS) {
      if (before[part] !== after[part]) {
        addPart(dims[d], before[part], negative)
        addPart(dims[d], after[part], more)
      } else if (!same) addPart(dims[d], after[part], change)
    }
  }

  return {
    event({ site, ts, name, path, host, consent, bot, declared, props, goals, currency, revenue = 0 }) {
      const { dims } = hourAt(site, ts.getTime())
      const view = name === 'pageview' ? 1 : 0
      if (bot !== undefined) return tally(dims[BOT], bot, view)
      tally(dims[TOTAL], '', view)
      tally(dims[NAME], name, view)
      tally(dims[CONSENT], consent, view)
      if (path !== '') tally(dims[PAGE], path, view)
      if (host !== '') tally(dims[HOST], host, view)
      if (goals !== undefined) for (const goal of goals) tally(dims[GOAL], goal, view)
      if (declared !== undefined)
        for (const one of declared) tally(dims[PROPERTY], propertyKey(one, propertyText(props, one)), view)
      if (currency === undefined) return
      const worth = [1, view, 0, 0, 0, 0, 0, revenue]
      add(dims[REVENUE], revenueKey(currency), worth)
      for (const goal of goals ?? []) add(dims[REVENUE], revenueKey(currency, goal), worth)
    },
    session(before, after) {
      const [old, now] = [visitsOf(before), visitsOf(after)]
      // Both in the order of their time.
      let [o, n] = [0, 0]
      while (o < old.length || n < now.length) {
        const [was, is] = [old[o], now[n]]
        const same = was && is && hourAt(after.site, was.start.getTime()) === hourAt(after.site, is.start.getTime())
        if (was && is && before && same) recount(before, was, after, is)
        if (before && was && (same || !is || was.start < is.start)) {
          if (!same) count(before, was, -1)
          o++
        }
        if (is && (same || !was || is.start <= was.start)) {
          if (!same) count(after, is, 1)
          n++
        }
      }
    },
    deltas: () =>
      [...hours.values()]
        .sort((a, b) => a.at - b.at)
        .flatMap(
          ({ site, at, dims }) =>
            packHour(
              site,
              at,
              dims.map(({ all }) => all),
            ) ?? [],
        ),
  }
}

function find(rows: Rows, value: string): number[] {
  if (value === rows.value) return rows.row
  const held = rows.all.get(value)
  rows.value = value
  rows.row = held ?? [0, 0, 0, 0, 0, 0, 0, 0]
  if (!held) rows.all.set(value, rows.row)
  return rows.row
}

function tally(rows: Rows | undefined, value: string, view: number): void {
  if (!rows) return
  const row = find(rows, value)
  row[0] = (row[0] ?? 0) + 1
  row[1] = (row[1] ?? 0) + view
}

/** What has no value has no row: it is the rest of `visits`. */
function addPart(rows: Rows | undefined, value: string | undefined, change: readonly number[]): void {
  if (value) add(rows, value, change)
}

function add(rows: Rows | undefined, value: string, change: readonly number[]): void {
  if (!rows) return
  const row = find(rows, value)
  for (let c = 0; c < WIDTH; c++) row[c] = (row[c] ?? 0) + (change[c] ?? 0)
}
