/** A withdrawal acts in every tab of the site at once, without anything on the device. */
import { API } from './consent.ts'
import type { Capability } from './types.ts'

export const tabs: Capability = ({ at, decide }) => {
  const others = new BroadcastChannel('livetag')
  others.onmessage = () => decide(API, [])
  at('consent', purposes => purposes && !purposes[0] && others.postMessage(0))
}
