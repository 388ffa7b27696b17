/** What rollups and sessions have to hold, counted from the raw events in plain JavaScript, with none of the product's code. */

/** What of a document of `events` is counted. */
export interface Raw {
  ts: Date
  meta: { site: string; name: string }
  id: string
  path: string
  host: string
  ref?: string
  source: string
  channel: string
  utm?: string
  medium?: string
  campaign?: string
  term?: string
  content?: string
  language?: string
  width?: number
  device: string
  browser: string
  version?: string
  os: string
  country?: string
  region?: string
  city?: string
  props?: { ms?: unknown; revenue?: { amount: string; currency: string }; [name: string]: unknown }
  declared?: string[]
  goals?: string[]
  revenue?: number
  currency?: string
  visitor?: string
  session?: string
  consent: string
  bot?: string
}

const DAY_MS = 86_400_000
const every = (length: number) => (time: number) => Math.floor(time / length) * length
/** When what holds a moment began, ms; days, weeks and months are those of UTC, as the sites of these tests are. */
export const GRAINS: Record<string, (time: number) => number> = {
  minute: every(60_000),
  hour: every(3_600_000),
  day: every(DAY_MS),
  // The first of January 1970 was a Thursday.
  week: time => every(7 * DAY_MS)(time + 3 * DAY_MS) - 3 * DAY_MS,
  month: time => Date.UTC(new Date(time).getUTCFullYear(), new Date(time).getUTCMonth()),
}
/** The value of an event in a dimension of minutes; `undefined` where it has none. */
const DIMENSIONS: Record<string, (event: Raw) => string | undefined> = {
  total: () => '',
  name: ({ meta }) => meta.name,
  page: ({ meta, path }) => (meta.name === 'pageview' ? path : undefined),
  bot: ({ bot }) => bot,
  impression: event => campaignOf(event, 'impression'),
  click: event => campaignOf(event, 'click'),
}

/** Of an event of this name that is no bot's. */
function campaignOf({ meta, bot, props, campaign }: Raw, name: string): string | undefined {
  if (meta.name !== name || bot !== undefined) return undefined
  return props?.campaign === undefined ? campaign : `${props.campaign}`
}

/** The same of hours, without bots, and of bots. */
const HOUR_DIMENSIONS: typeof DIMENSIONS = {
  total: () => '',
  name: ({ meta }) => meta.name,
  page: ({ path }) => path || undefined,
  host: ({ host }) => host || undefined,
  consent: ({ consent }) => consent,
}
const HOUR_DIMENSIONS_OF_BOTS: typeof DIMENSIONS = { bot: ({ bot }) => bot }

/** Counters in the order in which rollups hold them. */
export const COUNTERS = ['events', 'views', 'sessions', 'bounces', 'duration', 'bots'] as const
/** The same of hours. */
const HOUR_COUNTERS = ['events', 'views', 'sessions', 'bounces', 'duration', 'engaged', 'goals', 'revenue'] as const
export const countersOf = (grain: string): readonly string[] => (grain === 'hour' ? HOUR_COUNTERS : COUNTERS)

/** `<dimension> <start, ms> <value>` → counters. */
export type Rows = Map<string, number[]>

export function add(rows: Rows, key: string, counters: readonly number[]): void {
  const row = rows.get(key) ?? []
  rows.set(
    key,
    counters.map((n, c) => n + (row[c] ?? 0)),
  )
}

/** What a visit has of its first event, by the name of the dimension; empty where it has none. */
export type Beginning = Record<string, string>

function beginningOf(event: Raw): Beginning {
  const { path: entry, host, ref = '', source, channel, utm = '', medium = '', campaign = '', term = '' } = event
  const { content = '', language = '', width = 0, device, browser, version = '', os, bot = '' } = event
  const { country = '', region = '', city = '' } = event
  const wide = width < 576 ? 'mobile' : width < 992 ? 'tablet' : width < 1440 ? 'laptop' : 'desktop'
  const screen = width > 0 ? wide : ''
  const link = { source, channel, utm, medium, campaign, term, content }
  return { entry, host, ref, ...link, language, screen, device, browser, version, os, country, region, city, bot }
}

