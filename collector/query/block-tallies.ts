/** Which questions of events need no events, as the tallies of columns say it. */
import { type Found, TALLIES, type TallyField } from '../columns/index.ts'
import { columnFor } from './block-filters.ts'
import type { Ask, Measure } from './engine.ts'
import { donesOf, isEventLeaf, leavesOf } from './filter.ts'
import { placeOf } from './grid.ts'
import { isEventDimension } from './names.ts'

/** What events are worth is in no tally. */
const UNKNOWN: readonly Measure[] = ['revenue', 'paid']

/** The tally that has all that is asked of events of whole days; `undefined` where they are asked one by one. */
export function tallyFor({ over, bots, dimensions, filters, measures }: Ask): TallyField | undefined {
  if (over !== 'matches' || bots !== 'none') return undefined
  if (measures.some(measure => UNKNOWN.includes(measure))) return undefined
  if (filters.flatMap(donesOf).length > 0) return undefined
  const leaves = filters.flatMap(leavesOf).filter(isEventLeaf)
  const attributes = new Set([...dimensions.filter(isEventDimension), ...leaves.map(({ attribute }) => attribute)])
  const [attribute] = attributes
  if (attribute === undefined || attributes.size > 1) return undefined
  return TALLIES.find(field => columnFor(attribute) === `event.${field}`)
}

/** Whether the question has all of each block, and in one bucket of time, so that nobody asks when in it something was. */
export const hasWholeBlocks = ({ range, grid }: Ask, { days, gaps }: Pick<Found, 'days' | 'gaps'>): boolean =>
  [...days, ...gaps].every(
    ({ from, to }) =>
      from >= range.from && to <= range.to && (!grid || placeOf(grid.starts, from) === placeOf(grid.starts, to - 1)),
  )
