/**
 * Mails: mailings are registered and tokens minted for their recipients; out go events of opens and clicks, each with who asked
 * and the rule that told, and reports. It promises that no recipient can be read from a token or a document, that an image is
 * always shown and a registered link always leads on, also without a database, that nothing is written of who withdrew, and
 * that what could not be counted is said.
 */
export { CLASSES } from './classify.ts'
export { createEmail, type Email, type EmailWithout, emailWithout } from './email.ts'
export { fill, type Paths } from './fill.ts'
export type { EmailRoutes } from './http.ts'
export { InstrumentError, instrument, LEFT } from './instrument.ts'
export { answerLines, isReference, MOST_REFERENCE } from './lines.ts'
export {
  findMailing,
  listMailings,
  type Mailing,
  MailingError,
  MailingInput,
  MailingOutput,
  POLICIES,
  TemplateOutput,
  Told,
  tellMailing,
} from './mailings.ts'
export { readReport } from './report.ts'
export { type Report, ReportOutput } from './report-shape.ts'
