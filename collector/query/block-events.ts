/**
 * A scan of the events of a block that are in the range and fit, each with the attributes of its session. Where a tally is in
 * the place of events, each of these is several.
 */
import { LRUCache } from 'lru-cache'
import { type Block, type ColumnName, columnOf, NOTHING } from '../columns/index.ts'
import {
  addFrom,
  type Chunk,
  eachEvents,
  emptyChunk,
  fitsWithoutSession,
  keepFitting,
  kindsOf,
  MOST_OF_CHUNK,
  NO_KINDS,
  newFits,
  placesOf,
  sessionsThatFit,
  VIEW,
  type Wanted,
  wideOf,
} from './block-chunks.ts'
import { both, columnsFor, type Fitting, goalsOf, isOfSession, testOf } from './block-filters.ts'
import { rowsOf } from './block-rows.ts'
import type { ScanParts } from './block-scan.ts'
import { scanTallies } from './block-tally-scan.ts'
import {
  type Chosen,
  type ChosenOf,
  chosenOf,
  NO_NUMBERS,
  newPlaces,
  type Places,
  type Times,
  topOf,
} from './chosen.ts'
import type { Ask } from './engine.ts'
import { donesOf, partsOf } from './filter.ts'
import { samplingOf } from './sample.ts'
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
      const [who, idOf] = [wideOf(block, 'event.who'), wideOf(block, 'who.id')]
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

/** All of a session's visitors are in its events by host, which are fewest. */
const BY_HOST = ['tally.host.first', 'tally.host.who'] as const

/** Where whose events these are is asked, and what was added up of them has it. */
export const sessionsChosen = async (
  ask: Ask,
  fitting: Fitting,
  each: (names: readonly ColumnName[]) => AsyncIterable<Block>,
): Promise<ChosenOf | undefined> => {
  if (!ask.tallied || !ask.measures.includes('visitors')) return undefined
  const parts = ask.filters.flatMap(partsOf).filter(isOfSession)
  const names: ColumnName[] = [...BY_HOST, 'session.who', 'who.id', ...parts.flatMap(columnsFor)]
  return await chosenOf(
    ask,
    parts,
    () => each(names),
    async (block, times) => {
      const sampling = ask.sampled ? samplingOf(ask.sampled, block) : undefined
      const { sessions = placesOf(sessionsThatFit(block, undefined)), others } = await sessionsOf({
        ...{ ask, block, fitting, done: new Map(), sampling },
      })
      return chooseSessions(block, sessions, others, times)
    },
  )
}

function chooseSessions(block: Block, sessions: Places, others: boolean, times: Times): (times: Times) => Chosen {
  const [first, who] = BY_HOST.map(name => wideOf(block, name)) as [Uint32Array, Uint32Array]
  const idOf = wideOf(block, 'who.id')
  /** of those sessions that have any, the visitor, or {@link NOTHING} of several */
  const [having, whose] = [newPlaces(sessions.length, block.sessions), new Uint32Array(sessions.length)]
  let length = 0
  const addAll = (begin: number, end: number): void => {
    for (let i = begin; i < end; i++) if (who[i] !== NOTHING) times.add(idOf[who[i] as number] as number, 2)
  }
  for (const session of sessions) {
    const [begin, end] = [first[session] as number, first[session + 1] as number]
    if (begin === end) continue
    let one = who[begin] as number
    for (let i = begin + 1; i < end; i++) if (who[i] !== one) one = NOTHING
    if (one === NOTHING) addAll(begin, end)
    else times.add(idOf[one] as number)
    having[length] = session
    whose[length++] = one
  }
  addAll(first[block.sessions] as number, columnOf(block, 'tally.host.who').numbers.length)
  // Not of what was widened, which another block overwrites.
  const numbers = columnOf(block, 'who.id').numbers
  return times => {
    const chosen = having.slice(0, length)
    const ids = new Uint32Array(length)
    // Each by itself, in their order: those who come once, who come again, and several.
    let [once, again, place] = [0, 0, 0]
    const isOnce = (one: number): boolean => !times.isAgain(numbers[one] as number)
    for (let i = 0; i < length; i++)
      if (whose[i] !== NOTHING && isOnce(whose[i] as number)) chosen[once++] = having[i] as number
    place = once
    for (let i = 0; i < length; i++) {
      const one = whose[i] as number
      if (one === NOTHING || isOnce(one)) continue
      ids[again++] = times.numberOf(numbers[one] as number)
      chosen[place++] = having[i] as number
    }
    const several = place
    for (let i = 0; i < length; i++) if (whose[i] === NOTHING) chosen[place++] = having[i] as number
    const numberOf = (id: number): number => (times.isAgain(id) ? times.numberOf(id) : NOTHING)
    const idOfWho = several < length || others ? Uint32Array.from(numbers, numberOf) : NO_NUMBERS
    const top = Math.max(topOf(ids), topOf(idOfWho))
    return { once, several, sessions: chosen, visits: NO_NUMBERS, ids: ids.slice(0, again), idOfWho, top, others }
  }
}

type Sessions = Required<Pick<Wanted, 'sessions' | 'others'>>

/** The questions of a dashboard ask of the same sessions: bytes of those of blocks that are kept. */
const sessionsBefore = new LRUCache<string, Sessions>({
  maxSize: 32 * 1024 * 1024,
  sizeCalculation: ({ sessions }) => (sessions ? sessions.byteLength : 0) + 500,
})

/** Sessions that fit. */
async function sessionsOf({
  ask,
  block,
  fitting,
  done,
  sampling,
}: Omit<ScanParts, 'sums' | 'chosen'>): Promise<Sessions> {
  const parts = ask.filters.flatMap(partsOf).filter(isOfSession)
  // What was done may lie in other blocks.
  const isKept = block.id !== undefined && parts.flatMap(donesOf).length === 0
  const key = isKept ? JSON.stringify([block.id, parts, ask.sampled]) : ''
  const before = isKept ? sessionsBefore.get(key) : undefined
  if (before) return before
  const test = both(await testOf(parts, { block, fitting, done }), sampling?.sessions)
  const sessions = test && placesOf(sessionsThatFit(block, test))
  const found = { sessions, others: fitsWithoutSession(test) }
  if (isKept) sessionsBefore.set(key, found)
  return found
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
