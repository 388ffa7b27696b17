/** A scan of what was added up of the events of a block, in the rows of one dimension: lists of pages, hosts and names. */
import {
  type Block,
  type ColumnName,
  columnOf,
  NOTHING,
  type Numbers,
  placeOfId,
  windowOfId,
} from '../columns/index.ts'
import { addToRows, type ByCode, codesOf, findRows, startByCode } from './block-codes.ts'
import { isOfSession } from './block-filters.ts'
import type { RowOfCode } from './block-rows.ts'
import type { ScanParts } from './block-scan.ts'
import type { Chosen } from './chosen.ts'
import { partsOf } from './filter.ts'
import type { Bits } from './seen.ts'
import { OF_VISITS } from './sum-matches.ts'
import type { Sums } from './sum-rows.ts'

/** @returns whether the block was scanned; not where more is asked */
export function scanTallies(parts: ScanParts): boolean {
  const { filters, measures, pagesOnly } = parts.ask
  if (measures.some(measure => OF_VISITS.includes(measure))) return false
  if (!filters.flatMap(partsOf).every(isOfSession)) return false
  const codes = codesOf('event', parts)
  if (!codes) return false
  // Where nothing but page views is counted, the others need no row.
  const viewsOnly = pagesOnly && !measures.includes('events')
  return scan({ ...codes, block: parts.block, sums: parts.sums, viewsOnly, least: pagesOnly ? 1 : 0 })
}

interface Parts {
  block: Block
  chosen: Chosen
  found: RowOfCode
  sums: Sums
  viewsOnly: boolean
  /** page views that one has to have seen of it, to be its visitor */
  least: 0 | 1
}

/** What is read of the block. */
interface Columns {
  /** places of the events of a session */
  first: Numbers
  codes: Numbers
  views: Numbers
  who: Numbers
  /** page views that one has to have seen */
  least: number
}

function scan({ block, chosen, sums, found, viewsOnly, least }: Parts): boolean {
  const by = startByCode(found.codes)
  const numbers = (name: ColumnName): Numbers => columnOf(block, name).numbers
  const [first, codes, views] = [numbers('session.events'), numbers(found.column), numbers('event.views')]
  const counts = viewsOnly ? views : numbers('event.count')
  const columns = { first, codes, views, who: numbers('event.who'), least }
  const once = chosen.sessions.subarray(0, chosen.once)
  const again = chosen.sessions.subarray(chosen.once)
  // All that has no session, as if it were of one.
  const others = { ...columns, first: Uint32Array.of(first[block.sessions] as number, codes.length) }
  const alsoViews = !viewsOnly && sums.of('pageviews') !== undefined
  addOnce(columns, once, counts, by)
  addAll(columns, again, counts, by.added)
  if (alsoViews) addAll(columns, chosen.sessions, views, by.views)
  if (chosen.others) addAll(others, ONE, counts, by.added)
  if (chosen.others && alsoViews) addAll(others, ONE, views, by.views)
  const bits = findRows(found, by, chosen.top, sums)
  if (!bits) return false
  countAgain(columns, again, chosen.ids, by, bits)
  if (chosen.others) countAgain(others, ONE, chosen.ids, by, bits)
  addToRows(found.codes, by, sums.of('pageviews'), viewsOnly ? by.added : by.views)
  addToRows(found.codes, by, sums.of('events'), by.added)
  addToRows(found.codes, by, sums.of('visitors'), by.visitors)
  return true
}

const ONE = Uint32Array.of(0)

/** Sessions of visitors who have no other. */
function addOnce(
  { first, codes, views, least }: Columns,
  sessions: Uint32Array,
  counts: Numbers,
  { added, visitors, last }: ByCode,
): void {
  for (let i = 0; i < sessions.length; i++) {
    const session = sessions[i] as number
    const end = first[session + 1] as number
    for (let event = first[session] as number; event < end; event++) {
      const code = codes[event] as number
      added[code] = (added[code] as number) + (counts[event] as number)
      if ((views[event] as number) < least) continue
      // A long session has some twice.
      visitors[code] = (visitors[code] as number) + (last[code] === session ? 0 : 1)
      last[code] = session
    }
  }
}

function addAll({ first, codes }: Columns, sessions: Uint32Array, counts: Numbers, into: Float64Array): void {
  for (let i = 0; i < sessions.length; i++) {
    const session = sessions[i] as number
    const end = first[session + 1] as number
    for (let event = first[session] as number; event < end; event++) {
      const code = codes[event] as number
      into[code] = (into[code] as number) + (counts[event] as number)
    }
  }
}

/** @param ids numbers of who comes again, by the block's visitors */
function countAgain(
  { first, codes, views, who, least }: Columns,
  sessions: Uint32Array,
  ids: Uint32Array,
  { visitors, rows: rowOf }: ByCode,
  { bits, rows, words }: Bits,
): void {
  for (let i = 0; i < sessions.length; i++) {
    const session = sessions[i] as number
    const end = first[session + 1] as number
    for (let event = first[session] as number; event < end; event++) {
      const visitor = who[event] as number
      if ((views[event] as number) < least || visitor === NOTHING) continue
      const [code, id] = [codes[event] as number, ids[visitor] as number]
      const row = Math.imul(windowOfId(id), rows) + (rowOf[code] as number)
      const word = Math.imul(row, words) + (placeOfId(id) >>> 5)
      const shift = placeOfId(id) & 31
      const before = bits[word] as number
      bits[word] = before | (1 << shift)
      visitors[code] = (visitors[code] as number) + (((before >>> shift) & 1) ^ 1)
    }
  }
}
