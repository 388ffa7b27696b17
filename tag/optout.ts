/** `livetag('optOut')`: no measuring on this device, for good. */

import { OPT_OUT } from '../consent/ranks.ts'
import { decide } from './decide.ts'
import { options } from './options.ts'
import { safely } from './safely.ts'
import type { LiveTag } from './types.ts'

/** `localStorage` key: the only thing that is stored without consent, as it is what was asked for. */
const OFF = 'ltOff'

/** Hears an earlier opt-out before anything is sent, as capabilities join before the first flush. */
export const optOut = () => {
  const stop = () => {
    // Not even what needs no consent is wanted.
    options.mode = 'required'
    decide(OPT_OUT, [], 'optOut')
  }
  ;(window.livetag as LiveTag).optOut = safely(() => {
    stop()
    // A page may be forbidden to store.
    localStorage[OFF] = 1
  })
  localStorage[OFF] && stop()
}