const engagedIn = (events: Raw[]): number =>
  events
    .filter(({ meta }) => meta.name === 'engagement')
    .map(({ props }) => Number(props?.ms))
    .filter(ms => ms > 0 && ms <= 86_400_000)
    .reduce((sum, ms) => sum + Math.round(ms), 0)

export interface Visit {
  start: number
  end: number
  events: number
  views: number
  /** ms */
  engaged: number
  /** conversions */
  goals: number
  visitor: string | undefined
  /** what it is counted by in hours: all that may be true, as events of the same ms have no order */
  beginnings: Beginning[]
  exits: Set<string>
  /** the one that the database holds, once that is known */
  held?: { beginning: Beginning; exit: string }
  /** `<time> <name> <path>`, sorted */
  steps: string[]
  /** what a cookieless visitor's day is divided into and counted as */
  visits: Pick<Visit, 'start' | 'end' | 'events' | 'views' | 'engaged' | 'goals'>[] | undefined
}

/** A cookieless visitor's visit ends when nothing happens for longer, ms. */
const GAP = 1_800_000

export function countSessions(events: Raw[]): Map<string, Visit> {
  const bySession = new Map<string, Raw[]>()
  for (const event of events) {
    if (event.session === undefined) continue
    const list = bySession.get(event.session)
    if (list) list.push(event)
    else bySession.set(event.session, [event])
  }
  return new Map([...bySession].map(([session, list]) => [session, visitOf(list)]))
}

function visitOf(events: Raw[]): Visit {
  const views = events.filter(({ meta }) => meta.name === 'pageview')
  const telling = views.length > 0 ? views : events
  const times = events.map(({ ts }) => +ts)
  const first = Math.min(...telling.map(({ ts }) => +ts))
  const last = Math.max(...telling.map(({ ts }) => +ts))
  const at = (time: number) => telling.filter(({ ts }) => +ts === time)
  return {
    start: Math.min(...times),
    end: Math.max(...times),
    events: events.length,
    views: views.length,
    visitor: events[0]?.visitor,
    engaged: engagedIn(events),
    goals: events.reduce((sum, { goals = [] }) => sum + goals.length, 0),
    beginnings: at(first).map(beginningOf),
    exits: new Set(at(last).map(({ path }) => path)),
    steps: events.map(({ ts, meta, path }) => `${+ts} ${meta.name} ${path}`).sort(),
    visits: events[0]?.consent === 'l' ? divide(events) : undefined,
  }
}

function divide(events: Raw[]): Visit['visits'] {
  const visits: NonNullable<Visit['visits']> = []
  for (const event of events.toSorted((a, b) => +a.ts - +b.ts)) {
    const { ts, meta } = event
    let last = visits.at(-1)
    if (!last || +ts - last.end > GAP) {
      last = { start: +ts, end: +ts, events: 0, views: 0, engaged: 0, goals: 0 }
      visits.push(last)
    }
    last.end = +ts
    last.events++
    last.engaged += engagedIn([event])
    last.goals += event.goals?.length ?? 0
    if (meta.name === 'pageview') last.views++
  }
  return visits
}

