/**
 * Live: pages of the journal come in by one change stream, messages for viewers (`messages.ts`) go out by server-sent events.
 * It promises that counters are exact at every moment (a snapshot, then only what came after it) and that the memory of a
 * room, and of a viewer, is bounded.
 */
export { createHub, type Hub } from './hub.ts'
export { startSse } from './sse.ts'
export type { CountVisitors } from './visitors.ts'
