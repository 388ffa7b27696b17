/**
 * Pages that this process has just written, so that they need not be read back: reading and decoding them was a quarter
 * of what settle cost. Only a short cut: which pages are open is always asked of the database.
 */
import type { Collection, ObjectId } from 'mongodb'
import { fromStored, type JournalPage, type StoredPage } from '../journal/index.ts'

/**
 * What is held at most, bytes as estimated by intake: two batches. Past it the older pages stay, as they come next;
 * holding more made the garbage collector copy what only waits.
 */
const MOST_BYTES = 4 * 1024 * 1024

export interface FreshPages {
  add(page: JournalPage, bytes: number): void
  /** The pages with these ids, in their order, from memory or else from the collection. Those given out are let go. */
  take(journal: Collection<StoredPage>, ids: ObjectId[]): Promise<JournalPage[]>
}

export function holdFreshPages(): FreshPages {
  const held = new Map<string, { page: JournalPage; bytes: number }>()
  let total = 0
  const letGo = (id: string): JournalPage | undefined => {
    const entry = held.get(id)
    if (!entry) return undefined
    held.delete(id)
    total -= entry.bytes
    return entry.page
  }
  return {
    add(page, bytes) {
      if (total + bytes > MOST_BYTES) return
      held.set(page._id.toHexString(), { page, bytes })
      total += bytes
    },
    async take(journal, ids) {
      const pages = new Map(ids.map(id => [id.toHexString(), letGo(id.toHexString())]))
      const missing = ids.filter(id => !pages.get(id.toHexString()))
      if (missing.length > 0) {
        const read = journal.find({ _id: { $in: missing } }, { readConcern: { level: 'majority' } })
        for await (const page of read) pages.set(page._id.toHexString(), fromStored(page))
      }
      return [...pages.values()].flatMap(page => page ?? [])
    },
  }
}
