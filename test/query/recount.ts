/**
 * What a query should answer, counted in the plainest way from the events: sessions are made here, too, and time is read off
 * `Intl`. Nothing of the product is used.
 */

export interface PlainEvent {
  site: string
  id: string
  ts: number
  name: string
  path: string
  host: string
  source: string
  channel: string
  utm?: string | undefined
  medium?: string | undefined
  campaign?: string | undefined
  term?: string | undefined
  content?: string | undefined
  ref: string
  language?: string | undefined
  /** of the viewport, CSS pixels */
  width?: number | undefined
  device: string
  browser: string
  version?: string | undefined
  os: string
  country?: string | undefined
  region?: string | undefined
  city?: string | undefined
  consent: 'x' | 'l' | 'g'
  visitor?: string | undefined
  session?: string | undefined
  bot?: string | undefined
  props?: Record<string, unknown> | undefined
  /** what its site had declared when it came */
  declared?: string[] | undefined
  goals?: string[] | undefined
  /** minor units */
  revenue?: number | undefined
  currency?: string | undefined
}

export interface PlainVisit {
  id: string
  events: PlainEvent[]
  attributes: Record<string, string>
  visitor: string
  bot: boolean
}

export interface PlainQuery {
  metrics: string[]
  date_range: [string, string]
  dimensions: string[]
  filters: unknown[]
  order_by?: [string, string][]
  pagination: { limit: number; offset: number }
  include: { bots: boolean; total_rows: boolean }
}

const HALF_HOUR = 1_800_000
const HOUR = 3_600_000

/** Attributes of visits, and under which name here. */
export const VISIT: Record<string, keyof PlainEvent | 'entry' | 'exit' | 'screen' | 'countryName'> = {
  'visit:entry_page': 'entry',
  'visit:exit_page': 'exit',
  'visit:entry_page_hostname': 'host',
  'visit:source': 'source',
  'visit:referrer': 'ref',
  'visit:channel': 'channel',
  'visit:utm_source': 'utm',
  'visit:utm_medium': 'medium',
  'visit:utm_campaign': 'campaign',
  'visit:utm_term': 'term',
  'visit:utm_content': 'content',
  'visit:language': 'language',
  'visit:screen': 'screen',
  'visit:device': 'device',
  'visit:browser': 'browser',
  'visit:browser_version': 'version',
  'visit:os': 'os',
  'visit:country': 'country',
  'visit:country_name': 'countryName',
  'visit:region': 'region',
  'visit:city': 'city',
  'visit:city_name': 'city',
}

type Shown = number | null | ReturnType<typeof moneyOf>
interface PlainAnswer {
  results: { metrics: Shown[]; dimensions: string[] }[]
  total: number
}

