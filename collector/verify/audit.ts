/** What was repaired: one document a repair, for ever. */
import type { ClientSession, Db, ObjectId } from 'mongodb'
import type { Kind } from './kinds.ts'

export interface Audit {
  _id: ObjectId
  at: Date
  kind: Kind
  site: string
  /** id of what was mended, as in the report */
  what: string
  /** the document before and after; `null` where there was, or is, none */
  before: unknown
  after: unknown
}

/** Written with the repair, in its transaction, where there is one. */
export async function writeAudit(
  db: Db,
  entry: Pick<Audit, 'kind' | 'site' | 'what' | 'before' | 'after'>,
  session?: ClientSession,
): Promise<void> {
  const options = session ? { session } : { writeConcern: { w: 'majority', journal: true } as const }
  await db.collection('audit').insertOne({ at: new Date(), ...entry }, options)
}
