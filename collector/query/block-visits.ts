/** A scan of the visits of a block that begin in the range. */
import { type Block, type ColumnName, columnOf } from '../columns/index.ts'
import { addFrom, type Chunk, MOST_OF_CHUNK, sessionsThatFit, wideOf } from './block-chunks.ts'
import { both, columnsFor, type Fitting, testOf } from './block-filters.ts'
import { rowsOf } from './block-rows.ts'
import type { ScanParts } from './block-scan.ts'
import { scanVisitList } from './block-visit-lists.ts'
import { scanVisitTotals } from './block-visit-totals.ts'
import { type Chosen, type ChosenOf, chosenOf, NO_NUMBERS, newPlaces, type Times, topOf } from './chosen.ts'
import type { Ask } from './engine.ts'
import { samplingOf } from './sample.ts'

const rows = new Int32Array(MOST_OF_CHUNK)

const addOne = (of: Float64Array, length: number): void => {
  for (let i = 0; i < length; i++) of[rows[i] as number] = (of[rows[i] as number] as number) + 1
}

/** In a chunk `events` are places of visits here. */
export async function scanVisits(parts: ScanParts): Promise<void> {
  if (scanVisitList(parts) || scanVisitTotals(parts)) return
  const { ask, block, sums } = parts
  const chosen = parts.chosen ?? (await chooseVisits(parts))
  const [start, end] = [columnOf(block, 'visit.start').numbers, columnOf(block, 'visit.end').numbers]
  const rowing = rowsOf(ask, parts)
  const add = (of: Float64Array | undefined, name: ColumnName, { length, events: visits }: Chunk): void => {
    if (of) addFrom(of, rows, wideOf(block, name), visits, length)
  }

  const count = (chunk: Chunk): void => {
    rowing(chunk, place => start[chunk.events[place] as number] as number, rows)
    const { length, events: visits } = chunk
    const [ofVisits, bounces, duration] = [sums.of('visits'), sums.of('bounces'), sums.of('duration')]
    if (ofVisits) addOne(ofVisits, length)
    add(sums.of('events'), 'visit.events', chunk)
    add(sums.of('views'), 'visit.views', chunk)
    add(sums.of('pageviews'), 'visit.views', chunk)
    if (bounces) {
      const views = wideOf(block, 'visit.views')
      for (let i = 0; i < length; i++) {
        const row = rows[i] as number
        if ((views[visits[i] as number] as number) <= 1) bounces[row] = (bounces[row] as number) + 1
      }
    }
    if (duration) {
      for (let i = 0; i < length; i++) {
        const [row, visit] = [rows[i] as number, visits[i] as number]
        duration[row] = (duration[row] as number) + (end[visit] as number) - (start[visit] as number)
      }
    }
    const visitors = sums.of('visitors')
    if (!visitors) return
    // Whose they are lies where goals would.
    if (chunk.isParted) sums.visitors(rows, chunk.goals, length)
    else addOne(visitors, length)
  }

  const { once, ids } = chosen
  const { length } = chosen.sessions
  for (const [begin, end] of [
    [0, once],
    [once, length],
  ] as const) {
    const own = begin < once ? undefined : ids
    for (let first = begin; first < end; first += MOST_OF_CHUNK) {
      const last = Math.min(first + MOST_OF_CHUNK, end)
      // Copies, as some may be left out, and others use what was chosen.
      const sessions = new Uint32Array(chosen.sessions.subarray(first, last))
      const events = new Uint32Array(chosen.visits.subarray(first, last))
      const goals = own ? own.slice(first - once, last - once) : NO_NUMBERS
      count({ length: last - first, sessions, events, goals, isParted: own !== undefined })
    }
  }
}

/** Where whose visits these are is asked, and all blocks are kept. */
export const visitsChosen = async (
  ask: Ask,
  fitting: Fitting,
  each: (names: readonly ColumnName[]) => AsyncIterable<Block>,
): Promise<ChosenOf | undefined> => {
  if (!ask.measures.includes('visitors')) return undefined
  const names = [...OF_CHOSEN, ...ask.filters.flatMap(columnsFor)]
  return await chosenOf(
    ask,
    ask.filters,
    () => each(names),
    async (block, times) => {
      const sampling = ask.sampled ? samplingOf(ask.sampled, block) : undefined
      const chosen = await chooseVisits({ ask, block, fitting, done: new Map(), sampling })
      for (const id of chosen.ids) times.add(id)
      return () => onceFirst(chosen, times)
    },
  )
}
const OF_CHOSEN: ColumnName[] = ['session.bot', 'session.visits', 'session.who', 'visit.start', 'who.id']

function onceFirst({ sessions, visits, ids }: Chosen, times: Times): Chosen {
  const { length } = ids
  let once = 0
  for (let i = 0; i < length; i++) if (!times.isAgain(ids[i] as number)) once++
  const made = {
    sessions: sessions.slice(),
    visits: visits.slice(),
    ids: new Uint32Array(length - once),
  }
  let [first, other] = [0, once]
  for (let i = 0; i < length; i++) {
    const id = ids[i] as number
    const isAgain = times.isAgain(id)
    if (isAgain) made.ids[other - once] = times.numberOf(id)
    const place = isAgain ? other++ : first++
    made.sessions[place] = sessions[i] as number
    made.visits[place] = visits[i] as number
  }
  return { once, several: length, ...made, idOfWho: NO_NUMBERS, top: topOf(made.ids), others: false }
}

/** Visits that begin in the range, and in the block, whose sessions fit. */
async function chooseVisits({
  ask,
  block,
  fitting,
  done,
  sampling,
}: Omit<ScanParts, 'sums' | 'chosen'>): Promise<Chosen> {
  const { range, filters, bots, measures } = ask
  const [from, to] = [Math.max(range.from, block.from), Math.min(range.to, block.to)]
  const test = both(await testOf(filters, { block, fitting, done }), sampling?.sessions)
  const visits = choose(block, sessionsThatFit(block, test), from, to, bots === 'none')
  const ids = measures.includes('visitors') ? idsOf(block, visits) : NO_NUMBERS
  return { once: 0, several: visits.visits.length, top: 0, others: false, idOfWho: NO_NUMBERS, ...visits, ids }
}

type Visits = Pick<Chosen, 'sessions' | 'visits'>

function choose(block: Block, wanted: Uint8Array, from: number, to: number, noBots: boolean): Visits {
  const first = wideOf(block, 'session.visits')
  const bot = wideOf(block, 'session.bot')
  const start = columnOf(block, 'visit.start').numbers
  const sessions = newPlaces(block.visits, block.sessions)
  const visits = newPlaces(block.visits, block.visits)
  let length = 0
  for (let session = 0; session < block.sessions; session++) {
    if (wanted[session] === 0 || (noBots && bot[session] === 1)) continue
    const last = first[session + 1] as number
    for (let visit = first[session] as number; visit < last; visit++) {
      const at = start[visit] as number
      if (!(at >= from && at < to)) continue
      sessions[length] = session
      visits[length++] = visit
    }
  }
  return { sessions: sessions.slice(0, length), visits: visits.slice(0, length) }
}

/** Of each visit the number of its visitor. */
function idsOf(block: Block, { sessions }: Visits): Uint32Array {
  const who = wideOf(block, 'session.who')
  const idOf = wideOf(block, 'who.id')
  const ids = new Uint32Array(sessions.length)
  for (let i = 0; i < ids.length; i++) ids[i] = idOf[who[sessions[i] as number] as number] as number
  return ids
}
