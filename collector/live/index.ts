/**
 * Live: pages of the journal come in by one change stream, messages for viewers go out by server-sent events. It
 * promises that counters are exact at every moment (a snapshot, then only what came after it) and that a viewer's
 * memory is bounded.
 */
export { createHub, type Hub } from './hub.ts'
export { startSse } from './sse.ts'
