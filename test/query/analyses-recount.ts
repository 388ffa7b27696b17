/** What analyses should answer, counted in the plainest way from the events: nothing of the product is used. */
import {
  clockIn,
  donesIn,
  eventValue,
  fits,
  labelOf,
  type PlainEvent,
  type PlainVisit,
  rangeOf,
  visitsOf,
} from './recount.ts'

export interface PlainBody {
  date_range: [string, string]
  filters: unknown[]
  include: { bots: boolean }
  [field: string]: unknown
}

interface World {
  from: number
  to: number
  bots: boolean
  /** of the range, without bots unless they are asked for */
  events: PlainEvent[]
  visits: PlainVisit[]
  visitOf: Map<PlainEvent, PlainVisit>
  /** whether all filters hold */
  holds(filters: unknown[], event: PlainEvent | undefined, visit: PlainVisit | undefined): boolean
  visitorOf(event: PlainEvent): string | undefined
}

function worldOf(all: PlainEvent[], zone: string, { date_range, filters, include }: PlainBody): World {
  const [from, to] = rangeOf(date_range, clockIn(zone))
  const visits = visitsOf(all)
  const visitOf = new Map(visits.flatMap(visit => visit.events.map(event => [event, visit] as const)))
  const events = all.filter(({ ts, bot }) => ts >= from && ts < to && (include.bots || bot === undefined))
  const done = new Map(
    filters.flatMap(donesIn).map(filter => {
      const did = events.filter(event =>
        fits(
          filter,
          name => eventValue(event, name),
          () => false,
        ),
      )
      return [filter, new Set(did.map(({ session }) => session))]
    }),
  )
  const named = new Map(visits.map(visit => [visit.events[0]?.session, visit.visitor]))
  return {
    ...{ from, to, bots: include.bots, events, visits, visitOf },
    holds(some, event, visit) {
      const session = event ? event.session : visit?.events[0]?.session
      const read = (name: string) =>
        name.startsWith('event:') && event ? eventValue(event, name) : (visit?.attributes[name] ?? '(none)')
      const isDone = (filter: unknown) => session !== undefined && done.get(filter)?.has(session) === true
      return some.every(filter => fits(filter, read, isDone))
    },
    visitorOf: ({ session, visitor }) => (session === undefined ? visitor : named.get(session)),
  }
}

const percent = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100)
const grouped = <T>(all: readonly T[], keyOf: (one: T) => string | undefined): T[][] => {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const key = keyOf(one)
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()]
}

/** How many reach each step: every way to choose events is tried. */
export function plainFunnel(all: PlainEvent[], zone: string, body: PlainBody): number[] {
  const { events, holds, visitOf, visitorOf } = worldOf(all, zone, body)
  const steps = body.steps as { filters: unknown[] }[]
  const window = body.window_seconds === undefined ? Number.POSITIVE_INFINITY : Number(body.window_seconds) * 1_000
  const takes = events
    .filter(event => holds(body.filters, event, visitOf.get(event)))
    .map(event => ({ event, is: steps.map(({ filters }) => holds(filters, event, visitOf.get(event))) }))
    .filter(({ is }) => is.includes(true))
  const units = grouped(takes, ({ event }) =>
    body.by === 'visitor' ? visitorOf(event) : event.session === undefined ? undefined : visitOf.get(event)?.id,
  )
  const furthest = units.map(unit => {
    let most = 0
    const go = (step: number, first: number, last: number, used: Set<object>): void => {
      most = Math.max(most, step)
      if (step === steps.length) return
      for (const one of unit) {
        const { ts } = one.event
        if (!one.is[step] || used.has(one) || (step > 0 && (ts < last || ts - first > window))) continue
        go(step + 1, step === 0 ? ts : first, ts, new Set([...used, one]))
      }
    }
    go(0, 0, 0, new Set())
    return most
  })
  return steps.map((_, step) => furthest.filter(most => most > step).length)
}

