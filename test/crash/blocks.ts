/** Whether blocks say what there is, wherever their manifest holds: counted again from events and sessions, in plain code. */
import type { ClientSession, Db } from 'mongodb'
import { readHolds, readManifests } from '../../collector/columns/fresh.ts'
import { type Block, type Blocks, type ColumnName, TALLIES, tallyColumns } from '../../collector/columns/index.ts'
import type { Session } from '../../collector/settle/index.ts'
import type { Goal } from '../../collector/sites/index.ts'
import { compareRows } from './check.ts'
import { GRAINS, type Raw, type Rows } from './model.ts'

const DAY_MS = 86_400_000
const SESSION_FIELDS = ['source', 'browser', 'exit'] as const
const EVENT_FIELDS = ['name', 'path'] as const
const NAMES: ColumnName[] = [
  ...SESSION_FIELDS.map(field => `session.${field}` as const),
  ...EVENT_FIELDS.map(field => `event.${field}` as const),
  ...(['bot', 'who', 'events', 'visits'] as const).map(field => `session.${field}` as const),
  ...(['start', 'end', 'views', 'events'] as const).map(field => `visit.${field}` as const),
  ...(['at', 'bot', 'who', 'revenue'] as const).map(field => `event.${field}` as const),
  ...TALLIES.flatMap(tallyColumns).filter(name => !name.endsWith('.visit')),
  'who.hash',
]

/** What is counted of a day: sums, and who was seen. */
class Counted {
  private readonly sums = new Map<string, { counters: number[]; seen: Set<string | number> }>()
  add(key: string, who: string | number | undefined, counters: number[]): void {
    const sum = this.sums.get(key) ?? { counters: counters.map(() => 0), seen: new Set() }
    this.sums.set(key, sum)
    counters.forEach((n, c) => {
      sum.counters[c] = (sum.counters[c] ?? 0) + n
    })
    if (who !== undefined) sum.seen.add(who)
  }
  /** Counters of each, and last how many different visitors. */
  rows = (): Rows => new Map([...this.sums].map(([key, { counters, seen }]) => [key, [...counters, seen.size]]))
}

interface Visit {
  bot: boolean
  start: number
  end: number
  views: number
  events: number
  has: string[]
}
function addVisit(counted: Counted, { bot, start, end, views, events, has }: Visit, who: string | number): void {
  const counters = [1, views, events, end - start]
  for (const value of ['', ...has]) counted.add(`visits${bot ? ' of bots' : ''} ${value}`, who, counters)
}

interface Happened {
  bot: boolean
  at: number
  revenue: number
  has: string[]
  /** its session's */
  source: string
}
function addEvent(counted: Counted, { bot, at, revenue, has, source }: Happened, who: string | number | undefined) {
  const counters = [1, at % 1000, revenue]
  for (const value of ['', ...has, `from ${source}`])
    counted.add(`events${bot ? ' of bots' : ''} ${value}`, who, counters)
}

/** What is added up of a page, a host or a name. */
function addTally(counted: Counted, told: string, count: number, views: number, who: string | number | undefined) {
  counted.add(`added up ${told}`, who, [count, views])
}

type Kept = Pick<
  Raw,
  'ts' | 'meta' | 'path' | 'host' | 'props' | 'session' | 'visitor' | 'bot' | 'revenue' | 'currency'
>

const textOf = (value: unknown): string => (typeof value === 'object' ? '(object)' : String(value ?? '(none)'))

/** @param withEvents not where pages are open: events are there before they are counted */
function recount(sessions: Session[], events: Kept[], { from, to, properties }: Asked, withEvents: boolean): Rows {
  const counted = new Counted()
  for (const session of sessions) {
    const has = SESSION_FIELDS.map(field => `${field} ${session[field] || '(none)'}`)
    for (const visit of session.visits ?? [session]) {
      const [start, end] = [+visit.start, +visit.end]
      if (start < from || start >= to) continue
      const { views, events } = visit
      const bot = session.bot !== undefined
      addVisit(counted, { bot, start, end, views, events, has }, session.visitor ?? session._id)
    }
  }
  if (!withEvents) return counted.rows()
  const sources = new Map(sessions.map(({ _id, source }) => [_id, source]))
  for (const { ts, meta, path, host, props = {}, session, visitor, bot, revenue = 0, currency } of events) {
    if (+ts < from || +ts >= to) continue
    const told = properties.map(name => `props.${name} ${textOf(props[name])}`)
    const has = [`name ${meta.name}`, `path ${path || '(none)'}`, ...told]
    const source = (session !== undefined && sources.get(`${meta.site}:${session}`)) || '(none)'
    const worth = currency === undefined ? 0 : revenue
    const who = visitor ?? session
    addEvent(counted, { bot: bot !== undefined, at: +ts, revenue: worth, has, source }, who)
    if (bot !== undefined) continue
    const values = { path: path || '(none)', host: host || '(none)', name: meta.name }
    for (const field of TALLIES)
      addTally(counted, `${field} ${values[field]}`, 1, meta.name === 'pageview' ? 1 : 0, who)
  }
  return counted.rows()
}

