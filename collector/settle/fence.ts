/**
 * The place of the session fence (DESIGN §1, step 2): with it, all inserts into the time-series of one epoch go through
 * one driver session with the lane's `sid` and a transaction number that grows with the epoch, so that the server itself
 * refuses what a collector sends that slept past its lease. `settler.ts` takes the options of every such insert from here.
 *
 * What holds without it: an epoch in the transaction keeps counters, sessions and settle numbers exact even then. Only
 * a raw event can be doubled, and only where two collectors work on one lane at the same moment.
 */
import type { BulkWriteOptions } from 'mongodb'

/** Options of an insert into the time-series. Unordered: one event that can't be stored must not stop the others. */
export const insertOptions = (): BulkWriteOptions => ({
  ordered: false,
  writeConcern: { w: 'majority', journal: true },
})
