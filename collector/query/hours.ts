/**
 * Counts from the hour rollups, and from days, weeks and months where these were closed: of events and of visits, all of them
 * or by one attribute, where range and buckets are made of whole hours of the site's zone. What hours do not know exactly is
 * left to the next engine: different visitors, two attributes at a time, properties that are not declared, the host of a
 * visit, hours that had more values than they hold, and what is older than they are.
 */
import type { ClientSession, Db } from 'mongodb'
import { type HourDimension, VISIT_DIMENSIONS } from '../journal/index.ts'
import { type ClosedGrain, type Hours, OTHER, UnfitHours } from '../rollup/index.ts'
import { hourOf, MINUTE_MS, type Session } from '../settle/index.ts'
import { uncarried } from '../sites/index.ts'
import { KEPT, once } from '../store/index.ts'
import { countryName } from './countries.ts'
import type { Ask, Engine, Measure } from './engine.ts'
import { attributesOf, donesOf, type Filter, leafExpression, toMatch } from './filter.ts'
import { placeOf } from './grid.ts'
import { addWorth, isOneGoal } from './hours-of-goals.ts'
import { hasAll, isFromBefore, propertyOf } from './hours-of-properties.ts'
import { isVisitDimension, type TimeUnit, VISIT_FIELDS } from './names.ts'
import { pageOf } from './order.ts'
import { reading } from './reading.ts'
import { sumRows, type TextOf } from './rows-of-hours.ts'
import { createSums, type Sums, type SumsAsked } from './sums.ts'

const DAY_MS = 86_400_000
/** Values of hours that one answer reads, which takes seconds, and rows that it holds. */
const MOST = { read: 3_000_000, held: 300_000 }
/** Values that are asked at a time whether filters hold: less than a message takes. */
const ASKED_AT_ONCE = 1_000
/** Sessions looked at for whether there were hours when they began. */
const LOOKED_AT = 20

const OF_EVENTS: Record<string, HourDimension> = {
  'event:name': 'name',
  'event:page': 'page',
  'event:hostname': 'host',
  'event:consent': 'consent',
  'event:bot': 'bot',
  'event:goal': 'goal',
}
/** What hours tell of matches. */
const OF_MATCHES: readonly Measure[] = ['events', 'pageviews', 'revenue', 'paid']

export function createHours(db: Db, clock: () => number): Engine {
  const readSums = createSums(db)
  return {
    name: 'hours',
    async answer(ask, { session, signal }) {
      const dim = dimensionOf(ask)
      if (!dim || !isOnHours(ask, clock()) || (await isOlder(db, ask, session))) return undefined
      const property = dim === 'property' ? propertyOf(ask) : undefined
      if (property && (await isFromBefore(db, ask, property, signal))) return undefined
      // What conversions are worth stands by currency, beside how many there are; all events tell whether those by a
      // property are all.
      const beside: HourDimension[] = property ? ['total'] : ask.measures.includes('revenue') ? ['revenue'] : []
      const parts = { dims: [dim, ...beside], property: property?.name, now: clock(), signal }
      const [hours, others] = (await readExact(ask, parts, asked => readSums(asked, session))) ?? []
      if (!hours || (property && !hasAll(hours, others))) return undefined
      const textOf = textsOf(ask)
      const fitting = await fittingIn(db, ask, hours, textOf, signal)
      const rows = sumRows(ask, hours, textOf, fitting)
      if (others && !property) addWorth(ask, rows, others, fitting)
      return { ...(ask.page ? pageOf(rows, ask.dimensions, ask.page) : { rows }), source: 'rollups' }
    },
  }
}

/** What of hours tells it; `undefined` where nothing does. */
function dimensionOf(ask: Ask): HourDimension | undefined {
  const { site, range, over, bots, measures, dimensions, filters } = ask
  if (bots === 'all' || measures.includes('visitors') || filters.flatMap(donesOf).length > 0) return undefined
  const [name, another] = attributesOf(ask)
  if (another !== undefined) return undefined
  if (over === 'events') return 'total'
  if (over === 'visits') {
    if (name === undefined) return 'visits'
    // Of hours, `host` is that of events.
    return isVisitDimension(name) ? VISIT_DIMENSIONS.find(dim => dim === VISIT_FIELDS[name]) : undefined
  }
  if (name === undefined || !measures.every(measure => OF_MATCHES.includes(measure))) return undefined
  if (name === 'event:goal' && !dimensions.includes(name) && !isOneGoal(filters)) return undefined
  if (name !== 'event:goal' && measures.includes('revenue')) return undefined
  // Hours have what events carried when they came.
  if (name === 'event:goal' && uncarried(site.goals, range.from).length > 0) return undefined
  const dim = Object.hasOwn(OF_EVENTS, name) ? OF_EVENTS[name] : propertyOf(ask) && 'property'
  return (dim === 'bot') === (bots === 'only') ? dim : undefined
}

