/** Which events of a batch are counted: the first claim of an id wins, once and for all collectors. */
import { type Db, MongoBulkWriteError, type ObjectId } from 'mongodb'
import type { JournalEvent, JournalPage } from '../journal/index.ts'
import { KEPT } from '../store/index.ts'

interface Claim {
  _id: string
  page: ObjectId
  at: Date
  expires: Date
}

/**
 * Claims the ids of all events of these pages and gives back, page by page, the events to keep: those whose id is owned
 * by their own page, and of these the first with that id in it. Repeating is harmless.
 */
export async function claim(db: Db, pages: JournalPage[]): Promise<JournalEvent[][]> {
  const claims = new Map<string, Claim>()
  const keys = pages.map(page =>
    page.events.map(event => {
      const key = claimKey(event)
      if (!claims.has(key)) claims.set(key, toClaim(key, event, page))
      return key
    }),
  )
  const taken = await insertClaims(db, [...claims.values()])
  const events = pages.reduce((sum, page) => sum + page.events.length, 0)
  if (taken.size === 0 && claims.size === events) return pages.map(page => page.events)
  return pages.map(({ _id, events }, p) => {
    const kept = new Set<string>()
    return events.filter((_, e) => {
      const key = keys[p]?.[e] ?? ''
      const owner = taken.get(key) ?? claims.get(key)?.page
      return owner?.equals(_id) === true && !kept.has(key) && kept.add(key)
    })
  })
}

/** The name under which an event is counted once: `<site>:<id>`, or `<site>:!<name>:<id>` for a caller's own id. */
export const claimKey = ({ site, name, id, own }: JournalEvent): string =>
  own ? `${site}:!${escaped(name)}:${id}` : `${site}:${id}`

/** So that a name or an id with a colon is never taken for another pair of them. */
const escaped = (name: string): string => name.replaceAll('%', '%25').replaceAll(':', '%3A')

const toClaim = (key: string, { own }: JournalEvent, { _id, at }: JournalPage): Claim => ({
  _id: key,
  page: _id,
  at,
  expires: new Date(+at + (own ? KEPT.events : KEPT.seen)),
})

/** Inserts the claims and gives back the owners of those that were there already. */
async function insertClaims(db: Db, claims: Claim[]): Promise<Map<string, ObjectId>> {
  const seen = db.collection<Claim>('seen')
  if (claims.length === 0) return new Map()
  try {
    await seen.insertMany(claims, { ordered: false, writeConcern: { w: 'majority', journal: true } })
    return new Map()
  } catch (error) {
    const taken = duplicates(error, claims)
    const owners = await seen
      .find({ _id: { $in: taken } }, { projection: { page: 1 }, readConcern: { level: 'majority' } })
      .toArray()
    // An owner that a majority does not have yet would be taken for this page.
    if (owners.length < taken.length) throw new Error('the owners of some ids can not be read yet')
    return new Map(owners.map(({ _id, page }) => [_id, page]))
  }
}

function duplicates(error: unknown, claims: Claim[]): string[] {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) throw error
  const errors = [error.writeErrors].flat()
  // Without any it is not about a document: the driver puts a lost connection into this error, too.
  if (errors.length === 0 || errors.some(({ code }) => code !== 11000)) throw error
  return errors.flatMap(({ index }) => claims[index]?._id ?? [])
}
