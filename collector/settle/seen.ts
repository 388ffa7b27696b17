/** Which events of a batch are counted: the first claim of an id wins, once and for all collectors. */
import { type Db, MongoBulkWriteError, type ObjectId } from 'mongodb'
import type { JournalEvent, JournalPage } from '../journal/index.ts'
import { KEPT } from '../store/index.ts'
import { documentOf, fieldsOf, insertOf } from './bson.ts'

interface Claim {
  _id: string
  page: ObjectId
  at: Date
  expires: Date
}

export interface Claimed {
  /** page by page, the events to keep: those whose id is owned by their own page, and of these the first with that id in it */
  kept: JournalEvent[][]
  /**
   * Pages of which an id was claimed before, by themselves. Nothing of another page was ever stored, as all claims of a
   * batch come first; that is said of pages whose claims may not have expired.
   */
  tried: Set<JournalPage>
}

/** Claims the ids of all events of these pages. Repeating is harmless. */
export async function claim(db: Db, pages: JournalPage[]): Promise<Claimed> {
  const claims = new Map<string, Claim>()
  const keys = pages.map(({ _id, at, events }) => {
    const [expires, expiresOwn] = [KEPT.seen, KEPT.events].map(kept => new Date(at.getTime() + kept)) as [Date, Date]
    return events.map(event => {
      const key = claimKey(event)
      if (!claims.has(key)) claims.set(key, { _id: key, page: _id, at, expires: event.own ? expiresOwn : expires })
      return key
    })
  })
  const taken = await insertClaims(db, [...claims.values()])
  const events = pages.reduce((sum, page) => sum + page.events.length, 0)
  const tried = new Set<JournalPage>()
  if (taken.size === 0 && claims.size === events) return { kept: pages.map(page => page.events), tried }
  const kept = pages.map((page, p) => {
    const once = new Set<string>()
    return page.events.filter((_, e) => {
      const key = keys[p]?.[e] ?? ''
      const before = taken.get(key)
      if (before?.equals(page._id)) tried.add(page)
      const owner = before ?? claims.get(key)?.page
      return owner?.equals(page._id) === true && !once.has(key) && once.add(key)
    })
  })
  return { kept, tried }
}

/** The name under which an event is counted once: `<site>:<id>`, or `<site>:!<name>:<id>` for a caller's own id. */
export const claimKey = ({ site, name, id, own }: JournalEvent): string =>
  own ? `${site}:!${escaped(name)}:${id}` : `${site}:${id}`

/** So that a name or an id with a colon is never taken for another pair of them. */
const escaped = (name: string): string => name.replaceAll('%', '%25').replaceAll(':', '%3A')

/** Inserts the claims and gives back the owners of those that were there already. */
async function insertClaims(db: Db, claims: Claim[]): Promise<Map<string, ObjectId>> {
  const seen = db.collection<Claim>('seen')
  if (claims.length === 0) return new Map()
  try {
    await insertOf(db.collection('seen'), toBson(claims), {
      ordered: false,
      writeConcern: { w: 'majority', journal: true },
    }).execute()
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

/** Claims of a page differ in their ids alone, mostly. */
function toBson(claims: Claim[]): Uint8Array[] {
  let last: Claim | undefined
  let rest = fieldsOf({})
  return claims.map(claim => {
    const { _id, page, at, expires } = claim
    if (last?.page !== page || last.expires !== expires) rest = fieldsOf({ page, at, expires })
    last = claim
    return documentOf(fieldsOf({ _id }), rest)
  })
}

function duplicates(error: unknown, claims: Claim[]): string[] {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) throw error
  const errors = [error.writeErrors].flat()
  // Without any it is not about a document: the driver puts a lost connection into this error, too.
  if (errors.length === 0 || errors.some(({ code }) => code !== 11000)) throw error
  return errors.flatMap(({ index }) => claims[index]?._id ?? [])
}
