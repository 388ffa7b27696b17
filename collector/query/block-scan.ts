/** Rows of a question, by scanning columns in memory. */
import { type Block, type ColumnName, columnOf, tallied, tallyColumns, WINDOWS } from '../columns/index.ts'
import { findDone } from './block-done.ts'
import { scanEvents } from './block-events.ts'
import { columnFor, columnsFor, createFitting, type DoneIn, type Fitting } from './block-filters.ts'
import { sessionsChosen } from './block-sessions.ts'
import { scanVisits, visitsChosen } from './block-visits.ts'
import type { Chosen } from './chosen.ts'
import { type Ask, type Row, rowKey } from './engine.ts'
import { donesOf } from './filter.ts'
import { isTimeDimension } from './names.ts'
import { pageOf } from './order.ts'
import { type Estimate, estimated, GROUPS, type Sampling, samplingOf } from './sample.ts'
import type { Counted, Supply } from './scanning.ts'
import { FEW_ROWS } from './seen.ts'
import { OF_VISITS } from './sum-matches.ts'
import { type Sums, startSums } from './sum-rows.ts'
import { boundOf, pageOfFew } from './top-visitors.ts'

/** What a scan of a block has. */
export interface ScanParts {
  ask: Ask
  block: Block
  fitting: Fitting
  done: DoneIn
  sums: Sums
  /** where not all visitors are looked at */
  sampling: Sampling | undefined
  /** what fits, if it was chosen before */
  chosen: Chosen | undefined
}

export async function scanRows(ask: Ask, { blocks, fits }: Supply): Promise<Counted> {
  const { sampled, tallied: tally } = ask
  const names = namesOf(ask)
  const fitting = createFitting(fits)
  async function* each(): AsyncGenerator<Block> {
    for await (const block of blocks(names, ask.range.from)) yield tally ? tallied(block, tally) : block
  }
  const done = await findDone(ask, each, fitting)
  const chosenIn = ask.over === 'visits' ? visitsChosen : sessionsChosen
  const chosen = await chosenIn(ask, fitting, names => blocks(names, ask.range.from))
  const chosenFor = ({ id }: Block): Chosen | undefined => (id === undefined ? undefined : chosen?.get(id))
  const scanBlock = async (block: Block, of: Ask, sums: Sums): Promise<void> => {
    const sampling = sampled ? samplingOf(sampled, block) : undefined
    const parts = { ask: of, block, fitting, done: await done(block), sums, sampling, chosen: chosenFor(block) }
    await (of.over === 'visits' ? scanVisits(parts) : scanEvents(parts))
  }
  const counted = await readRows(ask, async (of, few = false) => {
    const isFew = few && !sampled
    const sums = startSums(of, isFew ? fewOf(of) : undefined, sampled ? GROUPS : 1)
    if (isFew) await rankRows(of, each, scanBlock, sums)
    for await (const block of each()) await scanBlock(block, of, sums)
    return sampled ? estimated(sums.groups(), sampled / WINDOWS) : sums.rows()
  })
  if (!sampled) return counted
  // Of nobody in the sample it is not known how many there are.
  const errors = counted.rows.length > 0 ? (counted.rows as Estimate[]).map(({ error }) => error) : [1]
  return {
    ...counted,
    rows: counted.rows.map(withoutError),
    error: Math.max(...errors),
    sample: sampled / WINDOWS,
  }
}

/** Beside those of its page, rows of a list in which visitors are counted along. */
const BESIDE = 20
const fewOf = ({ page }: Ask): number => Math.min(FEW_ROWS, (page?.offset ?? 0) + (page?.limit ?? 0) + BESIDE)

/** Of so many days one is looked at to see which rows have most. */
const RANKED = 4

/**
 * Puts the rows first that have most in some days' first blocks, so that visitors are counted along in those that a page of
 * the list shows. Where there are few of them at all, they come as they do.
 */
async function rankRows(
  ask: Ask,
  each: () => AsyncIterable<Block>,
  scanBlock: (block: Block, of: Ask, sums: Sums) => Promise<void>,
  into: Sums,
): Promise<void> {
  const bound = boundOf(ask)
  const measures = [bound]
  const sums = startSums({ measures })
  let [last, days] = [Number.NEGATIVE_INFINITY, 0]
  for await (const block of each()) {
    // Another part of the same days.
    if (block.from < last || mostRows(ask, block) <= fewOf(ask)) break
    last = block.from
    if (days++ % RANKED === 0) await scanBlock(block, { ...ask, measures }, sums)
  }
  const most = sums.rows().sort((a, b) => (b.counts[bound] ?? 0) - (a.counts[bound] ?? 0))
  for (const { values, bucket } of most.slice(0, fewOf(ask))) into.placeOf(values, bucket)
}

