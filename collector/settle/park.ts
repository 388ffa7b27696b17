import type { Db } from 'mongodb'
import type { Unstorable } from './raw.ts'
import { claimKey } from './seen.ts'

/** Sets aside events that can't be stored, so that the rest goes on; `doctor` counts them. */
export async function park(db: Db, unstorable: Unstorable[]): Promise<void> {
  const documents = unstorable.map(({ event, page, error }) => ({
    _id: `${page.toHexString()}:${claimKey(event)}`,
    site: event.site,
    at: new Date(),
    page,
    error,
    event: JSON.stringify(event),
  }))
  const updates = documents.map(({ _id, ...rest }) => ({
    updateOne: { filter: { _id }, update: { $setOnInsert: rest }, upsert: true },
  }))
  await db
    .collection<{ _id: string }>('parked')
    .bulkWrite(updates, { ordered: false, writeConcern: { w: 'majority', journal: true } })
}
