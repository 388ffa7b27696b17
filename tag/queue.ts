/** Events that have happened and are not confirmed yet. */
import type { Props, TrackOptions } from './types.ts'
import { nextInView, type View, view } from './view.ts'

/** An event that is not confirmed. Keys are the wire's, but `t` is when it happened (ms, device clock). */
export interface Pending extends TrackOptions {
  n: string
  q: number
  t: number
  d: Props
  /** its page view */
  view: View
}

/** events that wait, oldest first */
export const queue: Pending[] = []
/** batches that are on their way */
export const sending = new Set<Pending[]>()

/** When the call was made that is being replayed; 0 when it is made now. */
let calledAt = 0

/** The time of the events that are made from here on, ms; 0 for the clock's own. */
export const callAt = (time: number): void => {
  calledAt = time
}

export const newEvent = (n: string, d: Props, own?: TrackOptions): Pending => ({
  n,
  q: nextInView(),
  t: calledAt || Date.now(),
  d,
  ...own,
  view,
})
