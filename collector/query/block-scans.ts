/** Scans of one block: its visits that begin in the range, or its events that are in it. */
import { type Block, columnOf, NOTHING } from '../columns/index.ts'
import {
  columnFor,
  type DoneIn,
  type Fitting,
  goalsOf,
  isOfSession,
  shownAs,
  type Test,
  testOf,
} from './block-filters.ts'
import type { Ask } from './engine.ts'
import { type Filter, partsOf } from './filter.ts'
import { placeOf } from './grid.ts'
import { isTimeDimension } from './names.ts'
import { OF_VISITS } from './sum-matches.ts'
import { NO_ROW, type Sums } from './sum-rows.ts'

export interface ScanParts {
  ask: Ask
  block: Block
  fitting: Fitting
  done: DoneIn
  sums: Sums
}

export async function scanVisits({ ask, block, fitting, done, sums }: ScanParts): Promise<void> {
  const { range, filters, bots, measures } = ask
  const test = await allOf(filters, { block, fitting, done })
  const bot = columnOf(block, 'session.bot').numbers
  const who = columnOf(block, 'session.who').numbers
  const visits = columnOf(block, 'session.visits').numbers
  const [start, end] = [columnOf(block, 'visit.start').numbers, columnOf(block, 'visit.end').numbers]
  const [views, events] = [columnOf(block, 'visit.views').numbers, columnOf(block, 'visit.events').numbers]
  const hashes = measures.includes('visitors') ? columnOf(block, 'who.hash').numbers : undefined
  const known = new Uint32Array(hashes?.length ?? 0)
  const [ofVisits, ofViews, ofPages] = [sums.of('visits'), sums.of('views'), sums.of('pageviews')]
  const [ofEvents, bounces, duration] = [sums.of('events'), sums.of('bounces'), sums.of('duration')]
  const rowOf = rowsOf(ask, block, sums)
  // A visit is counted in the block in which it begins.
  const [from, to] = [Math.max(range.from, block.from), Math.min(range.to, block.to)]
  for (let session = 0; session < block.sessions; session++) {
    if ((bots === 'none' && bot[session] === 1) || !test(session, 0, 0)) continue
    for (let visit = visits[session] ?? 0; visit < (visits[session + 1] ?? 0); visit++) {
      const at = start[visit] ?? 0
      if (!(at >= from && at < to)) continue
      const row = rowOf(session, 0, 0, at)
      if (row === NO_ROW) continue
      const seen = views[visit] ?? 0
      if (ofVisits) ofVisits[row] = (ofVisits[row] ?? 0) + 1
      if (ofViews) ofViews[row] = (ofViews[row] ?? 0) + seen
      if (ofPages) ofPages[row] = (ofPages[row] ?? 0) + seen
      if (ofEvents) ofEvents[row] = (ofEvents[row] ?? 0) + (events[visit] ?? 0)
      if (bounces && seen <= 1) bounces[row] = (bounces[row] ?? 0) + 1
      if (duration) duration[row] = (duration[row] ?? 0) + (end[visit] ?? at) - at
      if (hashes) sums.visitor(row, who[session] ?? 0, hashes, known)
    }
  }
}

