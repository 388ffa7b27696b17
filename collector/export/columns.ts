/**
 * What a row says: one table of columns for events and one for sessions. The lines of NDJSON, the header of CSV, the schema of
 * Parquet and the OpenAPI description are all made from these.
 */

/** As a line says it: an instant of ISO 8601, a text, a whole number, a number, JSON; null where there is none. */
export type ColumnType = 'time' | 'text' | 'integer' | 'number' | 'json'
export type Columns = Readonly<Record<string, readonly [type: ColumnType, description: string]>>

interface Values {
  time: Date
  text: string
  integer: number
  number: number
  json: object
}
/** A row of a table of columns. */
export type RowOf<C extends Columns> = { [name in keyof C]: Values[C[name][0]] | null }
export type Row = Readonly<Record<string, Values[ColumnType] | null>>

/** Of how it came about: events say it of their page view, sessions of their first one. */
const ATTRIBUTES = {
  source: ['text', 'where the visitor came from'],
  channel: ['text', 'kind of source, as in organic search'],
  referrer: ['text', 'page that led here, without what may tell who somebody is'],
  utm_source: ['text', 'parameter of the link; so are the others'],
  utm_medium: ['text', ''],
  utm_campaign: ['text', ''],
  utm_term: ['text', ''],
  utm_content: ['text', ''],
  device: ['text', 'desktop, mobile or tablet'],
  browser: ['text', ''],
  browser_version: ['text', 'number before the first point'],
  os: ['text', ''],
  language: ['text', ''],
  country: ['text', 'ISO 3166-1'],
  region: ['text', 'ISO 3166-2'],
  city: ['text', 'name in English'],
} as const satisfies Columns

export const EVENT_COLUMNS = {
  time: ['time', 'when it happened'],
  id: ['text', 'unique per site; one of your own per site and name'],
  name: ['text', ''],
  visitor: ['text', 'pseudonym, where one may be kept'],
  session: ['text', 'column `id` of sessions'],
  url: ['text', 'without what may tell who somebody is'],
  host: ['text', ''],
  path: ['text', ''],
  title: ['text', ''],
  ...ATTRIBUTES,
  timezone: ['text', 'of the browser'],
  width: ['integer', 'of the viewport, CSS pixels'],
  consent: ['text', 'g granted, l cookieless, x none needed, d denied'],
  bot: ['text', 'what gave a bot away'],
  properties: ['json', 'an object'],
  goals: ['json', 'list of the goals that it meets, also of those that were made later'],
  revenue: ['number', 'major units of `currency`'],
  currency: ['text', 'ISO 4217'],
} as const satisfies Columns

export const SESSION_COLUMNS = {
  start: ['time', 'of its first event'],
  id: ['text', 'unique per site'],
  visitor: ['text', 'pseudonym, where one may be kept'],
  end: ['time', 'of its last event'],
  visits: ['integer', '1; of a cookieless visitor, whose row is a day, into how many visits that is divided'],
  bounces: ['integer', 'visits of one page view at most'],
  duration_ms: ['integer', 'of its visits together'],
  engaged_ms: ['integer', 'for how long its page views had the visitor'],
  views: ['integer', 'page views'],
  events: ['integer', ''],
  goals: ['integer', 'conversions, by the goals that there were when its events came'],
  entry: ['text', 'path of the first page view'],
  exit: ['text', 'path of the last one'],
  host: ['text', 'of the first one'],
  ...ATTRIBUTES,
  screen: ['text', 'class of the width of its viewport'],
  bot: ['text', 'what gave a bot away'],
} as const satisfies Columns
