/**
 * Rows of a row group, by columns. They are held for so long that the garbage collector would take them for long-lived, and
 * leave them for long: so none is held as an object, but numbers in arrays of numbers and texts as bytes of one buffer.
 */
import type { ColumnSource } from 'hyparquet-writer'
import type { Columns, ColumnType, Row } from './columns.ts'

/** It is written at so many rows, or bytes of text. */
const FULL = { rows: 10_000, text: 8 * 1024 * 1024 } as const
/** Of a column, so many texts are held once for the whole file, no longer ones than this: most come again. */
const KNOWN = { texts: 256, length: 256 } as const
/** Bytes before a text that say how long it is. */
const PREFIX = 4

export interface Group {
  /** rows */
  readonly size: number
  readonly isFull: boolean
  /** Only if it is not full. */
  add(row: Row): void
  columnData(): ColumnSource[]
  clear(): void
}

interface Held {
  set(i: number, value: Row[string]): void
  /** As the writer takes them. */
  data(size: number): unknown[]
}

export function createGroup(columns: Columns): Group {
  const space = createSpace()
  const names = Object.keys(columns)
  const held = Object.values(columns).map(([type]) =>
    type === 'text' || type === 'json' ? holdTexts(space) : holdNumbers(type),
  )
  let size = 0
  return {
    get size() {
      return size
    },
    get isFull() {
      return size >= FULL.rows || space.used() >= FULL.text
    },
    add(row) {
      // A plain loop: this is done for every value.
      for (let i = 0; i < names.length; i++) held[i]?.set(size, row[names[i] as string] ?? null)
      size++
    },
    columnData: () =>
      Object.entries(columns).map(([name, [type]], i) => ({
        name,
        // Made when the writer comes to the column, so that there is one at a time.
        get data() {
          return held[i]?.data(size) ?? []
        },
        // Bounds let a reader leave groups out: by time that is worth its place, and of most others there is no order.
        statistics: type === 'time',
        offsetIndex: false,
      })),
    clear() {
      size = 0
      space.clear()
    },
  }
}

/** NaN where there is none. */
function holdNumbers(type: ColumnType): Held {
  const values = new Float64Array(FULL.rows)
  const storedOf = type === 'number' ? (value: number) => value : BigInt
  return {
    set(i, value) {
      values[i] = value === null ? Number.NaN : Number(value)
    },
    data: size =>
      Array.from({ length: size }, (_, i) => (Number.isNaN(values[i]) ? null : storedOf(values[i] as number))),
  }
}

/** By number: 0 where there is none, then the known ones, then places in the space. */
function holdTexts(space: Space): Held {
  const values = new Uint32Array(FULL.rows)
  const numbers = new Map<string, number>()
  const known: (Buffer | null)[] = [null]
  const numberOf = (text: string): number => {
    const number = numbers.get(text)
    if (number !== undefined) return number
    if (known.length > KNOWN.texts || text.length > KNOWN.length) return KNOWN.texts + 1 + space.add(text)
    numbers.set(text, known.length)
    return known.push(Buffer.from(text)) - 1
  }
  return {
    set(i, value) {
      values[i] = value === null ? 0 : numberOf(typeof value === 'string' ? value : JSON.stringify(value))
    },
    data: size =>
      Array.from({ length: size }, (_, i) => {
        const number = values[i] as number
        return number <= KNOWN.texts ? known[number] : space.at(number - KNOWN.texts - 1)
      }),
  }
}

interface Space {
  /** bytes */
  used(): number
  /** @returns its place */
  add(text: string): number
  /** As long as the space is not cleared. */
  at(place: number): Buffer
  clear(): void
}

function createSpace(): Space {
  let bytes = Buffer.allocUnsafe(64 * 1024)
  let used = 0
  return {
    used: () => used,
    add(text) {
      // Of one unit of UTF-16, at most three bytes.
      const most = used + PREFIX + text.length * 3
      if (most > bytes.length) bytes = Buffer.concat([bytes.subarray(0, used)], Math.max(most, bytes.length * 2))
      const place = used
      const length = bytes.write(text, place + PREFIX)
      bytes.writeUInt32LE(length, place)
      used += PREFIX + length
      return place
    },
    at: place => bytes.subarray(place + PREFIX, place + PREFIX + bytes.readUInt32LE(place)),
    clear() {
      used = 0
    },
  }
}
