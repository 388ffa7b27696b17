/**
 * Sessions and events of a block, some thousands at a time, so that each step of a scan is a loop over numbers that lie one
 * after the other in the processor's cache, and nothing is called for each (`npm run bench -- reports`).
 */
import { LRUCache } from 'lru-cache'
import { type Block, type ColumnName, columnOf, NOTHING, type Numbers } from '../columns/index.ts'
import type { Places } from './chosen.ts'
import type { Ask } from './engine.ts'

/** Sessions or events that are looked at together. */
export const MOST_OF_CHUNK = 16_384

export interface Chunk {
  length: number
  /** by place in the chunk: places in the block, or {@link NOTHING} of what has no session */
  sessions: Uint32Array
  /** the same; meaningless where sessions are looked at */
  events: Uint32Array
  /** places in the list of goals, where events are parted by goal */
  goals: Uint32Array
  isParted: boolean
}

export const emptyChunk = (isParted = false): Chunk => ({
  length: 0,
  isParted,
  sessions: new Uint32Array(MOST_OF_CHUNK),
  events: new Uint32Array(MOST_OF_CHUNK),
  goals: new Uint32Array(MOST_OF_CHUNK),
})

/** Whether each of a chunk fits: writes 1 or 0 by place. */
export type Test = (chunk: Chunk, fits: Uint8Array) => void

export const newFits = (): Uint8Array => new Uint8Array(MOST_OF_CHUNK)

/** Leaves those that fit, in their order. @param rows of each, left likewise */
export function keepFitting(chunk: Chunk, fits: Uint8Array, rows?: Int32Array): void {
  const { length } = chunk
  if (rows) keep(rows, fits, length)
  if (chunk.isParted) keep(chunk.goals, fits, length)
  keep(chunk.events, fits, length)
  chunk.length = keep(chunk.sessions, fits, length)
}

/** Leaves those that have a row. @param none what says that there is none */
export function keepRows(chunk: Chunk, rows: Int32Array, none: number): void {
  const { fits } = borrowed
  for (let i = 0; i < chunk.length; i++) fits[i] = rows[i] === none ? 0 : 1
  keepFitting(chunk, fits, rows)
}

function keep(of: Uint32Array | Int32Array, fits: Uint8Array, length: number): number {
  let kept = 0
  for (let i = 0; i < length; i++) {
    of[kept] = of[i] as number
    kept += fits[i] as number
  }
  return kept
}

/**
 * Numbers of a column as 32 bits, so that every loop over them is compiled for these alone. What is narrower is copied to a
 * place that the next block's takes again.
 */
export function wideOf(block: Block, name: ColumnName): Uint32Array {
  const { numbers } = columnOf(block, name)
  if (numbers instanceof Uint32Array) return numbers
  let place = wide.get(name)
  if (!place || place.copy.length < numbers.length) {
    place = { copy: new Uint32Array(Math.ceil(1.25 * numbers.length)), of: undefined }
    // Names of properties are the users'.
    if (wide.size >= MOST_WIDE) wide.clear()
    wide.set(name, place)
  }
  if (place.of !== numbers) place.copy.set(numbers)
  place.of = numbers
  return place.copy
}

const wide = new Map<ColumnName, { copy: Uint32Array; of: Numbers | undefined }>()
const MOST_WIDE = 100

/** Adds to each row of a chunk what the column says of its place. */
export function addFrom(
  of: Float64Array,
  rows: Int32Array,
  numbers: Uint32Array,
  places: Uint32Array,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    const row = rows[i] as number
    of[row] = (of[row] as number) + (numbers[places[i] as number] as number)
  }
}

/** 1 for each session of the block that fits. */
export function sessionsThatFit(block: Block, test: Test | undefined): Uint8Array {
  const fitting = new Uint8Array(block.sessions)
  if (!test) return fitting.fill(1)
  const { chunk, fits } = borrowed
  for (let first = 0; first < block.sessions; first += MOST_OF_CHUNK) {
    chunk.length = Math.min(MOST_OF_CHUNK, block.sessions - first)
    for (let i = 0; i < chunk.length; i++) chunk.sessions[i] = first + i
    test(chunk, fits)
    fitting.set(fits.subarray(0, chunk.length), first)
  }
  return fitting
}

