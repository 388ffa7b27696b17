/**
 * Pages that this process has just written, so that they need not be read back: reading and decoding them was a quarter
 * of what settle cost. Only a short cut: which pages are open is always asked of the database.
 */
import { BSON, type Collection, type FindCursor, type ObjectId } from 'mongodb'
import { fromStored, type JournalPage, type StoredPage } from '../journal/index.ts'

/**
 * What is held at most, bytes as estimated by intake: a batch. Past it the older pages stay, as they come next;
 * holding more made the garbage collector copy what only waits.
 */
const MOST_BYTES = 4 * 1024 * 1024

/** What is read of the collection for one batch, bytes: events may be a hundred times as large as they mostly are. */
const MOST_READ = 16 * 1024 * 1024

export interface FreshPages {
  add(page: JournalPage, bytes: number): void
  /**
   * The pages with these ids, in their order, from memory or else from the collection: not all of them where they are
   * large. Those given out are let go.
   */
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
        // With the option `raw` documents are buffers, which the driver's types do not know.
        const options = { readConcern: { level: 'majority' }, raw: true } as const
        const read = journal.find({ _id: { $in: missing } }, options).sort({ _id: 1 }) as unknown as FindCursor<Buffer>
        let bytes = 0
        for await (const document of read) {
          const page = fromStored(BSON.deserialize(document) as StoredPage)
          pages.set(page._id.toHexString(), page)
          bytes += document.length
          if (bytes > MOST_READ) break
        }
      }
      return [...pages.values()].flatMap(page => page ?? [])
    },
  }
}
