/** `livetag('optOut')`: no measuring on this device, for good. */
import { OPT_OUT } from './consent.ts'
import { safely } from './safely.ts'
import type { Capability, LiveTag } from './types.ts'

/** `localStorage` key: the only thing that is stored without consent, as it is what was asked for. */
const OFF = 'ltOff'

/** Hears an earlier opt-out before anything is sent, as capabilities join before the first flush. */
export const optOut: Capability = ({ decide }) => {
  const stop = () => decide(OPT_OUT, [])
  safely(() => localStorage[OFF] && stop())()
  ;(window.livetag as LiveTag).optOut = safely(() => {
    stop()
    localStorage[OFF] = 1
  })
}