/** Places of those that fit. */
export function placesOf(fitting: Uint8Array): Uint32Array {
  const places = new Uint32Array(fitting.length)
  let length = 0
  for (let place = 0; place < fitting.length; place++) {
    places[length] = place
    length += fitting[place] as number
  }
  return places.slice(0, length)
}

/** Whether what has no session fits. */
export function fitsWithoutSession(test: Test | undefined): boolean {
  if (!test) return true
  const { chunk, fits } = borrowed
  chunk.length = 1
  chunk.sessions[0] = NOTHING
  test(chunk, fits)
  return fits[0] === 1
}

const borrowed = { chunk: emptyChunk(), fits: newFits() }

export interface Wanted {
  /** places of those that are wanted; all if absent */
  sessions?: Places | undefined
  /** whether events that have no session are wanted; they are if absent */
  others?: boolean
  /** whether only page views are wanted */
  viewsOnly?: boolean
  /** of events */
  test?: Test | undefined
}

/**
 * Events of the range that the question counts, a chunk at a time; a session's in the order of their time. Of a tally in their
 * place, which has no bots, all are.
 */
export function eachEvents(
  { range, bots }: Pick<Ask, 'range' | 'bots'>,
  block: Block,
  { sessions: wanted, others = true, viewsOnly = false, test }: Wanted,
  take: (chunk: Chunk) => void,
): void {
  const starts = wideOf(block, 'session.events')
  const views = block.columns.get('event.views')?.numbers
  const least = viewsOnly ? 1 : 0
  const kinds = views ? NO_KINDS : kindsOf(block)
  // By kind.
  const counts = Uint8Array.from({ length: 4 }, (_, kind) => {
    const isHuman = (kind & HUMAN) !== 0
    const isWanted = bots === 'all' || isHuman === (bots === 'none')
    return isWanted && (!viewsOnly || (kind & VIEW) !== 0) ? 1 : 0
  })
  const [from, to] = [range.from - block.from, range.to - block.from]
  const at = from > 0 || range.to < block.to ? columnOf(block, 'event.at').numbers : undefined
  const { chunk, fits } = own
  const { sessions, events } = chunk
  let length = 0
  const end = (): void => {
    chunk.length = length
    length = 0
    if (test) {
      test(chunk, fits)
      keepFitting(chunk, fits)
    }
    if (chunk.length > 0) take(chunk)
  }
  const count = wanted ? wanted.length : block.sessions
  for (let i = 0; i < count + (others ? 1 : 0); i++) {
    const isSession = i < count
    const place = !isSession ? block.sessions : wanted ? (wanted[i] as number) : i
    const session = isSession ? place : NOTHING
    const last = isSession ? (starts[place + 1] as number) : block.events
    // Without a branch, as nobody can foretell which event is one.
    for (let event = starts[place] as number; event < last; event++) {
      sessions[length] = session
      events[length] = event
      if (at && !((at[event] as number) >= from && (at[event] as number) < to)) continue
      if (views) length += (views[event] as number) >= least ? 1 : 0
      else length += counts[kinds[event] as number] as number
      if (length === MOST_OF_CHUNK) end()
    }
  }
  if (length > 0) end()
}

/** Of a tally, where they are not asked for. */
export const NO_KINDS = new Uint8Array(0)
const HUMAN = 1
export const VIEW = 2
/** By block, of those that are kept: what is asked of all events by every question, bytes. */
const kindsBefore = new LRUCache<string, Uint8Array>({
  maxSize: 64 * 1024 * 1024,
  sizeCalculation: ({ length }) => length + 500,
})

/** Of each event {@link HUMAN}, where it is no bot's, and {@link VIEW}, where it is a page view. */
export function kindsOf(block: Block): Uint8Array {
  const before = block.id === undefined ? undefined : kindsBefore.get(block.id)
  if (before) return before
  const kinds = new Uint8Array(block.events)
  const [bots, names] = [columnOf(block, 'event.bot'), columnOf(block, 'event.name')]
  const [human, view] = [bots.texts.indexOf('(none)'), names.texts.indexOf('pageview')]
  for (let i = 0; i < kinds.length; i++)
    kinds[i] = (bots.numbers[i] === human ? HUMAN : 0) | (names.numbers[i] === view ? VIEW : 0)
  if (block.id !== undefined) kindsBefore.set(block.id, kinds)
  return kinds
}

/** Nobody reads blocks within the reading of another. */
const own = { chunk: emptyChunk(), fits: newFits() }
