/** Query: questions of the API go in, counters from rollups come out, with how they were made. */
export * from './consents.ts'
export * from './stats.ts'
