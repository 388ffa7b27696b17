/** Rows of sessions or events of a block, by the codes of their values and their bucket. */
import { type Block, type ColumnName, columnOf, NOTHING, TooManyDifferent } from '../columns/index.ts'
import { type Chunk, keepRows, wideOf } from './block-chunks.ts'
import { columnFor, shownAs } from './block-filters.ts'
import type { ScanParts } from './block-scan.ts'
import type { Ask } from './engine.ts'
import { placeOf } from './grid.ts'
import { isTimeDimension } from './names.ts'
import { NO_ROW, type Sums } from './sum-rows.ts'

/** Codes of more values than this are looked up by a map. */
const DENSE = 1 << 20
const NO_VALUE = '(none)'

/** Writes the row of each of a chunk, or {@link NO_ROW}. @param timeOf of one of the chunk, ms since the epoch */
export type Rowing = (chunk: Chunk, timeOf: (place: number) => number, rows: Int32Array) => void

/**
 * Writes the row of each of a chunk, and leaves those that have one; of a sample it is the place of its group.
 * @param goals all that events are parted by
 */
export function rowsOf(
  ask: Ask,
  { block, sums, sampling }: Pick<ScanParts, 'block' | 'sums' | 'sampling'>,
  goals: readonly string[] = [],
): Rowing {
  const find = findingOf(ask, block, sums, goals)
  return (chunk, timeOf, rows) => {
    find(chunk, timeOf, rows)
    if (sums.isPartial) keepRows(chunk, rows, NO_ROW)
    sampling?.intoGroups(chunk, rows)
  }
}

/** Rows of the codes of one column. */
export interface RowOfCode {
  column: ColumnName
  /** how many codes there are, without that of what has no session */
  codes: number
  /** whether the rows of all codes are there, as blocks before had the same */
  isKnown(): boolean
  /** @returns or {@link NO_ROW} */
  rowOf(code: number): number
}

/** Where rows are told apart by one column of the block, and by nothing else. */
export function rowOfCode(ask: Ask, block: Block, sums: Sums): RowOfCode | undefined {
  const { told, isOne, dense, add } = lookup(ask, block, sums, [])
  const [single] = told
  if (!single?.column || told.length > 1 || !isOne || !dense) return undefined
  const { column, texts } = single
  const codes = texts.length
  return {
    ...{ column, codes },
    isKnown: () => dense.indexOf(0) === codes,
    rowOf: code => (dense[code] || add(code) + 2) - 2,
  }
}

/** Where all of the block is in one row: finds it. */
export function rowOfAll(ask: Ask, block: Block, sums: Sums): (() => number) | undefined {
  const { told, isOne, only } = lookup(ask, block, sums, [])
  return told.length === 0 && isOne && !sums.isPartial ? () => sums.placeOf([], only) : undefined
}

function findingOf(ask: Ask, block: Block, sums: Sums, goals: readonly string[]): Rowing {
  const { told, sizes, starts, isOne, only, dense, sparse, add } = lookup(ask, block, sums, goals)
  const [single] = told
  if (!single && isOne) {
    let row: number | undefined
    return (chunk, _, rows) => {
      if (chunk.length === 0) return
      row ??= sums.placeOf([], only)
      rows.fill(row, 0, chunk.length)
    }
  }
  if (dense && single?.column && told.length === 1 && isOne) {
    const { column, level, texts } = single
    return (chunk, _, rows) => {
      const { length } = chunk
      const [places, codes] = [chunk[level], wideOf(block, column)]
      for (let i = 0; i < length; i++) {
        const place = places[i] as number
        const code = place === NOTHING ? texts.length : (codes[place] as number)
        rows[i] = (dense[code] || add(code) + 2) - 2
      }
    }
  }
  return (chunk, timeOf, rows) => {
    const { length } = chunk
    const of = dense ? rows : new Float64Array(length)
    if (isOne) of.fill(0, 0, length)
    else for (let i = 0; i < length; i++) of[i] = placeOf(starts, timeOf(i))
    for (const [d, { level, column, texts }] of told.entries()) {
      const n = sizes[d] as number
      const places = chunk[level]
      if (!column) for (let i = 0; i < length; i++) of[i] = (of[i] as number) * n + (places[i] as number)
      else addCodes(of, places, wideOf(block, column), length, n, texts.length)
    }
    if (dense) for (let i = 0; i < length; i++) rows[i] = (dense[rows[i] as number] || add(rows[i] as number) + 2) - 2
    else for (let i = 0; i < length; i++) rows[i] = (sparse.get(of[i] as number) ?? add(of[i] as number) + 2) - 2
  }
}

/** What rows are found by: of codes one number is made, and by this a row is known. */
function lookup({ dimensions, grid }: Ask, block: Block, sums: Sums, goals: readonly string[]) {
  const told = dimensions
    .filter(name => !isTimeDimension(name))
    .map(name => {
      if (name === 'event:goal') return { name, level: 'goals', column: undefined, texts: goals } as const
      const column = columnFor(name)
      const level = name.startsWith('visit:') ? 'sessions' : 'events'
      return { name, level, column, texts: columnOf(block, column).texts } as const
    })
  const starts = grid?.starts ?? []
  const isOne = !grid || placeOf(starts, block.from) === placeOf(starts, block.to - 1)
  const only = grid && isOne ? placeOf(starts, block.from) : 0
  const [single] = told
  // One more, of what has no session.
  const sizes = told.map(({ texts }) => texts.length + 1)
  const size = sizes.reduce((product, n) => product * n, isOne ? 1 : starts.length)
  if (size > Number.MAX_SAFE_INTEGER) throw new TooManyDifferent('more combinations of values than can be told apart')
  // Two more than the row, which may be NO_ROW: 0 is one that was not looked for.
  const dense = size <= DENSE ? new Int32Array(size) : undefined
  const sparse = new Map<number, number>()
  const before =
    dense && single?.column && told.length === 1 && isOne && block.id !== undefined
      ? sums.foundBefore(only, single.column, single.texts)
      : undefined
  before?.copyTo(dense as Int32Array)
  const add = (key: number): number => {
    const values: string[] = []
    let rest = key
    for (let d = told.length - 1; d >= 0; d--) {
      const n = sizes[d] as number
      const text = told[d]?.texts[rest % n]
      values.unshift(text === undefined ? NO_VALUE : shownAs(told[d]?.name ?? '', text))
      rest = Math.floor(rest / n)
    }
    const row = sums.placeOf(values, isOne ? only : rest)
    if (dense) dense[key] = row + 2
    else sparse.set(key, row + 2)
    before?.found(key, row + 2)
    return row
  }
  return { told, sizes, starts, isOne, only, dense, sparse, add }
}

/** @param none the code of what has no session */
function addCodes(
  of: Int32Array | Float64Array,
  places: Uint32Array,
  codes: Uint32Array,
  length: number,
  n: number,
  none: number,
): void {
  for (let i = 0; i < length; i++) {
    const place = places[i] as number
    of[i] = (of[i] as number) * n + (place === NOTHING ? none : (codes[place] as number))
  }
}
