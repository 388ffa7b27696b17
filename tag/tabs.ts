/** A withdrawal acts in every tab of the site at once, without anything on the device. */

import { CMP } from '../consent/ranks.ts'
import { mayKeep, purposes } from '../consent/state.ts'
import { decide } from './decide.ts'
import { at } from './safely.ts'

export const tabs = () => {
  let others: BroadcastChannel | undefined
  let denied: unknown
  const decided = () => {
    // Where nothing was decided there is nothing to withdraw, but in the mode `none`: a page that only counts is spared it.
    if (mayKeep || purposes) {
      others ||= new BroadcastChannel('livetag')
      others.onmessage = () => {
        // All that was said here is older, and whatever will be said is newer: so it is the weakest that refuses now. The
        // strongest is forgotten last, so that none decides in between.
        for (let rank = CMP; rank && !denied; rank--) decide(rank, rank === CMP && [], 'tab')
      }
    }
    denied = purposes && !purposes[0]
    denied && others?.postMessage(0)
  }
  at('consent', decided)
  decided()
}
