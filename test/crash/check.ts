/** Holds what the database has of a round against what its clients were told, and its counters against a recount. */
import type { Binary, Db } from 'mongodb'
import { CLOSED_GRAINS } from '../../collector/rollup/index.ts'
import { eventKey, type Ledger } from './ledger.ts'
import {
  add,
  conversionOf,
  countersOf,
  countRows,
  countSessions,
  GRAINS,
  PROPERTIES,
  type Raw,
  type Rows,
  type Visit,
} from './model.ts'
import { compareProofs } from './proofs.ts'

export interface Faults {
  /** acknowledged events that are not in `events` */
  lost: string[]
  /** events that are there more than once */
  doubled: string[]
  /** events that nobody sent, that had to be refused, or that changed on their way */
  foreign: string[]
  /** rollups, sessions and what reads them; proofs of consent */
  counters: string[]
}

export const noFaults = (): Faults => ({ lost: [], doubled: [], foreign: [], counters: [] })
export const isFaulty = (faults: Faults): boolean => Object.values(faults).some(list => list.length > 0)

export interface Checked {
  faults: Faults
  events: Raw[]
  /** counters by minute and by hour, as they have to be */
  minutes: Rows
  hours: Rows
}

/** How many pages with events of the site are not settled, or not folded. */
export const unfinished = (db: Db, site: string): Promise<number> =>
  db.collection('journal').countDocuments({ foldedAt: null, 'envelopes.site': site })

export async function checkSite(db: Db, site: string, ledger: Ledger): Promise<Checked> {
  const faults = noFaults()
  const events = await db
    .collection<Raw>('events')
    .find({ 'meta.site': site }, { projection: { _id: 0, 'props.text': 0, url: 0 } })
    .toArray()
  checkEvents(events, ledger, faults)
  // Counters count an event once: where one is doubled, that is said already.
  const once = [...new Map(events.map(event => [eventKey(event.id, event.meta.name), event])).values()]
  const sessions = countSessions(once)
  await checkSessions(db, site, sessions, faults)
  faults.counters.push(...(await compareProofs(db, site, once)))
  await checkRollups(db, site, grain => countRows(once, sessions, grain), faults)
  const [minutes, hours] = [countRows(once, sessions, 'minute'), countRows(once, sessions, 'hour')]
  return { faults, events, minutes, hours }
}

function checkEvents(events: Raw[], ledger: Ledger, { lost, doubled, foreign }: Faults): void {
  const times = new Map<string, number>()
  const cookieless = new Map<string, string>()
  const now = Date.now()
  for (const event of events) {
    const { id, meta, ts, path, session, visitor, bot, consent, goals, revenue, currency, declared } = event
    const key = eventKey(id, meta.name)
    const counted = JSON.stringify({ goals, revenue, currency })
    const { goals: g, revenue: r, currency: c } = conversionOf(event)
    if (counted !== JSON.stringify({ goals: g, revenue: r, currency: c }))
      foreign.push(`${key}: meets the goals, or is worth, ${counted}`)
    if (JSON.stringify(declared) !== JSON.stringify(PROPERTIES)) foreign.push(`${key}: is counted by ${declared}`)
    const before = times.get(key) ?? 0
    times.set(key, before + 1)
    if (before === 1) doubled.push(key)
    const fitting = ledger.sent.get(key)?.filter(
      sent =>
        sent.path === path &&
        (consent === 'l'
          ? sent.cookieless !== undefined && session === visitor && isOfDay(visitor, sent.ago)
          : sent.session === session && sent.visitor === visitor) &&
        sent.bot === (bot !== undefined) &&
        // The clock of both is the same: what it shows at receipt lies between the first sending and now.
        +ts >= sent.from - sent.ago - 1 &&
        +ts <= now - sent.ago,
    )
    const [sent, ...others] = fitting ?? []
    if (ledger.invalid.has(id)) foreign.push(`${key}: had to be refused`)
    else if (!sent) foreign.push(`${key}: was not sent like that`)
    else if (visitor !== undefined && consent === 'l' && others.every(other => other.cookieless === sent.cookieless)) {
      // All collectors have the same salt for a day, whatever was killed when it was made. Of an order number that several
      // people sent nobody can say whose was counted.
      const who = `${ts.toISOString().slice(0, 10)} ${sent.cookieless} ${sent.bot}`
      const before = cookieless.get(who) ?? visitor
      cookieless.set(who, visitor)
      if (before !== visitor) foreign.push(`${key}: ${visitor}, who was ${before} before on the same day`)
    }
  }
  for (const key of ledger.acknowledged) if (!times.has(key)) lost.push(key)
}

/** A cookieless visitor has a name of the day, which is only missing where that day's salt may be gone. */
const isOfDay = (visitor: string | undefined, ago: number): boolean =>
  visitor === undefined ? ago > 86_400_000 : visitor.startsWith('~')

