/**
 * Rollups: deltas of settled pages go in, packed counters by minute or hour and dimension come out. They promise that each
 * page's deltas are contained once, and that a reader sees every settled page, folded or not.
 */
export { createFolder, type Folder } from './fold.ts'
export { type Minutes, readMinutes } from './read.ts'
export { type HourRange, type Hours, NONE, readHours, TooManyHours } from './read-hours.ts'
export {
  addDelta,
  countersOf,
  emptyRollup,
  fromDocument,
  type Grain,
  OTHER,
  type Place,
  type Rollup,
  type RollupDocument,
  rollupId,
  toDocument,
} from './rollup.ts'
