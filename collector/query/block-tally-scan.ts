/** A scan of what was added up of the events of a block, in the rows of one dimension: lists of pages, hosts and names. */
import { type Block, type ColumnName, columnOf, NOTHING, type Numbers } from '../columns/index.ts'
import { addToRows, type ByCode, codesOf, findRows, startByCode } from './block-codes.ts'
import { isOfSession } from './block-filters.ts'
import type { RowOfCode } from './block-rows.ts'
import type { ScanParts } from './block-scan.ts'
import type { Chosen, Places } from './chosen.ts'
import { partsOf } from './filter.ts'
import { type Bits, noteIn } from './seen.ts'
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
  /** what is added up */
  counts: Numbers
  /** page views that one has to have seen */
  least: number
}

function scan({ block, chosen, sums, found, viewsOnly, least }: Parts): boolean {
  const numbers = (name: ColumnName): Numbers => columnOf(block, name).numbers
  const [first, codes, views] = [numbers('session.events'), numbers(found.column), numbers('event.views')]
  const columns = { first, codes, views, counts: viewsOnly ? views : numbers('event.count'), least }
  // All that has no session, as if it were of one.
  const others = { ...columns, first: Uint32Array.of(first[block.sessions] as number, codes.length) }
  const add = (of: Columns, into: Float64Array): void => {
    addAll(of, chosen.sessions, into)
    if (chosen.others) addAll({ ...of, first: others.first }, ONE, into)
  }
  const by = startByCode(found.codes)
  const isKnown = found.isKnown()
  if (!isKnown) add(columns, by.added)
  const bits = findRows(found, by, sums, chosen.top, isKnown)
  if (!bits) return false
  by.added.fill(0, 0, found.codes)
  const { once, several, sessions } = chosen
  addOnce(columns, sessions.subarray(0, once), by)
  addAgain(columns, sessions.subarray(once, several), chosen.ids, by, bits)
  const [who, idOf] = [numbers('event.who'), chosen.idOfWho]
  addSeveral(columns, sessions.subarray(several), who, idOf, by, bits)
  if (chosen.others) addSeveral(others, ONE, who, idOf, by, bits)
  if (!viewsOnly && sums.of('pageviews')) add({ ...columns, counts: views }, by.views)
  addToRows(found.codes, by, sums.of('pageviews'), viewsOnly ? by.added : by.views)
  addToRows(found.codes, by, sums.of('events'), by.added)
  addToRows(found.codes, by, sums.of('visitors'), by.visitors)
  return true
}

const ONE = Uint32Array.of(0)

function addAll({ first, codes, counts }: Columns, sessions: Places, into: Float64Array): void {
  for (let i = 0; i < sessions.length; i++) {
    const session = sessions[i] as number
    const end = first[session + 1] as number
    for (let event = first[session] as number; event < end; event++) {
      const code = codes[event] as number
      into[code] = (into[code] as number) + (counts[event] as number)
    }
  }
}

/** Sessions of visitors who have no other. */
function addOnce({ first, codes, counts, views, least }: Columns, sessions: Places, by: ByCode): void {
  const { added, visitors, last } = by
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

/** Sessions of one visitor each, who has others. @param ids by place, those of the visitors */
function addAgain(
  { first, codes, counts, views, least }: Columns,
  sessions: Places,
  ids: Uint32Array,
  { added, visitors, places }: ByCode,
  { bits, rows, words }: Bits,
): void {
  for (let i = 0; i < sessions.length; i++) {
    const [session, id] = [sessions[i] as number, ids[i] as number]
    const end = first[session + 1] as number
    for (let event = first[session] as number; event < end; event++) {
      const code = codes[event] as number
      added[code] = (added[code] as number) + (counts[event] as number)
      if ((views[event] as number) < least) continue
      visitors[code] = (visitors[code] as number) + noteIn(bits, rows, words, places[code] as number, id)
    }
  }
}

/** Sessions of several visitors. @param idOf numbers of the block's visitors */
function addSeveral(
  { first, codes, counts, views, least }: Columns,
  sessions: Places,
  who: Numbers,
  idOf: Uint32Array,
  { added, visitors, places }: ByCode,
  { bits, rows, words }: Bits,
): void {
  for (let i = 0; i < sessions.length; i++) {
    const session = sessions[i] as number
    const end = first[session + 1] as number
    for (let event = first[session] as number; event < end; event++) {
      const [code, visitor] = [codes[event] as number, who[event] as number]
      added[code] = (added[code] as number) + (counts[event] as number)
      if ((views[event] as number) < least || visitor === NOTHING) continue
      const id = idOf[visitor] as number
      visitors[code] = (visitors[code] as number) + noteIn(bits, rows, words, places[code] as number, id)
    }
  }
}