export function recount(all: PlainEvent[], zone: string, query: PlainQuery): PlainAnswer {
  const clock = clockIn(zone)
  const [from, to] = rangeOf(query.date_range, clock)
  const visits = visitsOf(all)
  const visitOf = new Map(visits.flatMap(visit => visit.events.map(event => [event, visit] as const)))
  const { metrics, dimensions, filters, include } = query
  const eventNames = [...dimensions, ...filters.flatMap(namesOf)].filter(name => name.startsWith('event:'))
  const hasDone = filters.some(asksDone)
  const onlyBots = eventNames.includes('event:bot')
  const counts = (bot: boolean) => (onlyBots ? bot : include.bots || !bot)
  const inRange = (ts: number) => ts >= from && ts < to
  const label = (ts: number, name: string) => labelOf(ts, name.slice(5), clock, from)
  const events = all.filter(({ ts, bot }) => inRange(ts) && counts(bot !== undefined))
  const done = (filter: unknown) => {
    const sessions = new Set(
      events.filter(event => fits(filter, name => eventValue(event, name), never)).map(e => e.session),
    )
    return (session: string | undefined) => session !== undefined && sessions.has(session)
  }
  const doneTests = new Map(filters.flatMap(donesIn).map(filter => [filter, done(filter)]))
  const isDone = (session: string | undefined) => (filter: unknown) => doneTests.get(filter)?.(session) ?? false

  const groups = new Map<string, Group>()
  const groupOf = (values: string[]): Group => {
    const key = JSON.stringify(values)
    const group = groups.get(key) ?? {
      values,
      events: 0,
      pageviews: 0,
      visits: new Set(),
      visitors: new Set(),
      revenue: new Map(),
      shown: false,
    }
    groups.set(key, group)
    return group
  }
  const countVisit = (values: string[], visit: PlainVisit) => {
    const group = groupOf(values)
    group.shown = true
    group.visits.add(visit)
    group.visitors.add(visit.visitor)
    group.whole = true
  }
  if (dimensions.every(name => name.startsWith('time'))) {
    if (dimensions.length === 0) groupOf([]).shown = true
  }
  let total: number
  if (eventNames.length > 0) {
    const isPages = (name: string) => name === 'event:page' || name === 'event:hostname'
    const pagesOnly = eventNames.every(isPages) && dimensions.some(isPages)
    const visitors = new Set<string>()
    const byGoal = dimensions.includes('event:goal')
    const conversions = byGoal
      ? events.flatMap(event => (event.goals ?? []).map(goal => ({ event, goals: [goal] })))
      : events.map(event => ({ event, goals: event.goals ?? [] }))
    const reading =
      (event: PlainEvent, goals: string | string[]) =>
      (name: string): string | string[] => {
        if (name === 'event:goal') return goals
        return name.startsWith('event:') ? eventValue(event, name) : (visitOf.get(event)?.attributes[name] ?? '(none)')
      }
    for (const { event, goals } of conversions) {
      const visit = visitOf.get(event)
      const read = reading(event, byGoal ? (goals[0] ?? '') : goals)
      if (!filters.every(filter => fits(filter, read, isDone(event.session)))) continue
      const values = dimensions.map(name => (name.startsWith('time') ? label(event.ts, name) : String(read(name))))
      const group = groupOf(values)
      group.events++
      if (event.currency)
        group.revenue.set(event.currency, [...(group.revenue.get(event.currency) ?? []), event.revenue ?? 0])
      if (event.name === 'pageview') group.pageviews++
      if (pagesOnly && event.name !== 'pageview') continue
      group.shown = true
      if (visit) group.visits.add(visit)
      const visitor = event.visitor ?? event.session
      if (visitor !== undefined) {
        group.visitors.add(visitor)
        visitors.add(visitor)
      }
    }
    // The whole of a share is the question without its dimensions: what meets no goal is in it.
    for (const event of byGoal ? events : []) {
      const visitor = event.visitor ?? event.session
      if (visitor === undefined) continue
      const read = reading(event, event.goals ?? [])
      if (filters.every(filter => fits(filter, read, isDone(event.session)))) visitors.add(visitor)
    }
    total = visitors.size
  } else {
    const isPlain =
      filters.flatMap(namesOf).length === 0 && !hasDone && dimensions.every(name => name.startsWith('time'))
    const visitors = new Set<string>()
    const asksVisits = metrics.some(metric => metric !== 'events' && metric !== 'pageviews')
    for (const visit of visits) {
      const start = visit.events[0]?.ts ?? 0
      if (!inRange(start) || !counts(visit.bot)) continue
      const read = (name: string) => visit.attributes[name] ?? '(none)'
      if (!filters.every(filter => fits(filter, read, isDone(visit.events[0]?.session)))) continue
      visitors.add(visit.visitor)
      if (isPlain && !asksVisits) continue
      countVisit(
        dimensions.map(name => (name.startsWith('time') ? label(start, name) : read(name))),
        visit,
      )
    }
    total = visitors.size
    if (isPlain) {
      const asksEvents = metrics.some(metric => metric === 'events' || metric === 'pageviews')
      for (const group of groups.values()) group.whole = false
      for (const event of asksEvents ? events : []) {
        const group = groupOf(dimensions.map(name => label(event.ts, name)))
        group.shown = true
        group.events++
        if (event.name === 'pageview') group.pageviews++
      }
    }
  }
  const ofGoals = eventNames.includes('event:goal')
  const shares = sharesOf(all, zone, query)
  const rows = [...groups.values()]
    .filter(({ shown }) => shown)
    .map(group => measured(group, total, shares(group.values), ofGoals))
  const order = query.order_by ?? [
    ...dimensions.filter(name => name.startsWith('time')).map(name => [name, 'asc'] as [string, string]),
    [metrics[0] ?? '', 'desc'] as [string, string],
  ]
  const by = [...order, ...dimensions.map(name => [name, 'asc'] as [string, string])]
  rows.sort((a, b) => {
    for (const [name, direction] of by) {
      const place = dimensions.indexOf(name)
      const difference =
        place >= 0
          ? compareValues(a.values[place] ?? '', b.values[place] ?? '', name, a, b)
          : compareNumbers(a.raw[name], b.raw[name])
      if (difference !== 0) return direction === 'asc' ? difference : -difference
    }
    return 0
  })
  const { offset, limit } = query.pagination
  const results = rows.slice(offset, offset + limit).map(({ values, shown }) => ({
    metrics: metrics.map(metric => shown[metric] ?? null),
    dimensions: values,
  }))
  return { results, total: rows.length }
}