/** By value what it gets of conversions and of their revenue, minor units. */
export function plainAttribution(all: PlainEvent[], zone: string, body: PlainBody): Map<string, [number, number]> {
  const { from, to, bots, events, holds, visits, visitOf, visitorOf } = worldOf(all, zone, body)
  const lookback = Number(body.lookback_days) * 86_400_000
  const halfLife = Number(body.half_life_days) * 86_400_000
  const credits = new Map<string, [number, number]>()
  for (const event of events) {
    if (!event.goals?.includes(body.goal as string) || !holds(body.filters, event, visitOf.get(event))) continue
    const visitor = visitorOf(event)
    const touches = visits
      .map(visit => ({ visit, at: visit.events[0]?.ts ?? 0 }))
      .filter(({ visit, at }) => visit.visitor === visitor && (bots || !visit.bot) && at >= from - lookback && at < to)
      .filter(({ at }) => at <= event.ts && event.ts - at <= lookback)
      .sort((a, b) => a.at - b.at)
    const give = (value: string, share: number) => {
      const [conversions, revenue] = credits.get(value) ?? [0, 0]
      credits.set(value, [conversions + share, revenue + share * (event.currency ? (event.revenue ?? 0) : 0)])
    }
    if (touches.length === 0) give('(none)', 1)
    const indirect = touches.filter(({ visit }) => visit.attributes['visit:channel'] !== 'direct')
    const ages = touches.map(({ at }) => 0.5 ** ((event.ts - at) / halfLife))
    const sum = ages.reduce((total, age) => total + age, 0)
    for (const [i, touch] of touches.entries()) {
      const isEnd = i === 0 || i === touches.length - 1
      const last = indirect.at(-1) ?? touches.at(-1)
      const shares: Record<string, number> = {
        first: i === 0 ? 1 : 0,
        last_click: touch === last ? 1 : 0,
        linear: 1 / touches.length,
        position: touches.length < 3 ? 1 / touches.length : isEnd ? 0.4 : 0.2 / (touches.length - 2),
        time_decay: (ages[i] ?? 0) / sum,
      }
      const share = shares[body.model as string] ?? 0
      if (share > 0) give(touch.visit.attributes[body.dimension as string] ?? '(none)', share)
    }
  }
  return credits
}

/** By label of the period of the first visit: how many had one in that and in each later period that has a label. */
export function plainRetention(
  all: PlainEvent[],
  zone: string,
  body: PlainBody,
  labels: string[],
): Map<string, number[]> {
  const { from, to, bots, visits, holds } = worldOf(all, zone, body)
  const clock = clockIn(zone)
  const counted = visits
    .map(visit => ({ visit, at: visit.events[0]?.ts ?? 0 }))
    .filter(({ visit, at }) => at >= from && at < to && (bots || !visit.bot) && holds(body.filters, undefined, visit))
  const cohorts = new Map<string, number[]>(labels.map((label, i) => [label, labels.slice(i).map(() => 0)]))
  for (const visits of grouped(counted, ({ visit }) => visit.visitor)) {
    const periods = [
      ...new Set(visits.map(({ at }) => labels.indexOf(labelOf(at, body.period as string, clock, from)))),
    ].sort((a, b) => a - b)
    const [first = 0] = periods
    const row = cohorts.get(labels[first] ?? '') ?? []
    for (const period of periods) row[period - first] = (row[period - first] ?? 0) + 1
  }
  return cohorts
}

/** By value: impressions, clicks, viewers, clickers. */
export function plainCtr(all: PlainEvent[], zone: string, body: PlainBody): Map<string, number[]> {
  const { events, holds, visitOf, visitorOf } = worldOf(all, zone, body)
  const taken = events.filter(
    event => [body.impression, body.click].includes(event.name) && holds(body.filters, event, visitOf.get(event)),
  )
  const textOf = (event: PlainEvent) => String(eventValue(event, body.dimension as string))
  return new Map(
    grouped(taken, textOf).map(some => {
      const seen = some.filter(({ name }) => name === body.impression)
      const clicked = some.filter(({ name }) => name === body.click && body.click !== body.impression)
      const visitors = [...new Set(seen.flatMap(event => visitorOf(event) ?? []))]
      const clickers = visitors.filter(visitor => {
        const first = Math.min(...seen.filter(event => visitorOf(event) === visitor).map(({ ts }) => ts))
        return clicked.some(event => visitorOf(event) === visitor && event.ts >= first)
      })
      return [textOf(some[0] as PlainEvent), [seen.length, clicked.length, visitors.length, clickers.length]]
    }),
  )
}

/** By page how often it came next, or before. */
export function plainJourneys(all: PlainEvent[], zone: string, body: PlainBody): Map<string, number> {
  const { events, holds, visitOf } = worldOf(all, zone, body)
  const counts = new Map<string, number>()
  const views = events.filter(({ name, session }) => name === 'pageview' && session !== undefined)
  for (const visit of grouped(views, event => visitOf.get(event)?.id)) {
    const sorted = visit.toSorted((a, b) => a.ts - b.ts || (a.path < b.path ? -1 : 1))
    for (const [i, event] of sorted.entries()) {
      if (event.path !== body.page || !holds(body.filters, event, visitOf.get(event))) continue
      const others = body.direction === 'previous' ? sorted.slice(0, i).reverse() : sorted.slice(i + 1)
      const other = others.find(({ path }) => path !== body.page)
      const text = other?.path ?? (body.direction === 'previous' ? '(entry)' : '(exit)')
      counts.set(text, (counts.get(text) ?? 0) + 1)
    }
  }
  return counts
}

export { percent }