export function countRows(events: Raw[], sessions: Map<string, Visit>, grain: string): Rows {
  const rows: Rows = new Map()
  const startOf = GRAINS[grain]
  if (startOf === undefined) throw new Error(`there are rollups of the grain "${grain}", which the model does not know`)
  const isMinute = grain === 'minute'
  for (const event of events) {
    const isView = event.meta.name === 'pageview'
    const isBot = event.bot !== undefined
    const dims = isMinute ? DIMENSIONS : isBot ? HOUR_DIMENSIONS_OF_BOTS : HOUR_DIMENSIONS
    for (const [dim, valueIn] of Object.entries(dims)) {
      const value = valueIn(event)
      const counters = [1, isView ? 1 : 0, 0, 0, 0, isMinute && isBot ? 1 : 0, ...(isMinute ? [] : [0, 0])]
      if (value !== undefined) add(rows, `${dim} ${startOf(+event.ts)} ${value}`, counters)
    }
    if (isMinute || isBot) continue
    addConversion(rows, startOf(+event.ts), event)
    addProperties(rows, startOf(+event.ts), event)
  }
  for (const session of sessions.values()) {
    for (const { start, end, events, views, engaged, goals } of session.visits ?? [session]) {
      const counters = [0, 0, 1, views <= 1 ? 1 : 0, end - start, 0]
      if (isMinute) add(rows, `total ${startOf(start)} `, counters)
      else addVisit(rows, startOf(start), session, [events, views, ...counters.slice(2, 5), engaged, goals, 0])
    }
  }
  return rows
}

/** By each goal; and what it is worth by its currency, with none and with each. */
function addConversion(rows: Rows, at: number, { meta, goals = [], revenue = 0, currency }: Raw): void {
  const counters = [1, meta.name === 'pageview' ? 1 : 0, 0, 0, 0, 0, 0, 0]
  for (const goal of goals) add(rows, `goal ${at} ${goal}`, counters)
  for (const goal of currency ? ['', ...goals] : [])
    add(rows, `revenue ${at} ${currency} ${goal}`, counters.with(7, revenue))
}

/** Of each declared property in one row, also where the event has it not. */
function addProperties(rows: Rows, at: number, { meta, props = {}, declared = [] }: Raw): void {
  for (const name of declared) {
    const value = props[name] ?? '(none)'
    const text = typeof value === 'object' ? '(object)' : String(value)
    add(rows, `property ${at} ${name}.${text}`, [1, meta.name === 'pageview' ? 1 : 0, 0, 0, 0, 0, 0, 0])
  }
}

/** In the hour in which it begins, by all that it has; bots are left out. */
function addVisit(rows: Rows, at: number, { held }: Visit, counters: number[]): void {
  if (!held || held.beginning.bot !== '') return
  const { bot: _, host: _h, ...has } = held.beginning
  add(rows, `visits ${at} `, counters)
  for (const [dim, value] of Object.entries({ ...has, exit: held.exit }))
    if (value !== '') add(rows, `${dim} ${at} ${value}`, counters)
}

/** What the sites of a round have as goals. */
export const GOALS = [
  { name: 'Popular', page: '/p/1*' },
  { name: 'Order', event: 'purchase' },
  { name: 'Large order', event: 'purchase', where: [{ property: 'total', compare: '>=' as const, to: 50 }] },
  { name: 'Cart', event: 'add_to_cart', value: { amount: '1.50', currency: 'EUR' } },
]

/** What they have declared: numbers, texts, what most events have not, and a list. */
export const PROPERTIES = ['n', 'total', 'signal', 'purposes']

/** Which of them an event meets, and what it is worth, as its path, name and properties say. */
export function conversionOf({ meta: { name }, path, props = {} }: Raw): Pick<Raw, 'goals' | 'revenue' | 'currency'> {
  if (name === 'pageview') return path.startsWith('/p/1') ? { goals: ['Popular'] } : {}
  if (name === 'add_to_cart') return { goals: ['Cart'], revenue: 150, currency: 'EUR' }
  if (name !== 'purchase') return {}
  const { revenue: { amount, currency } = { amount: '0', currency: 'EUR' } } = props
  const minor = Number(currency === 'JPY' ? amount : amount.replace('.', ''))
  const isLarge = Number((props as { total?: number }).total) >= 50
  return { goals: isLarge ? ['Order', 'Large order'] : ['Order'], revenue: minor, currency }
}
