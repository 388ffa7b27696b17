/** Global Privacy Control: a veto against sharing, never a consent (https://w3c.github.io/gpc/). */
import { options } from '../tag/options.ts'

/** Where the browser says so, `share` is not granted, whoever grants it. Stands in front of what grants. */
export const gpc = () => {
  options.veto = navigator.globalPrivacyControl && 'share'
}
