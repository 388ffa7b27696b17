/** What an analysis reads with: the blocks of its range, one after the other, and which of their events take part. */
import type { Block, ColumnName } from '../../columns/index.ts'
import type { Site } from '../../sites/index.ts'
import type { Test } from '../block-chunks.ts'
import { type DoneIn, type Fitting, fittingCodes, testOf } from '../block-filters.ts'
import type { Ask } from '../engine.ts'
import type { Filter, Leaf } from '../filter.ts'

/** A question of events, as engines are asked. */
export type Asked = Pick<Ask, 'range' | 'bots' | 'filters'> & { site: Site }

export interface Read {
  block: Block
  /** what takes part; all if absent */
  fits: Test | undefined
  /** the same of other filters */
  test(filters: readonly Filter[]): Promise<Test | undefined>
  /** 1 for each code of its column that fits */
  codes(leaf: Leaf): Promise<Uint8Array>
}

export interface Reading {
  asked: Asked
  /**
   * Each block that has some of the range, or of another one.
   * @param names columns beside those of the filters
   * @param more filters that are tested, too
   * @param from ms, where more than the range is read
   */
  read(names: readonly ColumnName[], more?: readonly Filter[], from?: number): AsyncGenerator<Read>
}

export const readOf = async (
  block: Block,
  { filters }: Asked,
  parts: { fitting: Fitting; done: DoneIn },
): Promise<Read> => {
  const test = (some: readonly Filter[]) => testOf(some, { block, ...parts })
  return { block, fits: await test(filters), test, codes: leaf => fittingCodes(leaf, { block, ...parts }) }
}

/** Two decimals; of none 0. */
export const percentOf = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100
