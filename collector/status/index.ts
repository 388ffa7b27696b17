/**
 * Status: how the collectors of a deployment are doing, as the database knows it. It reads the lanes and the journal and
 * asks no collector, so that it tells also where none answers.
 */

export { type Oplog, readOplog } from './oplog.ts'
export { type LaneStatus, readStatus, type Status } from './status.ts'