export async function scanEvents({ ask, block, fitting, done, sums }: ScanParts): Promise<void> {
  const { filters, measures, dimensions, pagesOnly } = ask
  const lists = dimensions.includes('event:goal') ? columnOf(block, 'event.goals') : undefined
  const goals = lists && [...new Set(lists.texts.flatMap(goalsOf))]
  const placesOf = lists?.texts.map(text => goalsOf(text).map(goal => goals?.indexOf(goal) ?? 0))
  const apart = { block, fitting, done, goals }
  const all = filters.flatMap(partsOf)
  const ofSession = await allOf(all.filter(isOfSession), apart)
  const ofEvent = await allOf(
    all.filter(part => !isOfSession(part)),
    apart,
  )
  const hasVisits = measures.some(measure => OF_VISITS.includes(measure))
  const name = columnOf(block, 'event.name')
  const view = name.texts.indexOf('pageview')
  const who = measures.includes('visitors') ? columnOf(block, 'event.who').numbers : undefined
  const hashes = who && columnOf(block, 'who.hash').numbers
  const known = new Uint32Array(hashes?.length ?? 0)
  const [ofEvents, ofPages] = [sums.of('events'), sums.of('pageviews')]
  const revenue = measures.includes('revenue') ? columnOf(block, 'event.revenue').numbers : undefined
  const currency = revenue && columnOf(block, 'event.currency')
  const countVisit = hasVisits ? visitsOf(block, sums) : undefined
  const rowOf = rowsOf(ask, block, sums, goals)
  let [lastRow, lastWho] = [NO_ROW, NOTHING]

  const count = (session: number, event: number, goal: number, at: number): void => {
    if (!ofEvent(session, event, goal)) return
    const row = rowOf(session, event, goal, at)
    if (row === NO_ROW) return
    const isView = name.numbers[event] === view
    if (ofEvents) ofEvents[row] = (ofEvents[row] ?? 0) + 1
    if (isView && ofPages) ofPages[row] = (ofPages[row] ?? 0) + 1
    if (revenue && currency) {
      const code = currency.texts[currency.numbers[event] ?? 0]
      if (code) sums.worth(row, revenue[event] ?? 0, code)
    }
    if (pagesOnly && !isView) return
    const visitor = who?.[event]
    if (hashes && visitor !== undefined && visitor !== NOTHING && (row !== lastRow || visitor !== lastWho)) {
      sums.visitor(row, visitor, hashes, known)
      lastRow = row
      lastWho = visitor
    }
    if (session !== NOTHING) countVisit?.(row, session, event)
  }
  const take = (session: number, event: number, at: number): void => {
    if (!placesOf) count(session, event, 0, at)
    else for (const goal of placesOf[lists?.numbers[event] ?? 0] ?? []) count(session, event, goal, at)
  }
  eventsOf(ask, block, take, session => ofSession(session, 0, 0))
}

/**
 * Events of the range that the question counts, each with its time, ms; without a session that is {@link NOTHING}.
 * @param fits whether events of a session are wanted
 */
export function eventsOf(
  { range, bots }: Pick<Ask, 'range' | 'bots'>,
  block: Block,
  take: (session: number, event: number, at: number) => void,
  fits: (session: number) => boolean = () => true,
): void {
  const starts = columnOf(block, 'session.events').numbers
  const at = columnOf(block, 'event.at').numbers
  const bot = columnOf(block, 'event.bot')
  const human = bot.texts.indexOf('(none)')
  const [from, to] = [range.from - block.from, range.to - block.from]
  const isWhole = from <= 0 && range.to >= block.to
  for (let place = 0; place <= block.sessions; place++) {
    const session = place < block.sessions ? place : NOTHING
    const end = place < block.sessions ? (starts[place + 1] ?? 0) : block.events
    const begin = starts[place] ?? 0
    if (begin === end || !fits(session)) continue
    for (let event = begin; event < end; event++) {
      if (bots !== 'all' && (bot.numbers[event] === human) === (bots === 'only')) continue
      const time = at[event] ?? 0
      if (isWhole || (time >= from && time < to)) take(session, event, block.from + time)
    }
  }
}