interface Group {
  values: string[]
  events: number
  pageviews: number
  visits: Set<PlainVisit>
  visitors: Set<string>
  /** by currency */
  revenue: Map<string, number[]>
  /** whether it is a row */
  shown: boolean
  /** whether events and page views are those of the visits */
  whole?: boolean
}

/** Visitors of the question without goals and properties: all, and of a group. */
function sharesOf(all: PlainEvent[], zone: string, query: PlainQuery) {
  const isOther = (name: string) => name !== 'event:goal' && !name.startsWith('event:props:')
  const open = (filter: unknown): unknown[] => {
    const [operator, second] = filter as Raw
    return operator === 'and' ? (second as unknown[]).flatMap(open) : [filter]
  }
  const visitors = (dimensions: string[]) => {
    const filters = query.filters.flatMap(open).filter(filter => namesOf(filter).every(isOther))
    if (query.dimensions.includes('event:bot')) filters.push(['is_not', 'event:bot', ['(none)']])
    const pagination = { limit: 1e9, offset: 0 }
    const { results } = recount(all, zone, {
      ...query,
      metrics: ['visitors'],
      dimensions,
      filters,
      order_by: [],
      pagination,
    })
    return new Map(results.map(({ dimensions, metrics: [n] }) => [JSON.stringify(dimensions), Number(n)]))
  }
  const asks = (metric: string) => query.metrics.includes(metric)
  const everybody = asks('conversion_rate') ? visitors([]).get('[]') : 0
  const groups = asks('group_conversion_rate') ? visitors(query.dimensions.filter(isOther)) : undefined
  return (values: string[]) => ({
    everybody: everybody ?? 0,
    group: groups?.get(JSON.stringify(values.filter((_, i) => isOther(query.dimensions[i] ?? '')))) ?? 0,
  })
}

export interface PlainGoal {
  name: string
  page?: string
  event?: string
  where?: { property: string; is?: string[]; compare?: '>' | '<='; to?: number }[]
  value?: { amount: string; currency: string } | { property: string; currency: string }
}

/**
 * What events meet of goals that were made later, beside what they carry, and what they are worth then.
 * @param upto ms: what happened from then on carries it, by the place of the goal
 */
export function withGoals(all: PlainEvent[], goals: readonly PlainGoal[], upto: readonly number[]): PlainEvent[] {
  return all.map(event => {
    const met = goals.filter((goal, i) => event.ts < (upto[i] ?? 0) && meets(event, goal))
    const names = new Set([...(event.goals ?? []), ...met.map(({ name }) => name)])
    const worth = event.currency
      ? { revenue: event.revenue, currency: event.currency }
      : met.map(({ value }) => value && plainWorth(event, value)).find(Boolean)
    return { ...event, ...(names.size > 0 && { goals: [...names] }), ...worth }
  })
}

