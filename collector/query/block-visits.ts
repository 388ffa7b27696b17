/** A scan of the visits of a block that begin in the range. */
import { LRUCache } from 'lru-cache'
import { type Block, type ColumnName, columnOf } from '../columns/index.ts'
import { addFrom, type Chunk, MOST_OF_CHUNK, sessionsThatFit, wideOf } from './block-chunks.ts'
import { both, testOf } from './block-filters.ts'
import { rowsOf } from './block-rows.ts'
import type { ScanParts } from './block-scan.ts'
import { donesOf } from './filter.ts'

const NO_IDS = new Uint32Array(0)
const rows = new Int32Array(MOST_OF_CHUNK)

/** In a chunk `events` are places of visits here. */
export async function scanVisits(parts: ScanParts): Promise<void> {
  const { ask, block, sums } = parts
  const chosen = await chooseVisits(parts)
  const [start, end] = [columnOf(block, 'visit.start').numbers, columnOf(block, 'visit.end').numbers]
  const rowing = rowsOf(ask, parts)
  const hasVisitors = ask.measures.includes('visitors')
  const add = (of: Float64Array | undefined, name: ColumnName, { length, events: visits }: Chunk): void => {
    if (of) addFrom(of, rows, wideOf(block, name), visits, length)
  }

  const count = (chunk: Chunk): void => {
    rowing(chunk, place => start[chunk.events[place] as number] as number, rows)
    const { length, events: visits } = chunk
    const [ofVisits, bounces, duration] = [sums.of('visits'), sums.of('bounces'), sums.of('duration')]
    if (ofVisits)
      for (let i = 0; i < length; i++) ofVisits[rows[i] as number] = (ofVisits[rows[i] as number] as number) + 1
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
    // Whose they are lies where goals would.
    if (hasVisitors) sums.visitors(rows, chunk.goals, length)
  }

  const { ids } = chosen
  for (let first = 0; first < chosen.length; first += MOST_OF_CHUNK) {
    const last = Math.min(first + MOST_OF_CHUNK, chosen.length)
    // Of a copy where some are left out, as others use what was chosen.
    const some = (of: Uint32Array): Uint32Array => (sums.isPartial ? of.slice(first, last) : of.subarray(first, last))
    const [sessions, events] = [some(chosen.sessions), some(chosen.visits)]
    count({ length: last - first, sessions, events, goals: ids ? some(ids) : NO_IDS, isParted: ids !== undefined })
  }
}

interface Chosen {
  length: number
  sessions: Uint32Array
  visits: Uint32Array
  /** numbers of their visitors; absent where they were not read */
  ids: Uint32Array | undefined
}

/** The questions of a dashboard choose the same visits: bytes of what was chosen of blocks that are kept. */
const chosenBefore = new LRUCache<string, Chosen>({
  maxSize: 96 * 1024 * 1024,
  sizeCalculation: ({ length }) => 12 * length + 500,
})

/** Visits that begin in the range, and in the block, whose sessions fit. */
async function chooseVisits({ ask, block, fitting, done, sampling }: ScanParts): Promise<Chosen> {
  const { range, filters, bots, measures } = ask
  const hasVisitors = measures.includes('visitors')
  // Numbers of visitors begin anew now and then.
  const numbering = hasVisitors ? columnOf(block, 'who.id').key : 0
  // What was done may lie in other blocks.
  const isKept = block.id !== undefined && numbering !== undefined && filters.flatMap(donesOf).length === 0
  const [from, to] = [Math.max(range.from, block.from), Math.min(range.to, block.to)]
  const key = isKept ? JSON.stringify([block.id, from, to, bots, filters, numbering, ask.sampled]) : ''
  const before = isKept ? chosenBefore.get(key) : undefined
  if (before) return before
  const test = both(await testOf(filters, { block, fitting, done }), sampling?.sessions)
  const visits = choose(block, sessionsThatFit(block, test), from, to, bots === 'none')
  const chosen = hasVisitors ? { ...visits, ids: idsOf(block, visits) } : visits
  if (isKept) chosenBefore.set(key, chosen)
  return chosen
}

function choose(block: Block, wanted: Uint8Array, from: number, to: number, noBots: boolean): Chosen {
  const first = wideOf(block, 'session.visits')
  const bot = wideOf(block, 'session.bot')
  const start = columnOf(block, 'visit.start').numbers
  const sessions = new Uint32Array(block.visits)
  const visits = new Uint32Array(block.visits)
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
  return { length, sessions: sessions.slice(0, length), visits: visits.slice(0, length), ids: undefined }
}

/** Of each visit the number of its visitor. */
function idsOf(block: Block, { length, sessions }: Chosen): Uint32Array {
  const who = wideOf(block, 'session.who')
  const idOf = wideOf(block, 'who.id')
  const ids = new Uint32Array(length)
  for (let i = 0; i < length; i++) ids[i] = idOf[who[sessions[i] as number] as number] as number
  return ids
}
