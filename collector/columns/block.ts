/**
 * A block: what a site had in a time, as columns. Sessions lie one after the other, each with its visits and its events in the
 * order of time; events without a session come last. What begins before the block, or goes on after it, is in it with what
 * was seen of it then: its session has the attributes that it has as a whole.
 */
import { VISIT_DIMENSIONS } from '../journal/index.ts'
import type { Numbers } from './numbers.ts'

/** Fields of sessions by which visits are told apart. */
export const SESSION_FIELDS = [...VISIT_DIMENSIONS.filter(dim => dim !== 'visits'), 'host'] as const
export type SessionField = (typeof SESSION_FIELDS)[number]
/** Of events; `goals` are lists of names as JSON. */
export const EVENT_FIELDS = ['name', 'path', 'host', 'consent', 'bot', 'goals', 'currency'] as const
export type EventField = (typeof EVENT_FIELDS)[number]

/**
 * - `session.<field>`: codes of texts
 * - `session.bot`: 1 of a bot's · `session.who`: place of its visitor in `who.hash` · `session.key`: a hash of its id ·
 *   `session.open`: 1 where it reaches out of the block, so that others may have some of it · `session.events`: place of its
 *   first event, and behind the last one its end · `session.visits`: the same of its visits
 * - `visit.start`, `visit.end`: ms since the epoch, NaN where it is not known · `visit.views`, `visit.events`: how many;
 *   {@link NOTHING} where it is not known · `visit.apart`: 1 of a cookieless visitor, of whose session it is a part
 * - `event.at`: ms after the block's begin · `event.who`: as of sessions, or {@link NOTHING} · `event.visit`: its visit; only in
 *   blocks with visits that are apart · `event.<field>` and `event.props.<name>`: codes · `event.revenue`: minor units, 0
 *   without a currency
 * - `tally.<field>.<part>`: events of sessions added up by this field (`tally.ts`)
 * - `who.hash`: whole numbers below 2⁵³ · `who.id`: which one of the site's it is, the same in all blocks of one question; it is
 *   not kept, but made of the former
 */
export type ColumnName =
  | `session.${string}`
  | `visit.${string}`
  | `event.${string}`
  | `tally.${string}`
  | 'who.hash'
  | 'who.id'

export interface Column {
  numbers: Numbers
  /** of codes what they stand for; else empty */
  texts: readonly string[]
  /** names it among all of this process that are held, as long as it is */
  key?: number | undefined
}

let keys = 0
export const nextKey = (): number => ++keys

export interface Rows {
  sessions: number
  visits: number
  events: number
  /** whether there are visits that are apart */
  apart: boolean
}

export interface Block extends Rows {
  /** first and, not included, last moment, ms since the epoch */
  from: number
  to: number
  /** names it in caches; absent where it is read for one question */
  id?: string
  columns: ReadonlyMap<ColumnName, Column>
}

/** How many bytes it takes, about. */
export const sizeOf = ({ numbers, texts }: Column): number =>
  numbers.byteLength + texts.reduce((sum, text) => sum + 2 * text.length + 48, 64)

/** @throws where it was not loaded */
export function columnOf({ columns }: Pick<Block, 'columns'>, name: ColumnName): Column {
  const column = columns.get(name)
  if (!column) throw new Error(`the column ${name} was not loaded`)
  return column
}
