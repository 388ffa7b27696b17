/**
 * Sketches: how many different visitors the visits of a finished day had, all of them and by each attribute. Sessions go in;
 * numbers come out that are exact while they are small, else within the error that is said with them, 95 of 100 times. Days
 * can be united, whichever visitors they have in common.
 */
export { buildDay } from './build.ts'
export type { SketchedField } from './documents.ts'
export type { Seed } from './hash.ts'
export { readDays, readNames, readValues, type SketchedDay } from './read.ts'
export { addHash, type Estimate, emptySketch, estimate, type Sketch, unite } from './sketch.ts'
export { createSketcher } from './sketcher.ts'
export { type Span, textOf, visitsIn } from './visits.ts'