/** What the values of hours are in the answer, if not themselves. */
const textsOf = (ask: Ask): TextOf | undefined =>
  attributesOf(ask).has('visit:country_name') ? countryName : undefined

/** After now nothing has happened yet, so there nothing has to begin with an hour. */
function isOnHours({ site, range, grid }: Ask, now: number): boolean {
  const begins = (at: number): boolean => hourOf(at, site.timezone).at === at
  if (!begins(range.from)) return false
  // Events may come in while this is answered.
  const soon = now + MINUTE_MS
  if (range.to <= soon && !begins(range.to)) return false
  return !grid || (grid.unit !== 'minute' && grid.starts.every(at => at > soon || begins(at)))
}

/**
 * Whether some of the range is from before hours were counted. The earliest sessions tell: those of before have no host until
 * they change.
 */
async function isOlder(db: Db, { site, range }: Ask, session: ClientSession): Promise<boolean> {
  const start = { $gte: new Date(range.from - DAY_MS), $lt: new Date(range.to) }
  const read = async (): Promise<boolean> => {
    const earliest = await db
      .collection<Session>('sessions')
      .find({ site: site.key, start }, { ...reading(), session, projection: { _id: 0, host: 1 } })
      .sort({ start: 1 })
      .limit(LOOKED_AT)
      .toArray()
    return earliest.some(({ host }) => host === undefined)
  }
  return await once({ session }, `older ${site.key} ${range.from} ${range.to}`, read)
}

/** What of a bucket may be read as one. */
const CLOSED: Record<TimeUnit, ClosedGrain[]> = {
  minute: [],
  hour: [],
  day: ['day'],
  week: ['week', 'day'],
  month: ['month', 'week', 'day'],
}

/** By place in the grid; `undefined` where hours lie otherwise, have had more values than they hold, or are too many. */
async function readExact(
  { site, range, grid }: Ask,
  {
    dims,
    property,
    now,
    signal,
  }: { dims: HourDimension[]; property: string | undefined; now: number; signal: AbortSignal },
  readSums: (asked: SumsAsked) => Promise<Sums>,
): Promise<Hours[] | undefined> {
  const asked = {
    site: site.key,
    dims,
    property,
    from: range.from,
    to: range.to,
    bucketOf: (at: number) => (grid ? placeOf(grid.starts, at) : 0),
    closed: CLOSED[grid?.unit ?? 'month'],
    zone: site.timezone,
    unit: grid?.unit ?? '',
    now,
    // A day sooner than they expire.
    kept: now - KEPT.hours + DAY_MS,
    most: MOST,
    options: reading(signal),
  }
  try {
    const read = await readSums(asked)
    const all = dims.map((dim): Hours => read.get(dim) ?? new Map())
    return all.every(hours => [...hours.values()].every(rows => !rows.has(OTHER))) ? all : undefined
  } catch (error) {
    if (error instanceof UnfitHours) return undefined
    throw error
  }
}

/** Texts that are counted; `undefined` where all are. */
async function fittingIn(
  db: Db,
  { filters }: Ask,
  hours: Hours,
  textOf: TextOf | undefined,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  if (filters.length === 0) return undefined
  const texts = new Set([...hours.values()].flatMap(rows => [...rows.keys()].map(value => textOf?.(value) ?? value)))
  return await fittingOf(db, filters, [...texts], signal)
}

/** Asked of the database, so that patterns mean there and here the same. */
export async function fittingOf(
  db: Db,
  filters: readonly Filter[],
  values: string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const $and = filters.map(filter =>
    toMatch(
      filter,
      leaf => ({ $expr: leafExpression(leaf, '$value') }),
      () => ({}),
    ),
  )
  const fitting = new Set<string>()
  // Once also where there are no values: what is wrong with a pattern is said.
  for (let i = 0; i === 0 || i < values.length; i += ASKED_AT_ONCE) {
    const $literal = values.slice(i, i + ASKED_AT_ONCE).map(value => ({ value }))
    const stages = [{ $documents: { $literal } }, { $match: { $and } }]
    const held = db.aggregate<{ value: string }>(stages, reading(signal))
    for await (const { value } of held) fitting.add(value)
  }
  return fitting
}
