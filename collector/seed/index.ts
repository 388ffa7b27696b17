/**
 * Seed: a made-up history of a site for trying out and measuring. In goes a plan (how many events, how many days, a seed),
 * out come raw events, sessions and rollups as settle and fold make them of the same events, by the same functions, only
 * faster; and the totals that reports then have to say. It promises that the same plan is the same history, and that
 * `verify` finds nothing.
 */
export { SeedError, type SeedOptions } from './options.ts'
export { HalfWritten, removalOf, type SeedParts, type SeedReport, seed } from './seed.ts'
export type { Counts, Totals } from './totals.ts'
