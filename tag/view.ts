/** The current page view. */
import { randomId } from './identity.ts'
import type { PageInfo } from './wire.ts'

/** A page view, as it stands in its envelopes. */
export interface View {
  w: string
  p: PageInfo
}

/** Before the first view opens, nothing is asked of it but its URL. */
export let view = { p: {} } as View
let sequence: number

export const newView = (p: PageInfo): void => {
  view = { w: randomId(), p }
  sequence = 0
}

/** The number of the next event in this view. */
export const nextInView = (): number => sequence++
