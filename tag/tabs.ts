/** A withdrawal acts in every tab of the site at once, without anything on the device. */

import { CMP } from '../consent/ranks.ts'
import { decide } from './decide.ts'
import { at } from './safely.ts'

export const tabs = () => {
  const others = new BroadcastChannel('livetag')
  let denied: unknown
  others.onmessage = () => {
    // All that was said here is older, and whatever will be said is newer: so it is the weakest that refuses now. The
    // strongest is forgotten last, so that none decides in between.
    for (let rank = CMP; rank && !denied; rank--) decide(rank, rank === CMP && [], 'tab')
  }
  at('consent', purposes => {
    denied = purposes && !purposes[0]
    denied && others.postMessage(0)
  })
}
