/**
 * The fields of an event, listed once. Functions that copy or compare all of them are made of the list when the module is
 * loaded, as text: they run for every event, and a loop or a spread takes six times as long as such a function (1.2 µs
 * against 0.2).
 */
import type { JournalEvent } from './page.ts'

/** What each event has alone. */
export const OWN = ['name', 'id', 'own', 'ts', 'props', 'goals', 'revenue', 'currency'] as const
/** What the events of an envelope have in common. */
export const SHARED = [
  'site',
  'session',
  'visitor',
  'url',
  'host',
  'path',
  'ref',
  'source',
  'channel',
  'utm',
  'medium',
  'campaign',
  'term',
  'content',
  'title',
  'device',
  'browser',
  'version',
  'os',
  'language',
  'zone',
  'country',
  'region',
  'city',
  'width',
  'consent',
  'bot',
  'declared',
] as const

export type Own = Pick<JournalEvent, (typeof OWN)[number]>
export type Shared = Omit<JournalEvent, keyof Own>

// A field that is in no list does not compile.
type Unlisted = Exclude<keyof Shared, (typeof SHARED)[number]>
true satisfies [Unlisted] extends [never] ? true : Unlisted

/** An object of these fields, each the expression that `from` gives for it. */
export const objectOf = (fields: readonly string[], from: (field: string) => string): string =>
  `{ ${fields.map(field => `${field}: ${from(field)}`).join(', ')} }`

/** A function of one expression: of field names of this list alone, never of what somebody sent. */
export const compile = <F extends (...args: never[]) => unknown>(parameters: string, expression: string): F =>
  new Function(...parameters.split(', '), `return ${expression}`) as F
