/** Whose an event of a block is, for analyses: a visit's or a visitor's, the same one in all blocks. */
import { type Block, type ColumnName, columnOf, NOTHING, type Places } from '../../columns/index.ts'

/** Columns that units are told by. */
export const OF_VISITORS: ColumnName[] = ['session.who', 'event.who', 'who.id']
export const OF_VISITS: ColumnName[] = [
  ...(['session.key', 'session.visits', 'session.open', 'visit.start', 'visit.apart', 'event.visit'] as const),
]

/** The number of a unit among all; {@link NOTHING} of what is nobody's. */
export type UnitOf = (session: number, event: number) => number

/** An event is its session's visitor's; where there is none, whose it says itself. */
export function visitorsIn(block: Block): UnitOf {
  const ofSessions = columnOf(block, 'session.who').numbers
  const ofEvents = columnOf(block, 'event.who').numbers
  const ids = columnOf(block, 'who.id').numbers
  return (session, event) => {
    const first = session === NOTHING ? NOTHING : (ofSessions[session] as number)
    const who = first === NOTHING ? (ofEvents[event] as number) : first
    return who === NOTHING ? NOTHING : (ids[who] as number)
  }
}

export interface Visits {
  /** Where the visit begins that an event is in, or where it is its whole session, and the session's hash, as one number. */
  unitOf: UnitOf
  /** Whether all of the session's events are in this block, and are of one visit. */
  isWhole(session: number): boolean
}

export function visitsIn(block: Block, places: Places): Visits {
  const keys = columnOf(block, 'session.key').numbers
  const first = columnOf(block, 'session.visits').numbers
  const open = columnOf(block, 'session.open').numbers
  const visitOf = block.apart ? columnOf(block, 'event.visit').numbers : undefined
  const apart = columnOf(block, 'visit.apart').numbers
  const start = columnOf(block, 'visit.start').numbers
  return {
    unitOf(session, event) {
      if (session === NOTHING) return NOTHING
      const visit = visitOf?.[event] ?? (first[session] as number)
      const begin = apart[visit] === 1 ? (start[visit] as number) : 0
      // Still a whole number below 2⁵³, and as good a hash.
      return places.of(((keys[session] as number) + begin * 4_096) % 2 ** 53)
    },
    isWhole: session => open[session] === 0 && apart[first[session] as number] === 0,
  }
}
