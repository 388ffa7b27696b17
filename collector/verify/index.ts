/**
 * Verify: holds what is counted against the raw record, and mends it. In comes a database, also one at work; out comes
 * what differs, as a closed list of kinds. It promises that what settle and fold do meanwhile is never taken for a
 * fault, and that a repair is never overwritten by a folder that held the wrong numbers.
 */
export type { Audit } from './audit.ts'
export { type Found, KINDS, type Kind, type Report } from './kinds.ts'
export { NoSuchSite, type VerifyOptions, verify } from './verify.ts'
