/**
 * Rollups: deltas of settled pages go in, packed counters by minute or hour and dimension come out. They promise that each
 * page's deltas are contained once, and that a reader sees every settled page, folded or not. Hours become days, weeks and
 * months when these are over, and answers are the same from either.
 */

export { NONE, OTHER } from '../journal/index.ts'
export { buildSpan, type ClosedSpan, closeSpan } from './close.ts'
export { CLOSED_GRAINS, type ClosedDocument, type ClosedGrain, closedId, fromClosed, gapsBetween } from './closed.ts'
export { createCloser } from './closer.ts'
export { createFolder, type Folder } from './fold.ts'
export { fewUnfolded } from './hour-sources.ts'
export { createPass, LATE_MS, PACE, type Pace, type Pass, type PassParts } from './passes.ts'
export { type Minutes, readMinutes } from './read.ts'
export {
  type HourRange,
  type Hours,
  readHours,
  readPlace,
  readSums,
  shareChanges,
  TooManyHours,
  UnfitHours,
} from './read-hours.ts'
export {
  addDelta,
  countersOf,
  emptyRollup,
  fromDocument,
  type Grain,
  isOther,
  otherOf,
  type Place,
  type Rollup,
  type RollupDocument,
  rollupId,
  toDocument,
} from './rollup.ts'
export { isStale, noteMended, type Position, readTouches, type TouchDocument, type TouchedHour } from './touch.ts'