function meets({ name, path, props = {} }: PlainEvent, { page, event, where = [] }: PlainGoal): boolean {
  if (name !== (event ?? 'pageview')) return false
  if (page !== undefined && !fits(['matches_wildcard', 'event:page', [page]], () => path, never)) return false
  return where.every(({ property, is, compare, to = 0 }) => {
    const value = props[property]
    if (value == null || typeof value === 'object') return false
    if (is) return is.includes(String(value))
    if (!compare || typeof value === 'boolean' || Number.isNaN(Number(value)) || value === '') return false
    return compare === '>' ? Number(value) > to : Number(value) <= to
  })
}

function plainWorth({ props = {} }: PlainEvent, value: NonNullable<PlainGoal['value']>) {
  const amount = 'amount' in value ? value.amount : props[value.property]
  if (!['number', 'string'].includes(typeof amount) || amount === '' || Number.isNaN(Number(amount))) return undefined
  const [major, unit] = [Number(amount), 10 ** (DECIMALS[value.currency] ?? 2)]
  // Of these no text is an amount, or it is too much.
  if (Math.abs(major) * unit > 1e12) return undefined
  return { revenue: Math.sign(major) * Math.round(Math.abs(major) * unit), currency: value.currency }
}

const DECIMALS: Record<string, number> = { EUR: 2, USD: 2, JPY: 0, KWD: 3 }
function moneyOf(currency: string, minor: number) {
  const digits = DECIMALS[currency] ?? 2
  const value = Math.round(minor) / 10 ** digits
  const style = { style: 'currency', currency } as const
  const short = { ...style, notation: 'compact', minimumFractionDigits: 0, maximumFractionDigits: 1 } as const
  const long = { ...style, minimumFractionDigits: digits, maximumFractionDigits: digits }
  const text = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat('en-US', options).format(value)
  return { value, currency, short: text(short), long: text(long) }
}

function measured(
  { values, events, pageviews, visits, visitors, revenue, whole }: Group,
  total: number,
  { everybody, group }: { everybody: number; group: number },
  ofGoals: boolean,
) {
  const all = [...visits]
  const viewsOf = (visit: PlainVisit) => visit.events.filter(({ name }) => name === 'pageview').length
  const views = all.reduce((sum, visit) => sum + viewsOf(visit), 0)
  const bounces = all.filter(visit => viewsOf(visit) <= 1).length
  const ms = all.reduce((sum, { events: [first], events: own }) => sum + ((own.at(-1)?.ts ?? 0) - (first?.ts ?? 0)), 0)
  const n = all.length
  const raw: Record<string, number | null> = {
    events: whole ? all.reduce((sum, visit) => sum + visit.events.length, 0) : events,
    pageviews: whole ? views : pageviews,
    visitors: visitors.size,
    visits: n,
    views_per_visit: n === 0 ? 0 : views / n,
    bounce_rate: n === 0 ? 0 : bounces / n,
    visit_duration: n === 0 ? null : ms / n,
    percentage: visitors.size,
    conversion_rate: visitors.size,
    group_conversion_rate: group === 0 ? 0 : visitors.size / group,
    total_revenue: null,
    average_revenue: null,
  }
  const [only, ...others] = revenue
  const [currency = '', amounts = []] = (ofGoals && others.length === 0 && only) || []
  if (amounts.length > 0) {
    raw.total_revenue = amounts.reduce((sum, amount) => sum + amount, 0)
    raw.average_revenue = raw.total_revenue / amounts.length
  }
  const two = (x: number) => Math.round(x * 100) / 100
  const money = (minor: number | null | undefined) => (minor == null ? null : moneyOf(currency, minor))
  const shown: Record<string, Shown> = {
    ...raw,
    views_per_visit: two(raw.views_per_visit ?? 0),
    bounce_rate: two((raw.bounce_rate ?? 0) * 100),
    visit_duration: raw.visit_duration == null ? null : Math.round(raw.visit_duration / 1000),
    percentage: total === 0 ? 0 : two((visitors.size / total) * 100),
    conversion_rate: everybody === 0 ? 0 : two((visitors.size / everybody) * 100),
    group_conversion_rate: two((raw.group_conversion_rate ?? 0) * 100),
    total_revenue: money(raw.total_revenue),
    average_revenue: money(raw.average_revenue),
  }
  return { values, raw, shown, first: 0 }
}

