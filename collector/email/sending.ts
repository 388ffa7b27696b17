/** The package's `livetag/email`: what a system that sends mails needs of it, without a database. */
export { fill, type Paths } from './fill.ts'
export {
  InstrumentError,
  type Instrumented,
  type InstrumentOptions,
  instrument,
  type Left,
} from './instrument.ts'
