/**
 * Columns: sessions and events of finished days go in, blocks come out, in which each attribute is a column of its own that is
 * scanned in memory. What has no block that holds is read from sessions and events, so that answers are the same from either. Goals that were made later are in both.
 */
export { type Block, type Column, type ColumnName, columnOf, EVENT_FIELDS, type Rows, SESSION_FIELDS } from './block.ts'
export { type Blocks, ColumnsGone, createBlocks, type Found } from './blocks.ts'
export { createBlockBuilder } from './builder.ts'
export { Places, TooManyDifferent } from './distinct.ts'
export { Growing, NOTHING, type Numbers } from './numbers.ts'
export { type Progress, readProgress } from './progress.ts'
export { TooMuchRaw } from './read-raw.ts'
export { TALLIES, type TallyField, tallied, tallyColumns } from './tally.ts'
export { BITS_OF_WINDOW, idOfPlace, placeOfId, WINDOWS, windowOfId } from './visitors.ts'
export { buildBlocks } from './write.ts'