/** In order of their time, a new visit of a cookieless visitor after each gap of more than half an hour. */
export function visitsOf(all: PlainEvent[]): PlainVisit[] {
  const sessions = new Map<string, PlainEvent[]>()
  for (const event of all) {
    if (event.session === undefined) continue
    sessions.set(event.session, [...(sessions.get(event.session) ?? []), event])
  }
  return [...sessions].flatMap(([id, unordered]) => {
    const events = unordered.toSorted((a, b) => a.ts - b.ts)
    const views = events.filter(({ name }) => name === 'pageview')
    const [first] = views.length > 0 ? views : events
    const last = (views.length > 0 ? views : events).at(-1)
    const attributes: Record<string, string> = {}
    for (const [name, field] of Object.entries(VISIT)) {
      attributes[name] = String(visitValue(field, first, last) || '(none)')
    }
    const visitor = events.find(event => event.visitor !== undefined)?.visitor ?? `session ${id}`
    const parts: PlainEvent[][] = []
    for (const event of events) {
      const part = parts.at(-1)
      const before = part?.at(-1)
      const goesOn = event.consent !== 'l' || (before && event.ts - before.ts <= HALF_HOUR)
      if (part && goesOn) part.push(event)
      else parts.push([event])
    }
    return parts.map((part, i) => ({
      id: `${id}#${i}`,
      events: part,
      attributes,
      visitor,
      bot: events[0]?.bot !== undefined,
    }))
  })
}

function visitValue(
  field: (typeof VISIT)[string],
  first: PlainEvent | undefined,
  last: PlainEvent | undefined,
): unknown {
  if (field === 'entry') return first?.path
  if (field === 'exit') return last?.path
  if (field === 'countryName') return first?.country === 'US' ? 'United States' : first?.country && 'Germany'
  if (field !== 'screen') return first?.[field]
  const width = first?.width
  if (!width) return undefined
  if (width < 576) return 'mobile'
  if (width < 992) return 'tablet'
  return width < 1440 ? 'laptop' : 'desktop'
}

export function eventValue(event: PlainEvent, name: string): string | string[] {
  if (name === 'event:goal') return event.goals ?? []
  if (name === 'event:name') return event.name
  if (name === 'event:page') return event.path || '(none)'
  if (name === 'event:hostname') return event.host || '(none)'
  if (name === 'event:consent') return event.consent
  if (name === 'event:bot') return event.bot ?? '(none)'
  const value = event.props?.[name.slice('event:props:'.length)]
  return value == null ? '(none)' : typeof value === 'object' ? '(object)' : String(value)
}

const never = () => false
type Raw = [string, unknown, string[], { case_sensitive?: boolean }?]

export function fits(
  filter: unknown,
  read: (name: string) => string | string[],
  done: (filter: unknown) => boolean,
): boolean {
  const [operator, second, values = [], { case_sensitive: exact = true } = {}] = filter as Raw
  if (operator === 'and') return (second as unknown[]).every(one => fits(one, read, done))
  if (operator === 'or') return (second as unknown[]).some(one => fits(one, read, done))
  if (operator === 'not') return !fits(second, read, done)
  if (operator === 'has_done') return done(second)
  if (operator === 'has_not_done') return !done(second)
  const fold = (text: string) => (exact ? text : text.toLowerCase())
  const texts = [read(second as string)].flat().map(fold)
  const plain = operator.replace(/_not$/, '')
  const fitsText = (text: string) =>
    values.some(value => {
      if (plain === 'is') return text === fold(value)
      if (plain === 'contains') return text.includes(fold(value))
      if (plain === 'matches') return new RegExp(value).test(text)
      const parts = value.split('*')
      return new RegExp(`^${parts.map(part => part.replace(/\W/g, '\\$&')).join('.*')}$`).test(text)
    })
  const holds = texts.some(fitsText)
  return operator.endsWith('_not') ? !holds : holds
}