interface Day {
  from: number
  to: number
}
interface Asked extends Day {
  /** those that events are told apart by */
  properties: string[]
}

async function readBlocks(blocks: AsyncIterable<Block>, { properties }: Asked, withEvents: boolean): Promise<Rows> {
  const fields = [...EVENT_FIELDS, ...properties.map(name => `props.${name}` as const)]
  const counted = new Counted()
  for await (const block of blocks) {
    const of = (name: ColumnName) => {
      const column = block.columns.get(name)
      if (!column) throw new Error(`the column ${name} is missing`)
      return column
    }
    const text = (name: ColumnName, place: number) => of(name).texts[of(name).numbers[place] ?? 0] ?? 'no text'
    const number = (name: ColumnName, place: number) => of(name).numbers[place] ?? Number.NaN
    const whoAt = (place: number) => (place === 0xffff_ffff ? undefined : number('who.hash', place))
    for (let session = 0; session <= block.sessions; session++) {
      const isNone = session === block.sessions
      for (let v = number('session.visits', session); !isNone && v < number('session.visits', session + 1); v++) {
        const start = number('visit.start', v)
        if (!(start >= block.from && start < block.to)) continue
        const [end, views, events] = [number('visit.end', v), number('visit.views', v), number('visit.events', v)]
        const has = SESSION_FIELDS.map(field => `${field} ${text(`session.${field}`, session)}`)
        const bot = number('session.bot', session) === 1
        addVisit(counted, { bot, start, end, views, events, has }, whoAt(number('session.who', session)) ?? 'nobody')
      }
      const last = isNone ? block.events : number('session.events', session + 1)
      for (let event = number('session.events', session); withEvents && event < last; event++) {
        const has = fields.map(field => `${field} ${text(`event.${field}`, event)}`)
        const [at, revenue] = [block.from + number('event.at', event), number('event.revenue', event)]
        const source = isNone ? '(none)' : text('session.source', session)
        const bot = text('event.bot', event) !== '(none)'
        addEvent(counted, { bot, at, revenue, has, source }, whoAt(number('event.who', event)))
      }
    }
    for (const field of withEvents ? TALLIES : []) {
      for (let place = 0; place < of(`tally.${field}.code`).numbers.length; place++) {
        const [count, views] = [number(`tally.${field}.count`, place), number(`tally.${field}.views`, place)]
        const who = whoAt(number(`tally.${field}.who`, place))
        addTally(counted, `${field} ${text(`tally.${field}.code`, place)}`, count, views, who)
      }
    }
  }
  return counted.rows()
}

export interface BlocksLooked {
  faults: string[]
  /** days whose manifest holds */
  held: number
  /** days with events of which none holds */
  stale: string[]
}

/** @param db without a read concern of its own; @param session of a snapshot; @param span in which days are UTC's */
export async function compareBlocks(
  db: Db,
  blocks: Blocks,
  site: string,
  session: ClientSession,
  span: Day = { from: Date.now() - 10 * DAY_MS, to: Date.now() + 2 * DAY_MS },
): Promise<BlocksLooked> {
  const all = await readManifests(db, site, span, { session })
  const holds = await readHolds(db, site, all, { session })
  const open = await db.collection('journal').countDocuments({ state: 'open', 'envelopes.site': site }, { session })
  const sessions = await db.collection<Session>('sessions').find({ site }, { session }).toArray()
  const events = await db
    .collection<Kept>('events')
    .find({ 'meta.site': site }, { session, projection: { _id: 0, 'props.text': 0, url: 0 } })
    .toArray()
  const goals = (await db.collection<{ _id: string; goals?: Goal[] }>('sites').findOne({ _id: site }, { session }))
    ?.goals
  const looked: BlocksLooked = { faults: [], held: 0, stale: [] }
  const kept = new Set<number>()
  for (const manifest of all.filter(holds)) {
    const properties = manifest.properties.filter(name => name === 'total')
    const day = { from: +manifest.at, to: +manifest.to, properties }
    kept.add(day.from)
    const found = await blocks.find(
      { site, ...day, goals, names: [...NAMES, ...properties.map(name => `event.props.${name}` as const)] },
      { session },
    )
    if (!found) throw new Error('there is too much')
    looked.held++
    const name = `blocks of ${site}, ${manifest.at.toISOString()}`
    const actual = await readBlocks(found.blocks(), day, open === 0)
    if (found.isRaw || found.days.length === 0) looked.faults.push(`${name} hold and are not read`)
    looked.faults.push(...compareRows(name, actual, recount(sessions, events, day, open === 0)))
  }
  const days = new Set(
    [...events.map(({ ts }) => +ts), ...sessions.map(({ start }) => +start)].map(GRAINS.day ?? Number),
  )
  for (const day of days)
    if (day >= span.from && day < span.to && !kept.has(day))
      looked.stale.push(`${site}, ${new Date(day).toISOString()}, has no blocks`)
  return looked
}
