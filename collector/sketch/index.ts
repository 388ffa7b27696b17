/**
 * Sketches: how many different visitors a finished day had, all of them, by each attribute of their visits, and by page, host,
 * name and goal of their events. Sessions and events go in; numbers come out that are exact while they are small, else within
 * the error that is said with them, 95 of 100 times. Days and weeks can be united, whichever visitors they have in common.
 */
export { buildDay } from './build.ts'
export { isOfEvents, isTotal, makeSeed, readSeed, type SketchedField, type Told, type Total } from './documents.ts'
export { eventsIn, textsOf } from './events.ts'
export { hashOf, type Seed } from './hash.ts'
export { createHeldSketches, type HeldSketches } from './held.ts'
export { readNames, readSpans, readTotals, readValues, type SketchedSpan } from './read.ts'
export {
  addHash,
  type Estimate,
  emptySketch,
  estimate,
  memoryOf,
  packSketch,
  type Sketch,
  unite,
  unitePacked,
  unpackSketch,
} from './sketch.ts'
export { createSketcher } from './sketcher.ts'
export { type Span, textOf, visitsIn } from './visits.ts'
export { buildWeek } from './week.ts'