/** Counts the visit of an event, once a row. */
function visitsOf(block: Block, sums: Sums): (row: number, session: number, event: number) => void {
  const first = columnOf(block, 'session.visits').numbers
  const open = columnOf(block, 'session.open').numbers
  const keys = columnOf(block, 'session.key').numbers
  const visitOf = block.apart ? columnOf(block, 'event.visit').numbers : undefined
  const apart = columnOf(block, 'visit.apart').numbers
  const [start, end] = [columnOf(block, 'visit.start').numbers, columnOf(block, 'visit.end').numbers]
  const views = columnOf(block, 'visit.views').numbers
  const [ofVisits, ofViews] = [sums.of('visits'), sums.of('views')]
  const [bounces, duration] = [sums.of('bounces'), sums.of('duration')]
  /** of the session that is looked at */
  let [last, seen] = [-1, new Set<number>()]
  return (row, session, event) => {
    const visit = visitOf?.[event] ?? first[session] ?? 0
    if (session !== last) {
      last = session
      if (seen.size > 0) seen = new Set()
    }
    const pair = row * 0x1000 + (visit - (first[session] ?? 0))
    if (seen.has(pair)) return
    seen.add(pair)
    const name = () => `${keys[session]} ${apart[visit] === 1 ? start[visit] : ''}`
    if (open[session] === 1 && !sums.isFirst(row, name())) return
    if (ofVisits) ofVisits[row] = (ofVisits[row] ?? 0) + 1
    const shown = views[visit] ?? NOTHING
    if (shown === NOTHING) return
    if (ofViews) ofViews[row] = (ofViews[row] ?? 0) + shown
    if (bounces && shown <= 1) bounces[row] = (bounces[row] ?? 0) + 1
    if (duration) duration[row] = (duration[row] ?? 0) + (end[visit] ?? 0) - (start[visit] ?? 0)
  }
}

async function allOf(
  filters: readonly Filter[],
  parts: Pick<ScanParts, 'block' | 'fitting' | 'done'> & { goals?: readonly string[] | undefined },
): Promise<Test> {
  if (filters.length === 0) return () => true
  return await testOf({ kind: 'and', of: [...filters] }, parts)
}

/** Codes of more values than this are looked up by a map. */
const DENSE = 1 << 20

/** Gives the row of a session or event, by the codes of its values and its bucket. */
function rowsOf(
  { dimensions, grid }: Ask,
  block: Block,
  sums: Sums,
  goals: readonly string[] = [],
): (session: number, event: number, goal: number, at: number) => number {
  const told = dimensions
    .filter(name => !isTimeDimension(name))
    .map(name => {
      if (name === 'event:goal') return { level: 'goal', numbers: undefined, texts: goals } as const
      const { numbers, texts } = columnOf(block, columnFor(name))
      const level = name.startsWith('visit:') ? 'session' : 'event'
      return { level, numbers, texts: texts.map(text => shownAs(name, text)) } as const
    })
  // One more, of what has no session.
  const sizes = told.map(({ texts }) => texts.length + 1)
  const codeOf = ({ level, numbers, texts }: (typeof told)[number], session: number, event: number, goal: number) => {
    if (level === 'goal') return goal
    const place = level === 'session' ? session : event
    return place === NOTHING ? texts.length : (numbers[place] ?? 0)
  }
  const starts = grid?.starts ?? []
  const isOne = !grid || placeOf(starts, block.from) === placeOf(starts, block.to - 1)
  const bucketOf = isOne ? undefined : (at: number) => placeOf(starts, at)
  const only = grid && isOne ? placeOf(starts, block.from) : 0
  const buckets = isOne ? 1 : starts.length
  const size = sizes.reduce((product, n) => product * n, buckets)
  const dense = size <= DENSE ? new Int32Array(size) : undefined
  const sparse = new Map<number, number>()
  if (told.length === 0 && !bucketOf) {
    let place: number | undefined
    return () => {
      place ??= sums.placeOf([], only)
      return place
    }
  }
  return (session, event, goal, at) => {
    const bucket = bucketOf ? bucketOf(at) : only
    let key = bucketOf ? bucket : 0
    for (let d = 0; d < told.length; d++) {
      const one = told[d] as (typeof told)[number]
      key = key * (sizes[d] ?? 1) + codeOf(one, session, event, goal)
    }
    // One more than its place, so that 0 is one that was not looked for.
    const held = dense ? dense[key] : sparse.get(key)
    if (held) return held - 2
    const values = told.map(one => one.texts[codeOf(one, session, event, goal)] ?? NO_VALUE)
    const row = sums.placeOf(values, bucket)
    if (dense) dense[key] = row + 2
    else sparse.set(key, row + 2)
    return row
  }
}

const NO_VALUE = '(none)'
