/** Mends the raw record and its claims. */
import { MongoServerError, ObjectId } from 'mongodb'
import type { JournalEvent } from '../journal/index.ts'
import { claimKey, NO_LANE, noteEvent, type RawEvent, type Revised, raiseRevisions, toRaw } from '../settle/index.ts'
import { KEPT } from '../store/index.ts'
import { writeAudit } from './audit.ts'
import { removeFromBucket } from './buckets.ts'
import type { Claim, Raw } from './claims.ts'
import { inTransaction, type Scope } from './scope.ts'

const DURABLE = { writeConcern: { w: 'majority', journal: true } } as const

/** Takes one raw event out of the time-series. */
export async function removeExtra(scope: Scope, extra: Raw): Promise<boolean> {
  const { db } = scope
  const events = db.collection<RawEvent>('events')
  const same = { _id: extra._id, ts: extra.ts, 'meta.site': extra.meta.site }
  const before = await events.findOne(same)
  if (!before) return false
  const audit = { kind: 'event-doubled', site: extra.meta.site, what: extra.id, before, after: null } as const
  const copies = await events.countDocuments(same)
  if (!(await canDelete(scope, extra))) return await removeFromBucket(scope, extra, audit)
  // Copies with the same `_id` go together: so one with another `_id` is there before.
  if (copies > 1) {
    const { _id, ...rest } = before
    await events.insertMany(
      Array.from({ length: copies - 1 }, () => ({ ...rest })),
      DURABLE,
    )
  }
  await events.deleteMany(same, DURABLE)
  await writeAudit(db, audit)
  return true
}

/** Servers before 7.0 delete from a time-series by `meta` only. Asked with an `_id` that is nowhere. */
const canDelete = ({ db }: Scope, { ts, meta }: Raw): Promise<boolean> =>
  db
    .collection<RawEvent>('events')
    .deleteMany({ _id: new ObjectId(), ts, 'meta.site': meta.site })
    .then(
      () => true,
      error => {
        if (error instanceof MongoServerError) return false
        throw error
      },
    )

/** Puts an event back as settle stored it, and its claim where that is gone, so that it is not counted again. */
export async function restoreEvent({ db }: Scope, event: JournalEvent, page: ObjectId): Promise<boolean> {
  const raw = toRaw(event, page)
  const at = page.getTimestamp()
  const expires = new Date(+at + (event.own ? KEPT.events : KEPT.seen))
  await db
    .collection<Claim>('seen')
    .updateOne({ _id: claimKey(event) }, { $setOnInsert: { page, at, expires } }, { upsert: true, ...DURABLE })
  await db.collection<RawEvent>('events').insertOne(raw, DURABLE)
  // What was sketched without it is sketched anew.
  const revised: Revised = new Map()
  noteEvent(revised, event)
  await raiseRevisions(db, NO_LANE, revised)
  await writeAudit(db, { kind: 'event-lost', site: event.site, what: event.id, before: null, after: raw })
  return true
}

/** The event may come again then: nothing shows that it ever came. */
export const deleteClaim = (scope: Scope, site: string, claim: Claim): Promise<boolean> =>
  inTransaction(scope, site, async ({ session }) => {
    const { _id, page } = claim
    const { deletedCount } = await scope.db.collection<Claim>('seen').deleteOne({ _id, page }, { session })
    if (deletedCount === 0) return false
    await writeAudit(scope.db, { kind: 'seen-orphan', site, what: _id, before: claim, after: null }, session)
    return true
  })