interface StoredSession extends Partial<Record<string, unknown>> {
  _id: string
  visitor?: string
  start: Date
  end: Date
  exit: string
  views: number
  events: number
  engaged: number
  goals: number
  steps: { at: Date; name: string; path: string }[]
  visits?: { start: Date; end: Date; events: number; views: number; engaged?: number; goals?: number }[]
}

async function checkSessions(db: Db, site: string, expected: Map<string, Visit>, { counters }: Faults): Promise<void> {
  const missing = new Set(expected.keys())
  for await (const held of db.collection<StoredSession>('sessions').find({ site })) {
    const id = held._id.slice(site.length + 1)
    const visit = expected.get(id)
    missing.delete(id)
    if (!visit) {
      counters.push(`session ${id}: has no events`)
      continue
    }
    const steps = held.steps.map(({ at, name, path }) => `${+at} ${name} ${path}`).sort()
    const beginning = visit.beginnings.find(one =>
      Object.entries(one).every(([name, has]) => (held[name] ?? '') === has),
    )
    visit.held = { beginning: beginning ?? visit.beginnings[0] ?? {}, exit: held.exit }
    const differences: [name: string, held: unknown, expected: unknown][] = [
      ['start', +held.start, visit.start],
      ['end', +held.end, visit.end],
      ['events', held.events, visit.events],
      ['views', held.views, visit.views],
      ['visitor', held.visitor, visit.visitor],
      ['engaged', held.engaged, visit.engaged],
      ['goals', held.goals, visit.goals],
      ['beginning', beginning !== undefined || JSON.stringify({ ...held, steps: 0, visits: 0 }), true],
      ['exit', visit.exits.has(held.exit) || held.exit, true],
      ['visits', visitsOf(held.visits), visitsOf(visit.visits)],
      ['steps', steps.join() === visit.steps.join() || steps.length, true],
    ]
    for (const [name, is, has] of differences) {
      if (is !== has)
        counters.push(`session ${id}: ${name} is ${is}${has === true ? ', which is wrong' : `, not ${has}`}`)
    }
  }
  for (const id of missing) counters.push(`session ${id}: is missing`)
}

interface VisitLike extends Record<'events' | 'views', number> {
  start: Date | number
  end: Date | number
  engaged?: number
  goals?: number
}
const visitsOf = (visits: VisitLike[] = []): string =>
  visits
    .map(({ start, end, events, views, engaged = 0, goals = 0 }) =>
      [`${+start}–${+end}`, events, views, engaged, goals].join(' '),
    )
    .join()

export interface StoredRollup {
  _id: string
  site: string
  grain: string
  dim: string
  at: Date
  values: string[]
  counters: Binary
}

async function checkRollups(
  db: Db,
  site: string,
  expected: (grain: string) => Rows,
  { counters }: Faults,
): Promise<void> {
  const grains = new Map<string, Rows>(['minute', 'hour'].map(grain => [grain, new Map()]))
  for await (const { grain, dim, at, values, counters: packed } of db
    .collection<StoredRollup>('rollups')
    .find({ site })) {
    // These are held against hours (`closed.ts`).
    if ((CLOSED_GRAINS as readonly string[]).includes(grain)) continue
    const rows = grains.get(grain) ?? new Map()
    grains.set(grain, rows)
    unpack(packed, values.length, countersOf(grain).length).forEach((row, i) => {
      add(rows, `${dim} ${+at} ${values[i]}`, row)
    })
  }
  for (const [grain, rows] of grains) {
    const wanted = grain in GRAINS ? expected(grain) : undefined
    if (wanted) counters.push(...compareRows(`rollups by ${grain}`, rows, wanted))
    else counters.push(`there are rollups of the grain "${grain}", which this recount does not know`)
  }
}

/** One float64 column a counter, one after the other, little-endian. */
export function unpack(packed: Binary, rows: number, counters: number): number[][] {
  const bytes = Buffer.from(packed.buffer)
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: counters }, (_, column) => bytes.readDoubleLE((column * rows + row) * 8)),
  )
}

/** What differs, a row that is missing taken for one of zeros. */
export function compareRows(name: string, rows: Rows, expected: Rows): string[] {
  return [...new Set([...rows.keys(), ...expected.keys()])].flatMap(key => {
    const is = rows.get(key) ?? []
    const has = expected.get(key) ?? []
    const columns = Math.max(is.length, has.length)
    const same = Array.from({ length: columns }, (_, c) => (is[c] ?? 0) === (has[c] ?? 0)).every(Boolean)
    return same ? [] : [`${name}, ${key.replace(/\d{13}/, at => new Date(+at).toISOString())}: [${is}], not [${has}]`]
  })
}
