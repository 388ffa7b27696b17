/** Analyses: funnels, attribution, retention, click-through rates and journeys, from blocks. */
export { type Analyses, createAnalyses } from './analyze.ts'
export { ANALYSES, type Analysis } from './schema.ts'
