/** What the page shows, worked out of {@link LiveState} for a given moment. Plain data in, plain data out. */
import { CHART_WINDOW, type Count, inWindow, type LiveState, MEAN_SECONDS, OTHER, SECOND, secondOf } from './state.ts'

export interface Row extends Count {
  value: string
}

export interface Top {
  rows: Row[]
  /** the sum of every row there is, shown or not */
  sum: Count
  /** rows that are not shown */
  left: number
}

/** Events and page views of the last 30 minutes. */
export function totals(minutes: LiveState['minutes'], now: number): Count {
  const sum = { events: 0, views: 0 }
  for (const [at, minute] of minutes) {
    if (!inWindow(at, now)) continue
    sum.events += minute.total.events
    sum.views += minute.total.views
  }
  return sum
}

/** The largest values of one dimension in the last 30 minutes; `(other)` comes last, whatever its size. */
export function top(
  minutes: LiveState['minutes'],
  dim: 'name' | 'page' | 'bot',
  by: 'events' | 'views',
  now: number,
  limit: number,
): Top {
  const sums = new Map<string, Row>()
  const sum = { events: 0, views: 0 }
  for (const [at, minute] of minutes) {
    if (!inWindow(at, now)) continue
    for (const [value, count] of minute[dim]) {
      const row = sums.get(value) ?? { value, events: 0, views: 0 }
      row.events += count.events
      row.views += count.views
      sums.set(value, row)
      sum.events += count.events
      sum.views += count.views
    }
  }
  const rows = [...sums.values()].filter(row => row[by] > 0)
  rows.sort(
    (a, b) => Number(a.value === OTHER) - Number(b.value === OTHER) || b[by] - a[by] || (a.value < b.value ? -1 : 1),
  )
  return { rows: rows.slice(0, limit), sum, left: Math.max(0, rows.length - limit) }
}

export interface Campaign {
  value: string
  impressions: number
  clicks: number
}

/** Campaigns of the last 30 minutes, those with most impressions first; `(other)` comes last. */
export function campaigns(minutes: LiveState['minutes'], now: number): Campaign[] {
  const all = new Map<string, Campaign>()
  const rowOf = (value: string): Campaign => {
    const row = all.get(value) ?? { value, impressions: 0, clicks: 0 }
    all.set(value, row)
    return row
  }
  for (const [at, { impression, click }] of minutes) {
    if (!inWindow(at, now)) continue
    for (const [value, { events }] of impression) rowOf(value).impressions += events
    for (const [value, { events }] of click) rowOf(value).clicks += events
  }
  const size = ({ impressions, clicks }: Campaign): number => impressions || clicks / 1e6
  return [...all.values()]
    .filter(({ impressions, clicks }) => impressions + clicks > 0)
    .sort((a, b) => Number(a.value === OTHER) - Number(b.value === OTHER) || size(b) - size(a))
}

/** Impressions and clicks a second: the mean of the last ten that are over. */
export function adsRate(ads: LiveState['ads'], now: number): [impressions: number, clicks: number] {
  const last = secondOf(now - SETTLED_AFTER) - SECOND
  let [impressions, clicks] = [0, 0]
  for (let at = last; at > last - MEAN_SECONDS * SECOND; at -= SECOND) {
    const [i, c] = ads.get(at) ?? [0, 0]
    impressions += i
    clicks += c
  }
  return [impressions / MEAN_SECONDS, clicks / MEAN_SECONDS]
}

/** x in seconds since the epoch, events in that second, mean of it and the nine before. */
export type Rate = [x: number[], perSecond: number[], mean: number[]]

/**
 * The last five minutes by second, finished seconds only: the one under way would pull the line's end down each
 * second. A second counts as finished {@link SETTLED_AFTER} ms after its end, when its last events have got here.
 */
export function rate(seconds: LiveState['seconds'], now: number): Rate {
  const last = secondOf(now - SETTLED_AFTER) - SECOND
  const first = last - CHART_WINDOW + SECOND
  const before = Math.min(...seconds.keys(), first)
  const x: number[] = []
  const perSecond: number[] = []
  const mean: number[] = []
  for (let at = first; at <= last; at += SECOND) {
    x.push(at / SECOND)
    perSecond.push(seconds.get(at) ?? 0)
    mean.push(meanAt(seconds, at, before))
  }
  return [x, perSecond, mean]
}

export const SETTLED_AFTER = 200

/** The mean over up to ten seconds, fewer at the start of what is held. */
function meanAt(seconds: LiveState['seconds'], at: number, before: number): number {
  const from = Math.max(at - (MEAN_SECONDS - 1) * SECOND, before)
  let sum = 0
  for (let second = from; second <= at; second += SECOND) sum += seconds.get(second) ?? 0
  return sum / ((at - from) / SECOND + 1)
}

/**
 * Visitors of the last five minutes, as the collector said last. It says so only when something happens, so after five
 * quiet minutes there is none left whatever it said.
 */
export const activeNow = (state: LiveState, now: number) =>
  state.lastReceived === null || now - state.lastReceived > CHART_WINDOW + SECOND ? 0 : state.active

/** A round number at or above `max` (an even step of its power of ten): the chart's scale then changes seldom. */
export function roundUp(max: number): number {
  if (max <= 2) return 2
  const power = 10 ** Math.floor(Math.log10(max))
  return [1, 2, 4, 6, 8, 10].map(step => step * power).find(step => step >= max) ?? 10 * power
}
