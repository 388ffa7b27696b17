/**
 * Who was seen in which rows while blocks are scanned, so that each visitor of a row is counted once. Those of the first rows,
 * which mostly have most, are bits; of the others pairs.
 */
import { NOTHING, Places, placeOfId, WINDOWS, windowOfId } from '../columns/index.ts'

/** Pairs of a row and a visitor: at most 72 MB. */
const MOST_PAIRS = 3_000_000
/** There are fewer visitors, so that a row and a visitor are one number below 2⁵³. */
const VISITORS = 2 ** 27
/** Rows whose visitors are bits, where these take no more bytes. */
export const FEW_ROWS = 512
const MOST_BITS = 32 * 1024 * 1024
/** Rows that bits are made for at first. */
const ROWS_AT_FIRST = 8

/** Bits that nobody needs any more, all 0, the longest last: to make them anew takes more time than to use them. */
const spare: Uint32Array[] = []
/** Of two questions. */
const MOST_SPARE = 2 * MOST_BITS
/** Words that the bits of a window had at most so far, so that they are not made too small. */
let usual = 8

function takeBits(length: number): Uint32Array {
  const place = spare.findIndex(held => held.length >= length)
  const [held] = place < 0 ? [] : spare.splice(place, 1)
  return held ?? new Uint32Array(length)
}

/** The longest are kept, as shorter ones are of no use to most questions. @param used how many of them may not be 0 */
function giveBack(bits: Uint32Array, used: number): void {
  if (bits.length === 0) return
  const place = spare.findIndex(held => held.length > bits.length)
  spare.splice(place < 0 ? spare.length : place, 0, bits.fill(0, 0, used))
  while (spare.reduce((sum, held) => sum + held.byteLength, 0) > MOST_SPARE) spare.shift()
}

/** {@link FEW_ROWS}, but fewer where their bits would take too much, and always one. */
const rowsFor = (words: number): number =>
  Math.max(1, Math.min(FEW_ROWS, Math.floor(MOST_BITS / (4 * WINDOWS * words)) - 1))

/**
 * Notes a visitor in a row of {@link Bits}. Without a branch that nobody can foretell: this is the innermost of all lists.
 * @returns 1 of who was not seen in it before, else 0
 */
export function noteIn(bits: Uint32Array, rows: number, words: number, row: number, id: number): number {
  const word = Math.imul(Math.imul(windowOfId(id), rows) + row, words) + (placeOfId(id) >>> 5)
  const shift = placeOfId(id) & 31
  const before = bits[word] as number
  bits[word] = before | (1 << shift)
  return ((before >>> shift) & 1) ^ 1
}

/** @param room of a window, rows that are counted */
function countBits(
  bits: Uint32Array,
  counted: Float64Array,
  places: Int32Array,
  ids: Uint32Array,
  length: number,
  room: number,
  words: number,
  bitsOfGroup: number,
): void {
  const [rows, behind] = [room + 1, room << bitsOfGroup]
  const other = counted[behind]
  for (let i = 0; i < length; i++) {
    const id = ids[i] as number
    if (id === NOTHING) continue
    const beyond = (places[i] as number) - behind
    const place = behind + (beyond & (beyond >> 31))
    counted[place] = (counted[place] as number) + noteIn(bits, rows, words, place >>> bitsOfGroup, id)
  }
  if (other !== undefined) counted[behind] = other
}

/** Of each window {@link rows} rows, and of each of these {@link words} words, in which the places of visitors are bits. */
export interface Bits {
  bits: Uint32Array
  /** the last one is of whatever is not counted */
  rows: number
  words: number
}

export interface Seen {
  /**
   * Counts visitors in the rows beside them, {@link NOTHING} left out.
   * @param counted by place, which is that of a row times the groups, and the group
   * @param held how many rows there are by now @throws TooManyDifferent
   */
  count(counted: Float64Array, places: Int32Array, ids: Uint32Array, length: number, held: number): void
  /**
   * Where those who are seen are noted by somebody else.
   * @param held how many rows there are by now @param top highest number of a visitor
   * @returns `undefined` where there are too many rows
   */
  bitsFor(held: number, top: number): Bits | undefined
  /** whether all visitors of the row were counted */
  isCounted(row: number): boolean
  /** Nothing is counted any more. */
  end(): void
}

/**
 * @param few visitors are counted only in the first so many rows, at most {@link FEW_ROWS}
 * @param groups of a row, a power of two: a visitor is in one of them
 */
export function startSeen(few: number | undefined, groups: number): Seen {
  const bitsOfGroup = Math.log2(groups)
  const pairs = new Places(MOST_PAIRS)
  /** of all rows those of one window lie together, so that a block, which has a few of these, finds them near */
  let bits: Uint32Array = new Uint32Array(0)
  /** of a row in a window */
  let words = usual
  /** rows that bits may be made for */
  let most = Math.min(few ?? FEW_ROWS, rowsFor(words))
  /** rows that they are made for; behind these lies one more, in which all others are seen and nobody is counted */
  let room = 0
  /** who came last in a row without bits: what one does, one does several times in a row */
  let last = new Uint32Array(0)

  const size = (): number => WINDOWS * (room + 1) * words
  const end = (): void => {
    giveBack(bits, size())
    bits = new Uint32Array(0)
    room = 0
  }
  const grow = (rows: number, least: number): void => {
    const before = { bits, words, room, size: size() }
    words = Math.max(usual, least > words ? least + (least >>> 2) : words)
    usual = words
    // What was counted of a row goes on, unless another scan counts it anyway.
    most = few === undefined ? Math.max(room, rowsFor(words)) : Math.min(most, rowsFor(words))
    while (room < Math.min(rows, most)) room = Math.max(ROWS_AT_FIRST, 2 * room)
    room = Math.min(room, most)
    bits = takeBits(size())
    for (let window = 0; before.bits.length > 0 && window < WINDOWS; window++) {
      for (let row = 0; row < Math.min(room, before.room); row++) {
        const begin = (window * (before.room + 1) + row) * before.words
        bits.set(before.bits.subarray(begin, begin + before.words), (window * (room + 1) + row) * words)
      }
    }
    giveBack(before.bits, before.size)
  }

  const countPairs = (counted: Float64Array, places: Int32Array, ids: Uint32Array, length: number): void => {
    for (let i = 0; i < length; i++) {
      const place = places[i] as number
      const [row, id] = [place >>> bitsOfGroup, ids[i] as number]
      if (row < room || id === NOTHING || last[row] === id) continue
      last[row] = id
      if (pairs.add(row * VISITORS + id)) counted[place] = (counted[place] as number) + 1
    }
  }

  const makeRoom = (held: number, top: number): void => {
    const least = (placeOfId(top) >>> 5) + 1
    if (least > words || room < Math.min(held, most)) grow(held, least)
  }

  return {
    bitsFor(held, top) {
      makeRoom(held, top)
      return few === undefined && held > room ? undefined : { bits, rows: room + 1, words }
    },
    count(counted, places, ids, length, held) {
      let top = 0
      for (let i = 0; i < length; i++) {
        const id = ids[i] as number
        if (id > top && id !== NOTHING) top = id
      }
      makeRoom(held, top)
      countBits(bits, counted, places, ids, length, room, words, bitsOfGroup)
      if (few !== undefined || held <= room) return
      if (held > last.length) {
        const grown = new Uint32Array(2 * held).fill(NOTHING)
        grown.set(last)
        last = grown
      }
      countPairs(counted, places, ids, length)
    },
    isCounted: row => few === undefined || row < room,
    end,
  }
}
