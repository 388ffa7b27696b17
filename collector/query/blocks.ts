/**
 * Counts from blocks: any question, with its filters, by scanning columns in memory. It is the scan's answer, to the last
 * visitor; what has no blocks at all, as a question of today, is left to the scan, and so is where much has none: to read events
 * takes this process longer than it takes MongoDB.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Db } from 'mongodb'
import { type Block, type Blocks, type ColumnName, ColumnsGone, TooMuchRaw } from '../columns/index.ts'
import { findDone } from './block-done.ts'
import { columnFor, columnsFor, createFitting } from './block-filters.ts'
import { scanEvents, scanVisits } from './block-scans.ts'
import { TooManyDifferent } from './distinct.ts'
import type { Ask, Engine, Measure, Row } from './engine.ts'
import { donesOf } from './filter.ts'
import { isTimeDimension } from './names.ts'
import { pageOf } from './order.ts'
import { reading } from './reading.ts'
import { OF_VISITS } from './sum-matches.ts'
import { startSums } from './sum-rows.ts'

/** What leaves a question to the scan. */
const LEFT = [TooMuchRaw, TooManyDifferent, ColumnsGone]

export function createBlockEngine(db: Db, blocks: Blocks): Engine {
  return {
    name: 'blocks',
    async answer(ask, { session, signal }) {
      const { site, range, over, page, pagesOnly } = ask
      const asked = { site: site.key, from: range.from, to: range.to, names: namesOf(ask), goals: site.goals }
      const found = await blocks.find(asked, { ...reading(), session })
      if (!found || found.days === 0) return undefined
      const each = () => inTurns(found.blocks(), signal)
      const fitting = createFitting(db, signal)
      try {
        const done = await findDone(ask, each, fitting)
        const sums = startSums(pagesOnly ? { ...ask, measures: [...ask.measures, 'pageviews'] } : ask)
        for await (const block of each()) {
          const parts = { ask, block, fitting, done: await done(block), sums }
          await (over === 'visits' ? scanVisits(parts) : scanEvents(parts))
        }
        const all = sums.rows()
        const rows = pagesOnly ? ofPages(all, ask.measures) : all
        const source = !found.isRaw ? 'blocks' : over === 'visits' ? 'sessions' : 'events'
        return { ...(page ? pageOf(rows, ask.dimensions, page) : { rows }), source }
      } catch (error) {
        if (LEFT.some(kind => error instanceof kind)) return undefined
        throw error
      }
    },
  }
}

/** One block after the other; in between others have their turn. */
export async function* inTurns(blocks: AsyncIterable<Block>, signal: AbortSignal): AsyncGenerator<Block> {
  for await (const block of blocks) {
    await nextTurn()
    signal.throwIfAborted()
    yield block
  }
}

const hasPages = ({ counts }: Row): boolean => (counts.pageviews ?? 0) > 0
const ofPages = (rows: Row[], measures: readonly Measure[]): Row[] =>
  rows.filter(hasPages).map(row => {
    if (measures.includes('pageviews')) return row
    const { pageviews: _, ...counts } = row.counts
    return { ...row, counts }
  })

const OF_SESSIONS: ColumnName[] = ['session.bot', 'session.who', 'session.visits']
const OF_VISIT: ColumnName[] = ['visit.start', 'visit.end', 'visit.views', 'visit.events']
export const OF_EVENTS: ColumnName[] = ['session.events', 'event.at', 'event.bot', 'event.name']
/** What is read where filters ask what was done. */
export const OF_DONE: ColumnName[] = [...OF_EVENTS, 'session.open', 'session.key']

/** What is read of blocks. */
function namesOf({ over, measures, dimensions, filters }: Ask): ColumnName[] {
  const told = dimensions.flatMap(name => (isTimeDimension(name) ? [] : [columnFor(name)]))
  const names = new Set<ColumnName>([...told, ...filters.flatMap(columnsFor)])
  const hasDone = filters.flatMap(donesOf).length > 0
  const needed: ColumnName[] = over === 'visits' ? [...OF_SESSIONS, ...OF_VISIT] : OF_EVENTS
  for (const name of needed) names.add(name)
  if (hasDone) for (const name of OF_DONE) names.add(name)
  if (over !== 'visits') {
    if (measures.includes('visitors')) names.add('event.who')
    if (measures.some(measure => OF_VISITS.includes(measure)))
      for (const name of ['session.visits', 'session.open', 'session.key', 'event.visit', 'visit.apart', ...OF_VISIT])
        names.add(name as ColumnName)
    if (measures.includes('revenue'))
      for (const name of ['event.revenue', 'event.currency']) names.add(name as ColumnName)
  }
  if (measures.includes('visitors')) names.add('who.hash')
  return [...names]
}
