/**
 * A scan of the events of a block that are in the range and fit, each with the attributes of its session. Where a tally is in
 * the place of events, each of these is several.
 */
import { type Block, columnOf, NOTHING } from '../columns/index.ts'
import {
  addFrom,
  type Chunk,
  eachEvents,
  emptyChunk,
  keepFitting,
  kindsOf,
  MOST_OF_CHUNK,
  NO_KINDS,
  newFits,
  VIEW,
  type Wanted,
  wideOf,
} from './block-chunks.ts'
import { both, goalsOf, isOfSession, testOf } from './block-filters.ts'
import { rowsOf } from './block-rows.ts'
import type { ScanParts } from './block-scan.ts'
import { numbersOf, sessionsOf } from './block-sessions.ts'
import { scanTallies } from './block-tally-scan.ts'
import { partsOf } from './filter.ts'
import { OF_VISITS } from './sum-matches.ts'
import type { Sums } from './sum-rows.ts'

const rows = new Int32Array(MOST_OF_CHUNK)
const ids = new Uint32Array(MOST_OF_CHUNK)
const NO_TIMES = new Uint32Array(0)
const fits = newFits()
/** events by goal */
const parted = emptyChunk(true)

export async function scanEvents(scanned: ScanParts): Promise<void> {
  if (scanTallies(scanned)) return
  const { ask, block, fitting, done, sums, sampling, chosen } = scanned
  const { filters, measures, dimensions, pagesOnly } = ask
  const lists = dimensions.includes('event:goal') ? columnOf(block, 'event.goals') : undefined
  const goals = lists && [...new Set(lists.texts.flatMap(goalsOf))]
  const parts = { block, fitting, done, goals }
  const ofEvents = await testOf(
    filters.flatMap(partsOf).filter(part => !isOfSession(part)),
    parts,
  )
  const test = both(ofEvents, sampling?.others)
  const hasVisits = measures.some(measure => OF_VISITS.includes(measure))
  const hasVisitors = measures.includes('visitors')
  const hasRevenue = measures.includes('revenue')
  // Where nothing but page views is counted, the others need no row.
  const viewsOnly = pagesOnly && !measures.includes('events') && !hasRevenue
  const countVisit = hasVisits ? visitsOf(block, sums) : undefined
  const rowing = rowsOf(ask, { block, sums, sampling }, goals)
  // Waited for before anything is widened: meanwhile another question may widen the same column of its own block.
  const ofSessions = chosen ?? (await sessionsOf(scanned))
  const views = block.columns.has('event.views') ? wideOf(block, 'event.views') : undefined
  const kinds = views ? NO_KINDS : kindsOf(block)
  // Of a tally nobody asks when it was.
  const at = views ? NO_TIMES : columnOf(block, 'event.at').numbers

  // The same ones as in blocks that were scanned in fewer steps.
  const numbers = chosen && hasVisitors ? numbersOf(block, chosen) : undefined
  /** whether it is of visitors who come once */
  let isOnce = false
  const keepViews = (chunk: Chunk): void => {
    if (views) for (let i = 0; i < chunk.length; i++) fits[i] = (views[chunk.events[i] as number] as number) > 0 ? 1 : 0
    else for (let i = 0; i < chunk.length; i++) fits[i] = (kinds[chunk.events[i] as number] as number) & VIEW ? 1 : 0
    keepFitting(chunk, fits, rows)
  }
  const count = (chunk: Chunk): void => {
    rowing(chunk, place => block.from + (at[chunk.events[place] as number] as number), rows)
    const { sessions, events } = chunk
    const [ofEvents, ofPages] = [sums.of('events'), sums.of('pageviews')]
    if (views) {
      if (ofEvents) addFrom(ofEvents, rows, wideOf(block, 'event.count'), events, chunk.length)
      if (ofPages) addFrom(ofPages, rows, views, events, chunk.length)
    }
    if (ofEvents && !views)
      for (let i = 0; i < chunk.length; i++) ofEvents[rows[i] as number] = (ofEvents[rows[i] as number] as number) + 1
    if (ofPages && !views)
      for (let i = 0; i < chunk.length; i++)
        if ((kinds[events[i] as number] as number) & VIEW)
          ofPages[rows[i] as number] = (ofPages[rows[i] as number] as number) + 1
    if (hasRevenue) {
      const revenue = columnOf(block, 'event.revenue').numbers
      const { numbers, texts } = columnOf(block, 'event.currency')
      for (let i = 0; i < chunk.length; i++) {
        const event = events[i] as number
        const code = texts[numbers[event] as number]
        if (code) sums.worth(rows[i] as number, revenue[event] as number, code)
      }
    }
    if (pagesOnly && !viewsOnly) keepViews(chunk)
    if (isOnce) countOnce(sums, sessions, chunk.length)
    else if (hasVisitors) {
      const [who, idOf] = [wideOf(block, 'event.who'), numbers ?? wideOf(block, 'who.id')]
      for (let i = 0; i < chunk.length; i++) {
        const visitor = who[events[i] as number] as number
        ids[i] = visitor === NOTHING ? NOTHING : (idOf[visitor] as number)
      }
      sums.visitors(rows, ids, chunk.length)
    }
    if (countVisit)
      for (let i = 0; i < chunk.length; i++)
        if (sessions[i] !== NOTHING) countVisit(rows[i] as number, sessions[i] as number, events[i] as number)
  }

  const wanted: Wanted = { sessions: ofSessions.sessions, others: ofSessions.others, viewsOnly }
  if (chosen) {
    last.fill(NOTHING)
    isOnce = true
    const sessions = chosen.sessions.subarray(0, chosen.once)
    eachEvents(ask, block, { ...wanted, sessions, others: false, test }, count)
    isOnce = false
    wanted.sessions = chosen.sessions.subarray(chosen.once)
  }
  if (!lists || !goals) return eachEvents(ask, block, { ...wanted, test }, count)
  const placesOf = lists.texts.map(text => goalsOf(text).map(goal => goals.indexOf(goal)))
  const end = (): void => {
    if (test) {
      test(parted, fits)
      keepFitting(parted, fits)
    }
    count(parted)
    parted.length = 0
  }
  // Also of a question that has failed in the middle.
  parted.length = 0
  eachEvents(ask, block, wanted, ({ length, sessions, events }) => {
    for (let i = 0; i < length; i++) {
      for (const goal of placesOf[lists.numbers[events[i] as number] as number] ?? []) {
        parted.sessions[parted.length] = sessions[i] as number
        parted.events[parted.length] = events[i] as number
        parted.goals[parted.length] = goal
        if (++parted.length === MOST_OF_CHUNK) end()
      }
    }
  })
  end()
}

/** The session that came last in each row. */
let last = new Uint32Array(0)

/** Visitors of whom all is in one session, which has a row several times. */
function countOnce(sums: Sums, sessions: Uint32Array, length: number): void {
  const visitors = sums.of('visitors')
  if (!visitors) return
  if (last.length < visitors.length) {
    const before = last
    last = new Uint32Array(2 * visitors.length).fill(NOTHING)
    last.set(before)
  }
  for (let i = 0; i < length; i++) {
    const [row, session] = [rows[i] as number, sessions[i] as number]
    visitors[row] = (visitors[row] as number) + (last[row] === session ? 0 : 1)
    last[row] = session
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
  /** of the session that is looked at */
  let [last, seen] = [-1, new Set<number>()]
  const add = (of: Float64Array | undefined, row: number, n: number): void => {
    if (of) of[row] = (of[row] as number) + n
  }
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
    add(sums.of('visits'), row, 1)
    const shown = views[visit] ?? NOTHING
    if (shown === NOTHING) return
    add(sums.of('views'), row, shown)
    if (shown <= 1) add(sums.of('bounces'), row, 1)
    add(sums.of('duration'), row, (end[visit] ?? 0) - (start[visit] ?? 0))
  }
}
