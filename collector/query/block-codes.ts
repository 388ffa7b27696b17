/**
 * What of a block is in the rows of one column and nothing else, as most lists ask for it, is first added up by the column's
 * codes, and then visitors who come again are looked for in the rows of these. Numbers are read as they are kept: to widen them
 * takes longer than the rest.
 */
import { NOTHING } from '../columns/index.ts'
import { type RowOfCode, rowOfCode } from './block-rows.ts'
import type { ScanParts } from './block-scan.ts'
import type { Chosen } from './chosen.ts'
import type { Bits } from './seen.ts'
import { NO_ROW, type Sums } from './sum-rows.ts'

/** By code of the block that is scanned. */
export interface ByCode {
  added: Float64Array
  /** page views beside what is added up */
  views: Float64Array
  visitors: Float64Array
  /** the session that came last */
  last: Uint32Array
  /** its row, or {@link NO_ROW} */
  rows: Int32Array
  /** its row among {@link Bits} */
  places: Int32Array
}

const made = (length: number): ByCode => ({
  added: new Float64Array(length),
  views: new Float64Array(length),
  visitors: new Float64Array(length),
  last: new Uint32Array(length),
  rows: new Int32Array(length),
  places: new Int32Array(length),
})
let held = made(1024)

/** All 0. */
export function startByCode(codes: number): ByCode {
  if (codes > held.rows.length) held = made(2 * codes)
  for (const of of [held.added, held.views, held.visitors]) of.fill(0, 0, codes)
  held.last.fill(NOTHING, 0, codes)
  return held
}

/**
 * Finds the rows of all codes, or of those only of which something was added up.
 * @returns where visitors are noted; `undefined` where there are too many rows for that
 */
export function findRows(
  { codes, rowOf }: RowOfCode,
  { added, rows, places }: ByCode,
  sums: Sums,
  top: number,
  isAll = false,
): Bits | undefined {
  for (let code = 0; code < codes; code++) rows[code] = isAll || added[code] !== 0 ? rowOf(code) : NO_ROW
  const bits = sums.bitsFor(top)
  if (!bits) return undefined
  const other = bits.rows - 1
  for (let code = 0; code < codes; code++) {
    const row = rows[code] as number
    places[code] = row === NO_ROW || row > other ? other : row
  }
  return bits
}

/** Where what fits was chosen, all of it is looked at, and it is in the rows of a column of this kind alone. */
export function codesOf(
  kind: 'event' | 'session',
  { ask, block, chosen, sums, sampling }: ScanParts,
): { chosen: Chosen; found: RowOfCode } | undefined {
  const found = chosen && !sampling ? rowOfCode(ask, block, sums) : undefined
  return chosen && found?.column.startsWith(`${kind}.`) ? { chosen, found } : undefined
}

/** Adds to the rows what was added up. */
export function addToRows(codes: number, { rows }: ByCode, of: Float64Array | undefined, numbers: Float64Array): void {
  if (!of) return
  for (let code = 0; code < codes; code++) {
    const row = rows[code] as number
    if (row !== NO_ROW) of[row] = (of[row] as number) + (numbers[code] as number)
  }
}
