/** A scan of the visits of a block that are all in one row: numbers of all of them, or of a day. */
import { columnOf, type Numbers } from '../columns/index.ts'
import { rowOfAll } from './block-rows.ts'
import type { ScanParts } from './block-scan.ts'
import type { Places } from './chosen.ts'
import type { Measure } from './engine.ts'
import { type Bits, noteIn } from './seen.ts'

/** @returns whether the block was scanned; not where there are several rows */
export function scanVisitTotals({ ask, block, chosen, sums, sampling }: ScanParts): boolean {
  const findRow = chosen && !sampling ? rowOfAll(ask, block, sums) : undefined
  if (!chosen || !findRow) return false
  const { visits, once, ids, top } = chosen
  if (visits.length === 0) return true
  const row = findRow()
  const bits = sums.bitsFor(top)
  if (!bits) return false
  const numbers = (name: 'start' | 'end' | 'views' | 'events'): Numbers => columnOf(block, `visit.${name}`).numbers
  const countOf: Partial<Record<Measure, () => number>> = {
    visits: () => visits.length,
    visitors: () => once + countAgain(ids, row, bits),
    events: () => sumOf(numbers('events'), visits),
    views: () => sumOf(numbers('views'), visits),
    pageviews: () => sumOf(numbers('views'), visits),
    bounces: () => countBounces(numbers('views'), visits),
    duration: () => sumBetween(numbers('start'), numbers('end'), visits),
  }
  for (const measure of ask.measures) {
    const [of, count] = [sums.of(measure), countOf[measure]]
    if (of && count) of[row] = (of[row] as number) + count()
  }
  return true
}

function sumOf(numbers: Numbers, visits: Places): number {
  let sum = 0
  for (let i = 0; i < visits.length; i++) sum += numbers[visits[i] as number] as number
  return sum
}

/** Of each by itself: times since the epoch add up to more than a number tells. */
function sumBetween(start: Numbers, end: Numbers, visits: Places): number {
  let sum = 0
  for (let i = 0; i < visits.length; i++) {
    const visit = visits[i] as number
    sum += (end[visit] as number) - (start[visit] as number)
  }
  return sum
}

function countBounces(views: Numbers, visits: Places): number {
  let bounces = 0
  for (let i = 0; i < visits.length; i++) bounces += (views[visits[i] as number] as number) <= 1 ? 1 : 0
  return bounces
}

/** @returns those who were not seen in the row before */
function countAgain(ids: Uint32Array, row: number, { bits, rows, words }: Bits): number {
  let visitors = 0
  for (let i = 0; i < ids.length; i++) visitors += noteIn(bits, rows, words, row, ids[i] as number)
  return visitors
}
