/** The last ticks of a room, so that a browser that lost its connection gets what it missed. Bounded in bytes. */
import { randomBytes } from 'node:crypto'

const MOST_BYTES = 1024 * 1024

export interface Sent {
  id: string
  data: string
}

export interface Record {
  add(data: string): string
  lastId(): string
  /** What came after this id; `undefined` when that is no longer (or was never) held. */
  after(id: string): Sent[] | undefined
}

export function createRecord(): Record {
  // Ids of another room or of a collector that is gone must not match.
  const name = randomBytes(6).toString('base64url')
  const sent: Sent[] = []
  let bytes = 0
  let last = 0
  return {
    add(data) {
      const id = `${name}.${++last}`
      sent.push({ id, data })
      bytes += data.length * 2
      while (bytes > MOST_BYTES) bytes -= (sent.shift()?.data.length ?? 0) * 2
      return id
    },
    lastId: () => `${name}.${last}`,
    after(id) {
      if (!id.startsWith(`${name}.`)) return undefined
      const missing = last - Number(id.slice(name.length + 1))
      if (!(missing >= 0 && missing <= sent.length)) return undefined
      return missing === 0 ? [] : sent.slice(-missing)
    },
  }
}
