/** Sessions of a block that fit, where their events are looked for. */
import { LRUCache } from 'lru-cache'
import { type Block, type ColumnName, columnOf, NOTHING } from '../columns/index.ts'
import { fitsWithoutSession, placesOf, sessionsThatFit, type Wanted, wideOf } from './block-chunks.ts'
import { both, columnsFor, type Fitting, isOfSession, testOf } from './block-filters.ts'
import type { ScanParts } from './block-scan.ts'
import {
  type Chosen,
  type ChosenOf,
  chosenOf,
  NO_NUMBERS,
  newPlaces,
  type Places,
  type Times,
  topOf,
} from './chosen.ts'
import type { Ask } from './engine.ts'
import { donesOf, partsOf } from './filter.ts'
import { samplingOf } from './sample.ts'

/** All of a session's visitors are in its events by host, which are fewest. */
const BY_HOST = ['tally.host.first', 'tally.host.who'] as const

/** Where whose events these are is asked, and what was added up of them has it. */
export const sessionsChosen = async (
  ask: Ask,
  fitting: Fitting,
  each: (names: readonly ColumnName[]) => AsyncIterable<Block>,
): Promise<ChosenOf | undefined> => {
  if (!ask.tallied || !ask.measures.includes('visitors')) return undefined
  const parts = ask.filters.flatMap(partsOf).filter(isOfSession)
  const names: ColumnName[] = [...BY_HOST, 'session.who', 'who.id', ...parts.flatMap(columnsFor)]
  return await chosenOf(
    ask,
    parts,
    () => each(names),
    async (block, times) => {
      const sampling = ask.sampled ? samplingOf(ask.sampled, block) : undefined
      const { sessions = placesOf(sessionsThatFit(block, undefined)), others } = await sessionsOf({
        ...{ ask, block, fitting, done: new Map(), sampling },
      })
      return chooseSessions(block, sessions, others, times)
    },
  )
}

function chooseSessions(block: Block, sessions: Places, others: boolean, times: Times): (times: Times) => Chosen {
  const [first, who] = BY_HOST.map(name => wideOf(block, name)) as [Uint32Array, Uint32Array]
  const idOf = wideOf(block, 'who.id')
  /** of those sessions that have any, the visitor, or {@link NOTHING} of several */
  const [having, whose] = [newPlaces(sessions.length, block.sessions), new Uint32Array(sessions.length)]
  let length = 0
  const addAll = (begin: number, end: number): void => {
    for (let i = begin; i < end; i++) if (who[i] !== NOTHING) times.add(idOf[who[i] as number] as number, 2)
  }
  for (const session of sessions) {
    const [begin, end] = [first[session] as number, first[session + 1] as number]
    if (begin === end) continue
    let one = who[begin] as number
    for (let i = begin + 1; i < end; i++) if (who[i] !== one) one = NOTHING
    if (one === NOTHING) addAll(begin, end)
    else times.add(idOf[one] as number)
    having[length] = session
    whose[length++] = one
  }
  addAll(first[block.sessions] as number, columnOf(block, 'tally.host.who').numbers.length)
  // Not of what was widened, which another block overwrites.
  const numbers = columnOf(block, 'who.id').numbers
  return times => {
    const chosen = having.slice(0, length)
    const ids = new Uint32Array(length)
    // Each by itself, in their order: those who come once, who come again, and several.
    let [once, again, place] = [0, 0, 0]
    const isOnce = (one: number): boolean => !times.isAgain(numbers[one] as number)
    for (let i = 0; i < length; i++)
      if (whose[i] !== NOTHING && isOnce(whose[i] as number)) chosen[once++] = having[i] as number
    place = once
    for (let i = 0; i < length; i++) {
      const one = whose[i] as number
      if (one === NOTHING || isOnce(one)) continue
      ids[again++] = times.numberOf(numbers[one] as number)
      chosen[place++] = having[i] as number
    }
    const several = place
    for (let i = 0; i < length; i++) if (whose[i] === NOTHING) chosen[place++] = having[i] as number
    const numberOf = (id: number): number => (times.isAgain(id) ? times.numberOf(id) : NOTHING)
    const idOfWho = several < length || others ? Uint32Array.from(numbers, numberOf) : NO_NUMBERS
    const top = Math.max(topOf(ids), topOf(idOfWho))
    return { once, several, sessions: chosen, visits: NO_NUMBERS, ids: ids.slice(0, again), idOfWho, top, others }
  }
}

/** Of each of the block's visitors who come again the number. @param block with what was added up in the place of its events */
export function numbersOf(block: Block, { once, sessions, ids, idOfWho }: Chosen): Uint32Array {
  const [first, who] = [columnOf(block, 'session.events').numbers, columnOf(block, 'event.who').numbers]
  const numbers = new Uint32Array(columnOf(block, 'who.id').numbers.length).fill(NOTHING)
  numbers.set(idOfWho)
  for (let i = 0; i < ids.length; i++)
    numbers[who[first[sessions[once + i] as number] as number] as number] = ids[i] as number
  return numbers
}

type Sessions = Required<Pick<Wanted, 'sessions' | 'others'>>

/** The questions of a dashboard ask of the same sessions: bytes of those of blocks that are kept. */
const sessionsBefore = new LRUCache<string, Sessions>({
  maxSize: 32 * 1024 * 1024,
  sizeCalculation: ({ sessions }) => (sessions ? sessions.byteLength : 0) + 500,
})

/** Sessions that fit. */
export async function sessionsOf({
  ask,
  block,
  fitting,
  done,
  sampling,
}: Omit<ScanParts, 'sums' | 'chosen'>): Promise<Sessions> {
  const parts = ask.filters.flatMap(partsOf).filter(isOfSession)
  // What was done may lie in other blocks.
  const isKept = block.id !== undefined && parts.flatMap(donesOf).length === 0
  const key = isKept ? JSON.stringify([block.id, parts, ask.sampled]) : ''
  const before = isKept ? sessionsBefore.get(key) : undefined
  if (before) return before
  const test = both(await testOf(parts, { block, fitting, done }), sampling?.sessions)
  const sessions = test && placesOf(sessionsThatFit(block, test))
  const found = { sessions, others: fitsWithoutSession(test) }
  if (isKept) sessionsBefore.set(key, found)
  return found
}
