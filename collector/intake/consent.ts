/** The tag decides what may be sent; what arrives is checked here again, as anybody can send anything. */
import type { ConsentFlag } from '../../tag/wire.ts'
import type { ConsentMode } from '../sites/index.ts'

/**
 * Whether an envelope's consent is enough for the site's mode (DESIGN §6): `required` takes a grant and the record of a
 * withdrawal, `cookieless` what is sent without identifiers, too, and `none` what needs no consent.
 */
export function fits(mode: ConsentMode, consent: ConsentFlag): boolean {
  if (consent === 'g' || consent === 'd') return true
  return consent === 'x' ? mode === 'none' : mode === 'cookieless'
}

/** Whether a visitor and a session may be named. */
export const allowsIdentifier = (consent: ConsentFlag): boolean => consent === 'g' || consent === 'x'

/** Whether an event may carry somebody's own user id: the purpose `identify` is there where a grant names a visitor. */
export const allowsIdentify = (consent: ConsentFlag, visitor: string | undefined): boolean =>
  consent === 'x' || (consent === 'g' && visitor !== undefined)

/**
 * Whether the last decision that these events tell of leaves out the purpose `identify`. Then no identifier is stored, even
 * where the envelope has one: a page's own code may have put it there.
 */
export function refusesIdentifier(events: unknown[]): boolean {
  for (let i = events.length - 1; i >= 0; i--) {
    const { n, d } = (events[i] ?? {}) as { n?: unknown; d?: { purposes?: unknown } | null }
    if (n === 'consent' && Array.isArray(d?.purposes)) return !d.purposes.includes('identify')
  }
  return false
}

/**
 * A decision as it is stored where the request says `Sec-GPC: 1`: a veto on sharing, whatever was agreed to
 * (https://www.w3.org/TR/gpc/).
 */
export const withoutSharing = (decision: Record<string, unknown> = {}): Record<string, unknown> => ({
  ...decision,
  gpc: true,
  ...(Array.isArray(decision.purposes) && { purposes: decision.purposes.filter(purpose => purpose !== 'share') }),
})
