/**
 * Settle: open pages of the journal go in; each event comes out once, in the time-series, in its session, and in the
 * deltas of a settled page. It promises that what was acknowledged is counted once, whatever dies.
 */
export { MINUTE_MS, minuteOf, sumDeltas } from './deltas.ts'
export { noFence, type RaiseFence, raiseFence, refreshFences, TEST_SITE, testFence } from './fence.ts'
export { createHolder } from './holder.ts'
export { HOUR_MS, hourOf } from './hour-grid.ts'
export { sumHours } from './hours.ts'
export {
  hasWork,
  type Lane,
  type LaneDocument,
  LaneLost,
  LEASE_MS,
  lanes,
  leaseLane,
  leaseOrphan,
  noteChange,
  readChanges,
  release,
  renew,
} from './lane.ts'
export { type RawEvent, toRaw } from './raw.ts'
export {
  NO_LANE,
  noteEvent,
  noteRevision,
  type Revised,
  type Revision,
  raiseRevisions,
  readRevisions,
} from './revisions.ts'
export { claimKey } from './seen.ts'
export { applyEvent, openSession, type Session, sessionKey } from './sessions.ts'
export { type Settler, startSettler } from './settler.ts'
export { beginningIn, type Visit } from './visits.ts'
export type { ZoneOf } from './zones.ts'
