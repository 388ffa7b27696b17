/**
 * What is scanned of blocks: rows of a question, or an analysis. It is plain data, so that it can be done in another thread, and
 * what it reads with may be there or here.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Block, ColumnName } from '../columns/index.ts'
import type { Site } from '../sites/index.ts'
import { runAnalysis } from './analyses/run.ts'
import type { Analysis, Results } from './analyses/schema.ts'
import type { FitsInDatabase } from './block-filters.ts'
import { scanRows } from './block-scan.ts'
import type { Ask, Rows } from './engine.ts'

export type Counted = Pick<Rows, 'rows' | 'total' | 'error' | 'sample'>

export type Work =
  | { of: 'rows'; ask: Ask }
  /** @see readBody */
  | { of: 'analysis'; analysis: Analysis; body: unknown; site: Site; now: number; begin: number | undefined }

export type Done<W extends Work> = W extends { of: 'rows' } ? Counted : Results<Analysis>

/** What work reads with. */
export interface Supply {
  /** Blocks of the range, each with these columns. @param from of the range, ms @throws what leaves a question to others */
  blocks(names: readonly ColumnName[], from: number): AsyncIterable<Block>
  fits: FitsInDatabase
}

/** Does the work, wherever it likes. @throws what the supply throws, {@link TooManyDifferent}, QueryError, the signal's reason */
export type Scanning = <W extends Work>(work: W, supply: Supply, signal: AbortSignal) => Promise<Done<W>>

export async function doWork(work: Work, supply: Supply): Promise<Done<Work>> {
  return work.of === 'rows' ? await scanRows(work.ask, supply) : await runAnalysis(work, supply)
}

/** In this thread: one block after the other, and in between others have their turn. */
export const scanHere: Scanning = async <W extends Work>(work: W, supply: Supply, signal: AbortSignal) => {
  async function* inTurns(blocks: AsyncIterable<Block>): AsyncGenerator<Block> {
    for await (const block of blocks) {
      await nextTurn()
      signal.throwIfAborted()
      yield block
    }
  }
  const blocks: Supply['blocks'] = (names, from) => inTurns(supply.blocks(names, from))
  return (await doWork(work, { ...supply, blocks })) as Done<W>
}
