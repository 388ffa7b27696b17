/** What this thread and those that scan tell each other. Numbers of columns lie in memory that all of them see. */
import type { Block, Column, ColumnName, Rows } from '../../columns/index.ts'
import type { Leaf } from '../filter.ts'
import type { Fault } from '../query.ts'
import type { Work } from '../scanning.ts'

/** A column, or the key of one that was sent before. */
export type SentColumn = [name: ColumnName, column: Column | number]

export interface SentBlock extends Rows, Pick<Block, 'id' | 'from' | 'to'> {
  columns: SentColumn[]
}

export type ToThread =
  | { kind: 'work'; job: number; work: Work }
  /** @param rests whether the thread first rests */
  | { kind: 'answer'; job: number; call: number; value: unknown; rests: boolean }
  /** It is of no use to go on. */
  | { kind: 'stop'; job: number }
  /** Columns that nobody will name any more. */
  | { kind: 'drop'; keys: number[] }

/** What a thread asks for. */
export type Call =
  /** begins to read blocks: answered with a number for it */
  | { of: 'open'; names: readonly ColumnName[]; from: number }
  /** some more blocks; of none it is the end */
  | { of: 'next'; reading: number }
  /** those of the values that fit */
  | { of: 'fits'; leaf: Leaf; values: string[] }

export type FromThread =
  | { kind: 'call'; job: number; call: number; asked: Call }
  | { kind: 'done'; job: number; value: unknown }
  | { kind: 'failed'; job: number; name: string; message: string; fault?: Fault | undefined }
