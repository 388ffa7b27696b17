/**
 * Takes a measurement out of a bucket of the time-series, for servers that can't delete one (before 7.0). Tried on
 * 6.0.5: writes to `system.buckets.events` are taken, also in transactions, and make the server close a bucket that it
 * still fills. The bucket is written anew, uncompressed (version 1), which the server reads beside compressed ones.
 */
import type { Document, ObjectId } from 'mongodb'
import { writeAudit } from './audit.ts'
import type { Raw } from './claims.ts'
import { inTransaction, type Scope } from './scope.ts'

type Bucket = Document & { _id: ObjectId; control: Document; meta: Document }

/** One hour, as the collection's granularity is seconds. */
const UNPACK = { $_internalUnpackBucket: { timeField: 'ts', metaField: 'meta', bucketMaxSpanSeconds: 3_600 } }

export const removeFromBucket = (
  scope: Scope,
  { _id, ts, meta }: Raw,
  audit: Parameters<typeof writeAudit>[1],
): Promise<boolean> =>
  inTransaction(scope, meta.site, async ({ session }) => {
    const buckets = scope.db.collection<Bucket>('system.buckets.events')
    const held = { 'control.min._id': { $lte: _id }, 'control.max._id': { $gte: _id } }
    const times = { 'control.min.ts': { $lte: ts }, 'control.max.ts': { $gte: ts } }
    const filter = { 'meta.site': meta.site, 'meta.name': meta.name, ...held, ...times }
    for (const bucket of await buckets.find(filter, { session }).toArray()) {
      const all = await buckets.aggregate([{ $match: { _id: bucket._id } }, UNPACK], { session }).toArray()
      const place = all.findIndex(measurement => _id.equals(measurement._id as ObjectId))
      if (place === -1) continue
      const rest = all.toSpliced(place, 1)
      if (rest.length === 0) await buckets.deleteOne({ _id: bucket._id }, { session })
      else await buckets.replaceOne({ _id: bucket._id }, packed(bucket, rest), { session })
      await writeAudit(scope.db, audit, session)
      return true
    }
    return false
  })

/** The bounds in `control` stay: they may be wider than what is left. */
function packed({ _id, control, meta }: Bucket, measurements: Document[]): Bucket {
  const { count: _, ...bounds } = control
  const data: Record<string, Record<string, unknown>> = {}
  measurements.forEach(({ meta: _, ...fields }, i) => {
    for (const [field, value] of Object.entries(fields)) {
      data[field] ??= {}
      data[field][i] = value
    }
  })
  return { _id, control: { ...bounds, version: 1 }, meta, data }
}
