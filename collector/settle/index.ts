/**
 * Settle: open pages of the journal go in; each event comes out once, in the time-series, in its session, and in the
 * deltas of a settled page. It promises that what was acknowledged is counted once, whatever dies.
 */
export { MINUTE_MS } from './deltas.ts'
export { noFence, type RaiseFence, raiseFence, refreshFences, testFence } from './fence.ts'
export { hasWork, type Lane, LaneLost, LEASE_MS, leaseLane, leaseOrphan, release, renew } from './lane.ts'
export type { RawEvent } from './raw.ts'
export type { Session } from './sessions.ts'
export { type Settler, startSettler } from './settler.ts'
