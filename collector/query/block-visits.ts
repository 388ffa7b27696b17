/** A scan of the visits of a block that begin in the range. */
import { columnOf } from '../columns/index.ts'
import { emptyChunk, keepFitting, MOST_OF_CHUNK, newFits, sessionsThatFit, wideOf } from './block-chunks.ts'
import { testOf } from './block-filters.ts'
import { rowsOf } from './block-rows.ts'
import type { ScanParts } from './blocks.ts'
import { NO_ROW } from './sum-rows.ts'

/** `events` are places of visits here. */
const chunk = emptyChunk()
const rows = new Int32Array(MOST_OF_CHUNK)
const ids = new Uint32Array(MOST_OF_CHUNK)
const fits = newFits()

export async function scanVisits({ ask, block, fitting, done, sums }: ScanParts): Promise<void> {
  const { range, filters, bots, measures } = ask
  const test = await testOf(filters, { block, fitting, done })
  const wanted = sessionsThatFit(block, test)
  const first = wideOf(block, 'session.visits')
  const bot = wideOf(block, 'session.bot')
  const [start, end] = [columnOf(block, 'visit.start').numbers, columnOf(block, 'visit.end').numbers]
  const rowing = rowsOf(ask, block, sums)
  const counts = measures.includes('visitors')
  const timeOf = (place: number): number => start[chunk.events[place] as number] as number

  const count = (): void => {
    rowing(chunk, timeOf, rows)
    if (sums.isPartial) {
      for (let i = 0; i < chunk.length; i++) fits[i] = rows[i] === NO_ROW ? 0 : 1
      keepFitting(chunk, fits, rows)
    }
    const { length, sessions, events: visits } = chunk
    addOne(sums.of('visits'), length)
    addFrom(sums.of('events'), 'visit.events')
    addFrom(sums.of('views'), 'visit.views')
    addFrom(sums.of('pageviews'), 'visit.views')
    const [bounces, duration] = [sums.of('bounces'), sums.of('duration')]
    if (bounces) {
      const views = wideOf(block, 'visit.views')
      for (let i = 0; i < length; i++)
        if ((views[visits[i] as number] as number) <= 1)
          bounces[rows[i] as number] = (bounces[rows[i] as number] as number) + 1
    }
    if (duration) {
      for (let i = 0; i < length; i++) {
        const [row, visit] = [rows[i] as number, visits[i] as number]
        duration[row] = (duration[row] as number) + (end[visit] as number) - (start[visit] as number)
      }
    }
    if (counts) {
      const [who, idOf] = [wideOf(block, 'session.who'), wideOf(block, 'who.id')]
      for (let i = 0; i < length; i++) ids[i] = idOf[who[sessions[i] as number] as number] as number
      sums.visitors(rows, ids, length)
    }
  }
  const addOne = (of: Float64Array | undefined, length: number): void => {
    if (of) for (let i = 0; i < length; i++) of[rows[i] as number] = (of[rows[i] as number] as number) + 1
  }
  const addFrom = (of: Float64Array | undefined, name: 'visit.events' | 'visit.views'): void => {
    if (!of) return
    const numbers = wideOf(block, name)
    for (let i = 0; i < chunk.length; i++) {
      const row = rows[i] as number
      of[row] = (of[row] as number) + (numbers[chunk.events[i] as number] as number)
    }
  }

  // A visit is counted in the block in which it begins.
  const [from, to] = [Math.max(range.from, block.from), Math.min(range.to, block.to)]
  const noBots = bots === 'none'
  let length = 0
  for (let session = 0; session < block.sessions; session++) {
    if (wanted[session] === 0 || (noBots && bot[session] === 1)) continue
    const last = first[session + 1] as number
    for (let visit = first[session] as number; visit < last; visit++) {
      const at = start[visit] as number
      if (!(at >= from && at < to)) continue
      chunk.sessions[length] = session
      chunk.events[length] = visit
      if (++length < MOST_OF_CHUNK) continue
      chunk.length = length
      count()
      length = 0
    }
  }
  chunk.length = length
  count()
}
