/**
 * The proof of a decision, as the collector keeps it: the fields of a consent record of ISO/IEC TS 27560:2023 that a
 * measurement can fill. What is the same for a whole site (controller, text of the notice, recipients) is in the owner's own
 * documents; `version` says which text it was.
 */
import type { Purpose } from '../tag/types.ts'

/** Version of this shape, in each record. */
export const RECORD_SCHEMA = 1

/** All purposes that a decision can grant or refuse. */
export const PURPOSES = ['measure', 'identify', 'share'] as const satisfies readonly Purpose[]

/**
 * How the decision came: by a call of the site's own pages, by a standard (TCF, GPP, Google Consent Mode), or from a consent
 * platform by its own interface.
 */
export type ConsentMethod = 'call' | 'standard' | 'platform' | 'unknown'

/** A document of `consents`. Nothing in it changes once it is written. */
export interface ConsentRecord {
  /** `<site>:<page-view id>.<number>`: that of the event, so that each decision has one record, however often it arrives */
  _id: string
  schema: typeof RECORD_SCHEMA
  site: string
  /** pseudonym of the subject: the visitor's id, where the decision allows one. Never a cookieless visitor's. */
  visitor?: string
  /** page view in which it was decided: what ties a withdrawal, which names nobody, to the record that it withdraws */
  view: string
  /** when it was decided, by the collector's clock, and when it was received */
  decided: Date
  received: Date
  granted: Purpose[]
  refused: Purpose[]
  /** name of the signal that decided: `api`, `tcf`, `klaro` … */
  signal: string
  /** which text was agreed to: its version, or the TC or GPP string that says it */
  version?: string
  method: ConsentMethod
  /** whether `Sec-GPC: 1` took `share` away */
  gpc?: true
  /** where the subject was: not kept with the decision, also where a database of places tells it */
  jurisdiction: 'unknown'
  expires: Date
}

/** A decision as it was received: what of an event `consent` is in its record. */
export interface Decision {
  site: string
  id: string
  decided: Date
  received: Date
  /** absent where none may be named */
  visitor: string | undefined
  /** properties of the event */
  said: Record<string, unknown> | undefined
  /** a withdrawal grants nothing, whatever else it says */
  withdrawal: boolean
}

/**
 * The record of a decision; `undefined` where the event tells of none: it names no purposes.
 * @param kept how long from the decision on, ms
 */
export function recordOf(decision: Decision, kept: number): ConsentRecord | undefined {
  const { site, id, decided, received, visitor, said = {}, withdrawal } = decision
  const named = withdrawal ? [] : said.purposes
  if (!Array.isArray(named)) return undefined
  const granted = PURPOSES.filter(purpose => named.includes(purpose))
  const { signal, version } = said
  return {
    _id: `${site}:${id}`,
    schema: RECORD_SCHEMA,
    site,
    ...(visitor !== undefined && { visitor }),
    view: id.replace(/\.\d+$/, ''),
    decided,
    received,
    granted,
    refused: PURPOSES.filter(purpose => !granted.includes(purpose)),
    signal: typeof signal === 'string' ? signal : 'unknown',
    ...((typeof version === 'string' || typeof version === 'number') && { version: String(version) }),
    method: methodOf(signal),
    ...(said.gpc === true && { gpc: true }),
    jurisdiction: 'unknown',
    expires: new Date(+decided + kept),
  }
}

const CALLS = ['api', 'optOut']
const STANDARDS = ['tcf', 'gpp', 'gcm']

function methodOf(signal: unknown): ConsentMethod {
  if (typeof signal !== 'string') return 'unknown'
  if (CALLS.includes(signal)) return 'call'
  return STANDARDS.includes(signal) ? 'standard' : 'platform'
}
