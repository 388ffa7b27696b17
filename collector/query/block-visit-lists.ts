/** A scan of the visits of a block for a list of how many visits and visitors one dimension has. */
import { columnOf, type Numbers } from '../columns/index.ts'
import { addToRows, type ByCode, codesOf, findRows, startByCode } from './block-codes.ts'
import type { ScanParts } from './block-scan.ts'
import type { Chosen, Places } from './chosen.ts'
import type { Measure } from './engine.ts'
import { type Bits, noteIn } from './seen.ts'

const COUNTED: readonly Measure[] = ['visits', 'visitors']

/** @returns whether the block was scanned; not where more is asked */
export function scanVisitList(parts: ScanParts): boolean {
  if (!parts.ask.measures.every(measure => COUNTED.includes(measure))) return false
  const both = codesOf('session', parts)
  if (!both) return false
  const { chosen, found } = both
  const { sums } = parts
  const codes = columnOf(parts.block, found.column).numbers
  const by = startByCode(found.codes)
  addOne(codes, chosen.sessions.subarray(0, chosen.once), by.added)
  by.visitors.set(by.added.subarray(0, found.codes))
  addOne(codes, chosen.sessions.subarray(chosen.once), by.added)
  const bits = findRows(found, by, sums, chosen.top)
  if (!bits) return false
  countAgain(codes, chosen, by, bits)
  addToRows(found.codes, by, sums.of('visits'), by.added)
  addToRows(found.codes, by, sums.of('visitors'), by.visitors)
  return true
}

function addOne(codes: Numbers, sessions: Places, added: Float64Array): void {
  for (let i = 0; i < sessions.length; i++) {
    const code = codes[sessions[i] as number] as number
    added[code] = (added[code] as number) + 1
  }
}

function countAgain(
  codes: Numbers,
  { sessions, once, ids }: Chosen,
  { visitors, places }: ByCode,
  { bits, rows, words }: Bits,
): void {
  for (let i = 0; i < ids.length; i++) {
    const [code, id] = [codes[sessions[once + i] as number] as number, ids[i] as number]
    visitors[code] = (visitors[code] as number) + noteIn(bits, rows, words, places[code] as number, id)
  }
}
