/**
 * The store: every collection with its indexes and how long it keeps what; a connection that can keep the collector's
 * promise; a mongod of one's own where there is none.
 */
export { ensureCollections, KEPT } from './collections.ts'
export { ConnectError, connect, redact } from './connect.ts'
export { type Mongod, NoMongodError, openMongod } from './embedded.ts'
export { TRANSACTION_S } from './mongod/launch.ts'
export { beginSharing, endSharing, once } from './once.ts'
