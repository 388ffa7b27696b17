/** Counts what was rejected and keeps the counts in the capped collection `rejects`: by site, name and reason, never values. */
import type { Db } from 'mongodb'
import type { Reason } from './reasons.ts'

const FLUSH_MS = 5_000
/** Different kinds counted between two writes; beyond, the name is left out. */
const MOST_KINDS = 1_000

export interface Rejects {
  add(site: string, name: string, reason: Reason): void
  close(): Promise<void>
}

interface Kind {
  site: string
  name: string
  reason: Reason
  n: number
}

export function countRejects(db: Db, failed: (error: unknown) => void): Rejects {
  let kinds = new Map<string, Kind>()
  const flush = async (): Promise<void> => {
    if (kinds.size === 0) return
    const at = new Date()
    const documents = [...kinds.values()].map(kind => ({ at, ...kind }))
    kinds = new Map()
    await db.collection('rejects').insertMany(documents).catch(failed)
  }
  const timer = setInterval(() => void flush(), FLUSH_MS).unref()
  return {
    add(site, name, reason) {
      const kept = kinds.size < MOST_KINDS ? name : ''
      const key = `${site} ${reason} ${kept}`
      const kind = kinds.get(key)
      if (kind) kind.n++
      else if (kinds.size < 2 * MOST_KINDS) kinds.set(key, { site, name: kept, reason, n: 1 })
    },
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}
