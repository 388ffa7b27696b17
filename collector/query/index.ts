/**
 * Query: questions of the API go in, counts come out, with how they were made. `ask.ts` answers the query API: a body becomes
 * a checked query, that becomes asks, and each is answered by the cheapest engine that can.
 */
export { askAhead } from './ahead.ts'
export * from './analyses/index.ts'
export * from './ask.ts'
export { beginOf } from './begin.ts'
export { faultOf } from './computing.ts'
export * from './consents.ts'
export type { Ask, Engine, Row, Rows } from './engine.ts'
export { createKept, type Turn } from './kept.ts'
export { type Fault, QueryError } from './query.ts'
export * from './records.ts'
export { Filter, QueryAnswer, QueryBody } from './schema.ts'
export * from './stats.ts'
export { createThreads } from './threads/threads.ts'
export { shareReads, startWork } from './work.ts'