/** As many as there are combinations of values in a block. */
const mostRows = ({ dimensions }: Ask, block: Block): number =>
  toldBy(dimensions).reduce((product, name) => product * Math.max(1, columnOf(block, name).texts.length), 1)

/** Columns of all dimensions but time. */
const toldBy = (dimensions: Ask['dimensions']): ColumnName[] =>
  dimensions.flatMap(name => (isTimeDimension(name) ? [] : [columnFor(name)]))

const withoutError = ({ error: _, ...row }: Row & Partial<Estimate>): Row => row

/** @param few whether visitors may be left out of rows that come late */
type ScanAll = (ask: Ask, few?: boolean) => Promise<Row[]>

/** Of a list visitors are counted where that is cheap, and then of those of the other rows that may be on its page. */
async function readRows(ask: Ask, scan: ScanAll): Promise<Counted> {
  const { measures, dimensions, grid, page, pagesOnly } = ask
  const bound = boundOf(ask)
  const isList = page !== undefined && !grid && dimensions.length > 0 && measures.includes('visitors')
  const counted = isList || pagesOnly ? [...new Set([...measures, bound] as const)] : measures
  const all = await scan({ ...ask, measures: counted }, isList)
  const rows = pagesOnly ? all.filter(({ counts }) => (counts.pageviews ?? 0) > 0) : all
  const asked = ({ counts, ...row }: Row): Row => ({
    ...row,
    counts: Object.fromEntries(measures.map(measure => [measure, counts[measure] ?? 0])),
  })
  if (!page) return { rows: rows.map(asked) }
  if (!isList) return pageOf(rows.map(asked), dimensions, page)
  const found = await pageOfFew(ask, rows, bound, async some => {
    const unknown = some.filter(({ counts }) => counts.visitors === undefined)
    if (unknown.length === 0) return some
    const wanted = new Set(unknown.map(rowKey))
    const read = await scan({ ...ask, measures: ['visitors'], wanted })
    const visitors = new Map(read.map(row => [rowKey(row), row.counts.visitors ?? 0]))
    const of = (row: Row): number => row.counts.visitors ?? visitors.get(rowKey(row)) ?? 0
    return some.map(row => ({ ...row, counts: { ...row.counts, visitors: of(row) } }))
  })
  return { ...found, rows: found.rows.map(asked) }
}

const OF_SESSIONS: ColumnName[] = ['session.bot', 'session.who', 'session.visits']
const OF_VISIT: ColumnName[] = ['visit.start', 'visit.end', 'visit.views', 'visit.events']
export const OF_EVENTS: ColumnName[] = ['session.events', 'event.at', 'event.bot', 'event.name']
/** What is read where filters ask what was done. */
export const OF_DONE: ColumnName[] = [...OF_EVENTS, 'session.open', 'session.key']

/** Beside those of events, where visits are counted. */
const OF_COUNTED_VISITS: ColumnName[] = ['session.visits', 'session.open', 'session.key', 'visit.apart', ...OF_VISIT]

/** What is read of blocks. */
export function namesOf({ over, measures, dimensions, filters, sampled, tallied }: Ask): ColumnName[] {
  const asked = [...toldBy(dimensions), ...filters.flatMap(columnsFor)]
  const names = new Set<ColumnName>(tallied ? asked.filter(name => !name.startsWith('event.')) : asked)
  const add = (more: readonly ColumnName[]): void => {
    for (const name of more) names.add(name)
  }
  const hasDone = filters.flatMap(donesOf).length > 0
  const ofEvents = over !== 'visits'
  if (!ofEvents) add([...OF_SESSIONS, ...OF_VISIT])
  if (tallied) add(tallyColumns(tallied))
  else if (ofEvents) add(OF_EVENTS)
  if (hasDone) add(OF_DONE)
  if (ofEvents && measures.some(measure => OF_VISITS.includes(measure))) {
    add(OF_COUNTED_VISITS)
    if (!tallied) add(['event.visit'])
  }
  if (ofEvents && measures.includes('revenue')) add(['event.revenue', 'event.currency'])
  if (measures.includes('visitors') || sampled) add(['who.id'])
  if (sampled) add(['session.who'])
  if (ofEvents && !tallied && (measures.includes('visitors') || sampled)) add(['event.who'])
  return [...names]
}
