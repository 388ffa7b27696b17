/**
 * Export: the record goes out again. Events and sessions of a range as rows in a stable order, in three formats, from any row
 * on; and the feed, which tells each event once as it is counted. It promises memory that does not grow with what is asked
 * for or with how slowly it is read, and that what is taken up again has all and nothing twice.
 */
export { type Columns, type ColumnType, EVENT_COLUMNS, SESSION_COLUMNS } from './columns.ts'
export { CursorExpired, checkCursor, follow, readEnd, type Told } from './feed.ts'
export { feedCursor, fromFeedCursor } from './feed-cursor.ts'
export { FORMATS, type Format } from './formats.ts'
export { fromCursor, toCursor } from './place.ts'
export { type Asked, COLUMNS, endOfPart, KINDS, type Kind, readRows } from './read.ts'
