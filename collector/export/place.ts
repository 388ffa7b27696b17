/** Where a row lies in the order of all: by time, then by id, and of events by name, as ids of one's own are unique per name. */
import { readTime } from '../sites/index.ts'

export interface Place {
  /** ms */
  time: number
  /** empty: before all rows of this ms */
  id: string
  name: string
}

/** In the order of mongod: texts by their bytes in UTF-8. */
export const compare = (a: Place, b: Place): number =>
  a.time - b.time || compareTexts(a.id, b.id) || compareTexts(a.name, b.name)

const compareTexts = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)))

/** As the first columns of a row, so that whoever has a row has its place: `["2026-03-01T10:00:00.123Z","id","name"]`. */
export const toCursor = ({ time, id, name }: Place): string =>
  JSON.stringify([new Date(time).toISOString(), ...(id ? [id] : []), ...(name ? [name] : [])])

/** @returns `undefined` where it is none */
export function fromCursor(text: string): Place | undefined {
  let parts: unknown
  try {
    parts = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(parts) || parts.length > 3 || !parts.every(part => typeof part === 'string')) return undefined
  const [at = '', id = '', name = ''] = parts as string[]
  const time = readTime(at, 'UTC')
  return time === undefined || !Number.isSafeInteger(time) ? undefined : { time, id, name }
}
