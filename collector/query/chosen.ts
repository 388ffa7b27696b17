/**
 * What of all blocks of a question fits its filters: visits, or sessions where their events are looked for. What is of visitors
 * who come once is first, as nobody has to remember these, and those who come again have numbers of their own, which lie close
 * together: where the bits of all visitors do not fit into the processor's cache, to find one takes longer than all else that
 * is done of a visit (`npm run bench -- reports`). The questions of a dashboard choose the same.
 */
import { LRUCache } from 'lru-cache'
import { type Block, idOfPlace, NOTHING, placeOfId, WINDOWS, windowOfId } from '../columns/index.ts'
import type { Ask } from './engine.ts'
import { donesOf, type Filter } from './filter.ts'

/** Of few sessions in half of the memory, as questions stream through them. */
export type Places = Uint16Array | Uint32Array
export const newPlaces = (length: number, most: number): Places =>
  most <= 0x1_0000 ? new Uint16Array(length) : new Uint32Array(length)

/** Of one block. */
export interface Chosen {
  /** how many of the first are of visitors who come once in all blocks */
  once: number
  /** places of sessions */
  sessions: Places
  /** of each the visit; none where events are looked for */
  visits: Places
  /** the place from which on sessions have events of several visitors; that behind the last where visits are looked for */
  several: number
  /** of what lies between `once` and `several` the numbers of the visitors, who come again */
  ids: Uint32Array
  /** those of all visitors of the block where some have them in sessions of several, or without a session */
  idOfWho: Uint32Array
  /** the highest number of a visitor */
  top: number
  /** whether events that have no session fit */
  others: boolean
}

/** By the block's id. */
export type ChosenOf = ReadonlyMap<string, Chosen>

/** Chooses in a block, and counts who is in it. @returns what tells these apart when all are counted */
export type Choose = (block: Block, times: Times) => Promise<(times: Times) => Chosen>

/** How often visitors come, and the numbers of those who come again. */
export class Times {
  /** of each window */
  private most = 1024
  /** by window and place: 0, 1, 2 of more, and from 3 on the place of a number that was given */
  private counts = new Uint32Array(WINDOWS * this.most)
  private readonly given = new Uint32Array(WINDOWS)

  /** @param times 2 where it is not known of all that one does that it is of one session */
  add(id: number, times: 1 | 2 = 1): void {
    if (placeOfId(id) >= this.most) this.grow(placeOfId(id) + 1)
    const place = windowOfId(id) * this.most + placeOfId(id)
    this.counts[place] = Math.min(2, (this.counts[place] as number) + times)
  }

  isAgain(id: number): boolean {
    return placeOfId(id) < this.most && (this.counts[windowOfId(id) * this.most + placeOfId(id)] as number) > 1
  }

  /** Of one who comes again. */
  numberOf(id: number): number {
    const window = windowOfId(id)
    const place = window * this.most + placeOfId(id)
    let held = this.counts[place] as number
    if (held < 3) {
      held = 3 + (this.given[window] as number)
      this.counts[place] = held
      this.given[window] = held - 2
    }
    return idOfPlace(window, held - 3)
  }

  private grow(least: number): void {
    const [before, most] = [this.counts, this.most]
    this.most = Math.max(2 * most, least)
    this.counts = new Uint32Array(WINDOWS * this.most)
    for (let window = 0; window < WINDOWS; window++)
      this.counts.set(before.subarray(window * most, (window + 1) * most), window * this.most)
  }
}

/** The highest number of a visitor. */
export function topOf(ids: Uint32Array): number {
  let top = 0
  for (let i = 0; i < ids.length; i++) if ((ids[i] as number) > top && ids[i] !== NOTHING) top = ids[i] as number
  return top
}

/** Bytes that are kept. */
const MOST_KEPT = 128 * 1024 * 1024
const kept = new LRUCache<string, ChosenOf>({
  maxSize: MOST_KEPT,
  sizeCalculation: all => [...all.values()].reduce((sum, one) => sum + bytesOf(one), 500),
})
const bytesOf = ({ sessions, visits, ids, idOfWho }: Chosen): number =>
  [sessions, visits, ids, idOfWho].reduce((sum, of) => sum + of.byteLength, 500)
export const NO_NUMBERS = new Uint32Array(0)
const onTheirWay = new Map<string, Promise<ChosenOf | undefined>>()

/**
 * Of all blocks of the question, each of which is kept.
 * @param filters by which it is chosen
 * @returns `undefined` where it can't be told of all of them
 */
export async function chosenOf(
  { blocks: name, range, bots, over, sampled }: Ask,
  filters: readonly Filter[],
  blocks: () => AsyncIterable<Block>,
  choose: Choose,
): Promise<ChosenOf | undefined> {
  // What was done may lie in other blocks.
  if (name === undefined || filters.flatMap(donesOf).length > 0) return undefined
  const key = JSON.stringify([name, range.from, range.to, filters, bots, over, sampled])
  for (;;) {
    const before = kept.get(key)
    if (before) return before
    const other = onTheirWay.get(key)
    if (!other) break
    // If it fails, as who asked is gone, it is chosen for this one.
    const found = await other.then(
      all => ({ all }),
      () => undefined,
    )
    if (found) return found.all
  }
  const own = chooseAll(blocks(), choose)
  onTheirWay.set(key, own)
  try {
    const all = await own
    if (all) kept.set(key, all)
    return all
  } finally {
    onTheirWay.delete(key)
  }
}

async function chooseAll(blocks: AsyncIterable<Block>, choose: Choose): Promise<ChosenOf | undefined> {
  const times = new Times()
  const chosen = new Map<string, (times: Times) => Chosen>()
  for await (const block of blocks) {
    if (block.id !== undefined) chosen.set(block.id, await choose(block, times))
    else if (block.sessions + block.events > 0) return undefined
  }
  const all = new Map<string, Chosen>()
  for (const [id, tell] of chosen) all.set(id, tell(times))
  return all
}
