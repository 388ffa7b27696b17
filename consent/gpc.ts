/** Global Privacy Control: a veto against sharing, never a consent (https://w3c.github.io/gpc/). */
import type { Capability } from '../tag/types.ts'

/** Where the browser says so, `share` is not granted, whoever grants it. Stands in front of what grants. */
export const gpc: Capability = ({ options }) => {
  options.veto = navigator.globalPrivacyControl && 'share'
}
