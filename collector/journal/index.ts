/**
 * The journal: the log of accepted events. In come checked events, out go durable pages, which settle reads and a
 * change stream carries to the live views. It promises that `append` resolves only when the events are on disk at a
 * majority, and that what waits never takes more than its bound.
 */
export { campaignOf, isImpressionOrClick } from './campaign.ts'
export * from './dimensions.ts'
export { compile, type Own, objectOf, SHARED, type Shared } from './fields.ts'
export * from './hours.ts'
export * from './page.ts'
export * from './properties.ts'
export * from './stored.ts'
export { createJournal, type Journal, JournalError } from './writer.ts'
