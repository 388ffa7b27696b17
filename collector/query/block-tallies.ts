/** A scan of tallies in the place of events: lists of pages, hosts and names of events, by what of sessions is asked. */
import { TALLIES, type TallyField } from '../columns/index.ts'
import { eachEvents, MOST_OF_CHUNK, wideOf } from './block-chunks.ts'
import { addVisitors, wantedOf } from './block-events.ts'
import { columnFor, isOfSession } from './block-filters.ts'
import { rowsOf } from './block-rows.ts'
import type { ScanParts } from './block-scan.ts'
import type { Ask } from './engine.ts'
import { donesOf, leavesOf, partsOf } from './filter.ts'
import { isEventDimension } from './names.ts'

/** The tally that has all that is asked of events; `undefined` where they are asked one by one. */
export function tallyFor({ over, grid, bots, dimensions, filters, measures, pagesOnly }: Ask): TallyField | undefined {
  const [dimension, ...others] = dimensions.filter(isEventDimension)
  if (over !== 'matches' || grid || bots !== 'none' || !dimension || others.length > 0) return undefined
  const field = (Object.keys(TALLIES) as TallyField[]).find(one => columnFor(dimension) === `event.${one}`)
  if (!field) return undefined
  const counted = TALLIES[field]
  const isCounted = measures.every(measure => measure === counted || measure === 'visitors')
  if (!isCounted || pagesOnly !== (counted === 'pageviews')) return undefined
  const hasAll = filters
    .flatMap(partsOf)
    .every(
      part =>
        donesOf(part).length === 0 &&
        (isOfSession(part) || leavesOf(part).every(({ attribute }) => attribute === dimension)),
    )
  return hasAll ? field : undefined
}

const rows = new Int32Array(MOST_OF_CHUNK)
/** Whole days have no time of their own. */
const noTime = (): number => 0

/** @param scanned with the tally in the place of events */
export async function scanTally(scanned: ScanParts): Promise<void> {
  const { ask, block, sums } = scanned
  const wanted = await wantedOf(scanned)
  const rowing = rowsOf(ask, scanned)
  const hasVisitors = ask.measures.includes('visitors')
  eachEvents(ask, block, { ...wanted, areTallied: true }, chunk => {
    rowing(chunk, noTime, rows)
    const { length, events } = chunk
    const counts = wideOf(block, 'event.count')
    const of = sums.of(ask.pagesOnly ? 'pageviews' : 'events')
    if (of)
      for (let i = 0; i < length; i++)
        of[rows[i] as number] = (of[rows[i] as number] as number) + (counts[events[i] as number] as number)
    if (hasVisitors) addVisitors(scanned, chunk, rows)
  })
}
