/**
 * Rollups: deltas of settled pages go in, packed counters by minute and dimension come out. They promise that each
 * page's deltas are contained once, and that a reader sees every settled page, folded or not.
 */
export { createFolder, type Folder } from './fold.ts'
export { type Minutes, readMinutes } from './read.ts'
export {
  addDelta,
  emptyRollup,
  fromDocument,
  OTHER,
  type Rollup,
  type RollupDocument,
  rollupId,
  toDocument,
} from './rollup.ts'
