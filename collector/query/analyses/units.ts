/** Whose an event of a block is, for analyses: a visit's or a visitor's, the same one in all blocks. */
import { type Block, type ColumnName, columnOf, NOTHING } from '../../columns/index.ts'
import type { Places } from '../distinct.ts'

/** Columns that units are told by. */
export const OF_VISITORS: ColumnName[] = ['session.who', 'event.who', 'who.hash']
export const OF_VISITS: ColumnName[] = [
  ...(['session.key', 'session.visits', 'session.open', 'visit.start', 'visit.apart', 'event.visit'] as const),
]

/** The place of a unit among all; `undefined` of what is nobody's. */
export type UnitOf = (session: number, event: number) => number | undefined

/** An event is its session's visitor's; where there is none, whose it says itself. */
export function visitorsIn(block: Block, places: Places): UnitOf {
  const ofSessions = columnOf(block, 'session.who').numbers
  const ofEvents = columnOf(block, 'event.who').numbers
  const hashes = columnOf(block, 'who.hash').numbers
  return (session, event) => {
    const first = session === NOTHING ? NOTHING : (ofSessions[session] ?? NOTHING)
    const who = first === NOTHING ? (ofEvents[event] ?? NOTHING) : first
    return who === NOTHING ? undefined : places.of(hashes[who] ?? 0)
  }
}

/** Where the visit begins that an event is in, or NaN where it is its whole session, and the session's hash. */
export function visitsIn(block: Block, places: Places): UnitOf {
  const keys = columnOf(block, 'session.key').numbers
  const first = columnOf(block, 'session.visits').numbers
  const visitOf = block.apart ? columnOf(block, 'event.visit').numbers : undefined
  const apart = columnOf(block, 'visit.apart').numbers
  const start = columnOf(block, 'visit.start').numbers
  return (session, event) => {
    if (session === NOTHING) return undefined
    const visit = visitOf?.[event] ?? first[session] ?? 0
    const begin = apart[visit] === 1 ? (start[visit] ?? 0) : 0
    // Still a whole number below 2⁵³, and as good a hash.
    return places.of(((keys[session] ?? 0) + begin * 4_096) % 2 ** 53)
  }
}
