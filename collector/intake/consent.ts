import type { ConsentFlag } from '../../tag/wire.ts'
import type { ConsentMode } from '../sites/index.ts'

/** Whether an envelope's consent is enough for the site's mode (DESIGN §6). */
export function fits(mode: ConsentMode, consent: ConsentFlag): boolean {
  if (consent === 'g' || consent === 'd') return true
  return consent === 'x' ? mode === 'none' : mode === 'cookieless'
}

/** Whether a visitor and a session may be named. */
export const allowsIdentifier = (consent: ConsentFlag): boolean => consent === 'g' || consent === 'x'
