/** Rows by text: each text of a question is looked for once, and not in every block. */
import type { ColumnName } from '../columns/index.ts'

/** Texts of a column, numbered the same in all blocks. */
interface Dictionary {
  places: Map<string, number>
  /** by the texts of a block's column */
  ids: WeakMap<readonly string[], Uint32Array>
}

/** Of all columns; then they begin anew. */
const MOST_TEXTS = 500_000
let count = 0
const dictionaries = new Map<ColumnName, Dictionary>()

/** Rows that were found for the texts of a column in the blocks before, so that each text is looked for once. */
export interface Found {
  /** Writes by code what was found. */
  copyTo(dense: Int32Array): void
  /** Notes what was found for a code. */
  found(code: number, value: number): void
}

/** @returns what gives {@link Found}, for one answer */
export function startFinding(): (bucket: number, column: ColumnName, texts: readonly string[]) => Found | undefined {
  const found = new Map<string, { dictionary: Dictionary; rows: Int32Array }>()
  return (bucket, column, texts) => {
    const dictionary = dictionaryOf(column, texts)
    const ids = dictionary.ids.get(texts)
    if (!ids) return undefined
    const key = `${bucket} ${column}`
    let held = found.get(key)
    if (held?.dictionary !== dictionary) held = { dictionary, rows: new Int32Array(1_024) }
    if (held.rows.length < dictionary.places.size) {
      const rows = new Int32Array(2 * dictionary.places.size)
      rows.set(held.rows)
      held.rows = rows
    }
    found.set(key, held)
    const { rows } = held
    return {
      copyTo(dense) {
        for (let code = 0; code < ids.length; code++) dense[code] = rows[ids[code] as number] as number
      },
      found(code, value) {
        // Beside the texts there is a code for what has no session.
        if (code < ids.length) rows[ids[code] as number] = value
      },
    }
  }
}

function dictionaryOf(column: ColumnName, texts: readonly string[]): Dictionary {
  let held = dictionaries.get(column)
  if (count > MOST_TEXTS) {
    dictionaries.clear()
    count = 0
    held = undefined
  }
  if (!held) {
    held = { places: new Map(), ids: new WeakMap() }
    dictionaries.set(column, held)
  }
  const { places, ids } = held
  if (!ids.has(texts)) {
    const of = Uint32Array.from(texts, text => {
      const known = places.get(text)
      if (known !== undefined) return known
      count++
      places.set(text, places.size)
      return places.size - 1
    })
    ids.set(texts, of)
  }
  return held
}