function namesOf(filter: unknown): string[] {
  const [operator, second] = filter as Raw
  if (operator === 'and' || operator === 'or') return (second as unknown[]).flatMap(namesOf)
  if (operator === 'not') return namesOf(second)
  return operator.startsWith('has_') ? [] : [second as string]
}
export function donesIn(filter: unknown): unknown[] {
  const [operator, second] = filter as Raw
  if (operator === 'and' || operator === 'or') return (second as unknown[]).flatMap(donesIn)
  if (operator === 'not') return donesIn(second)
  return operator.startsWith('has_') ? [second] : []
}
const asksDone = (filter: unknown): boolean => donesIn(filter).length > 0

type Clock = (at: number) => string
const clocks = new Map<string, Clock>()

/** As in 2026-10-25 02:30:00. */
export function clockIn(zone: string): Clock {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  const held = new Map<number, string>()
  const clock =
    clocks.get(zone) ??
    (at => {
      const second = Math.floor(at / 1000) * 1000
      const text = held.get(second) ?? format.format(second)
      held.set(second, text)
      return text
    })
  clocks.set(zone, clock)
  return clock
}

export function rangeOf([first, last]: [string, string], clock: Clock): [number, number] {
  if (first.length > 10) return [Date.parse(first), Date.parse(last) + 1_000]
  // The first quarter of an hour in which it is that day, or a later one.
  const begin = (date: string, after: boolean) => {
    let at = Date.parse(`${date}T00:00:00Z`) - 16 * HOUR
    while (after ? clock(at).slice(0, 10) <= date : clock(at).slice(0, 10) < date) at += HOUR / 4
    return at
  }
  return [begin(first, false), begin(last, true)]
}

export function labelOf(ts: number, unit: string, clock: Clock, from: number): string {
  const text = clock(ts)
  const day = text.slice(0, 10)
  if (unit === 'day') return day
  if (unit === 'month') return `${text.slice(0, 7)}-01`
  if (unit === 'week') {
    const date = new Date(`${day}T00:00:00Z`)
    date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
    const monday = date.toISOString().slice(0, 10)
    const firstDay = clock(from).slice(0, 10)
    return monday < firstDay ? firstDay : monday
  }
  const length = unit === 'hour' ? 13 : 16
  const label = text.slice(0, length) + (unit === 'hour' ? ':00:00' : ':00')
  const isTwice = [-HOUR, HOUR].some(by => clock(ts + by).slice(0, length) === text.slice(0, length))
  if (!isTwice) return label
  const offset = Math.round((Date.parse(`${text.replace(' ', 'T')}Z`) - Math.floor(ts / 1000) * 1000) / 60_000)
  const two = (n: number) => String(Math.floor(Math.abs(n))).padStart(2, '0')
  return `${label}${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`
}

const compareNumbers = (a: number | null | undefined, b: number | null | undefined): number => {
  if ((a ?? null) === (b ?? null)) return 0
  return a == null || (b != null && a < b) ? -1 : 1
}

/** Times by time: of an hour that comes twice the one with the larger offset is first. */
function compareValues(a: string, b: string, name: string, _a: unknown, _b: unknown): number {
  if (a === b) return 0
  if (name.startsWith('time') && a.length !== b.length) return a.slice(0, 19) < b.slice(0, 19) ? -1 : 1
  if (name.startsWith('time') && a.length > 19) {
    const instant = (text: string) => Date.parse(text.replace(' ', 'T'))
    return instant(a) - instant(b)
  }
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
