/**
 * Rows of a row group, by columns. They are held for so long that the garbage collector takes what is held for long-lived: so
 * numbers are held in arrays of numbers, and texts, most of which are the same, by the number of the text.
 */
import type { ColumnSource } from 'hyparquet-writer'
import type { Columns, ColumnType, Row } from './columns.ts'

/** It is written at so many rows, or bytes of text in them. */
const FULL = { rows: 10_000, text: 8 * 1024 * 1024 } as const
/** Number of the text that there is none. */
const NONE = 0

export interface Group {
  /** rows */
  readonly size: number
  readonly isFull: boolean
  /** Only if it is not full. */
  add(row: Row): void
  columnData(): ColumnSource[]
  clear(): void
}

export function createGroup(columns: Columns): Group {
  let size = 0
  let bytes = 0
  const texts: string[] = ['']
  const numbers = new Map<string, number>()
  const numberOf = (text: string): number => {
    const known = numbers.get(text)
    if (known !== undefined) return known
    const number = texts.push(text) - 1
    numbers.set(text, number)
    bytes += Buffer.byteLength(text)
    return number
  }
  const held = Object.entries(columns).map(([name, [type]]) => ({
    name,
    type,
    values: isText(type) ? new Uint32Array(FULL.rows) : new Float64Array(FULL.rows),
  }))
  const heldOf = (type: ColumnType, value: Row[string]): number => {
    if (value === null || value === undefined) return isText(type) ? NONE : Number.NaN
    if (type === 'json') return numberOf(JSON.stringify(value))
    return typeof value === 'string' ? numberOf(value) : Number(value)
  }
  /** As the writer takes them: made when it comes to the column, so that there is one at a time. */
  const dataOf = ({ type, values }: (typeof held)[number]): unknown[] => {
    const data = new Array(size)
    if (isText(type)) {
      // Buffers of Node lie many in one piece of memory; the writer would make of each text one of its own.
      const made: Buffer[] = []
      for (let i = 0; i < size; i++) {
        const number = values[i] as number
        made[number] ??= Buffer.from(texts[number] as string)
        data[i] = number === NONE ? null : made[number]
      }
    } else {
      for (let i = 0; i < size; i++) {
        const value = values[i] as number
        data[i] = Number.isNaN(value) ? null : type === 'number' ? value : BigInt(value)
      }
    }
    return data
  }
  return {
    get size() {
      return size
    },
    get isFull() {
      return size >= FULL.rows || bytes >= FULL.text
    },
    add(row) {
      // A plain loop: this is done for every value.
      for (let i = 0; i < held.length; i++) {
        const { name, type, values } = held[i] as (typeof held)[number]
        values[size] = heldOf(type, row[name] ?? null)
      }
      size++
    },
    columnData: () =>
      held.map(column => ({
        name: column.name,
        get data() {
          return dataOf(column)
        },
        // Bounds let a reader leave groups out: by time that is worth its place, and of most others there is no order.
        statistics: column.type === 'time',
        offsetIndex: false,
      })),
    clear() {
      size = 0
      bytes = 0
      texts.length = 1
      numbers.clear()
    },
  }
}

const isText = (type: ColumnType): boolean => type === 'text' || type === 'json'
