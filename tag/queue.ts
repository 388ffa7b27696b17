/** Page views with the events in them that have happened and are not confirmed yet. */
import { randomId } from './identity.ts'
import { options } from './options.ts'
import type { Props, TrackOptions } from './types.ts'
import type { PageInfo } from './wire.ts'

/** An event that is not confirmed. Keys are the wire's, but `t` is when it happened (ms, device clock). */
export interface Pending {
  n: string
  q: number
  t: number
  d: Props
  id: string | undefined
  callback: (() => void) | undefined
}

/** A page view, as it stands in its envelope. */
export interface View {
  w: string
  p: PageInfo
  /** its session's id, from the first attempt to send it */
  k?: string
  e: Pending[]
}

/** The current page view. Before the first one opens, nothing is asked of it but its URL and its events. */
export let view = { p: {}, e: [] as Pending[] } as View
/** views before the current one, oldest first */
export const views: View[] = []
/** what is on its way */
export const sending = new Set<View>()

let sequence: number
/** when the call was made that is being replayed (ms, device clock); 0 when it is made now */
let calledAt: number
export const setCalledAt = (time: number): void => {
  calledAt = time
}

/** Where the page is now, as a page view counts it. */
export const here = (): string => location.href.split(options.hash ? ' ' : '#')[0] as string

/** Makes a new page view the current one. */
export const newView = (): void => {
  views.push(view)
  // The referrer of a view after the first is the view before.
  view = {
    w: randomId(),
    p: { u: here(), r: view.p.u || document.referrer, vw: innerWidth },
    e: [],
  }
  sequence = 0
}

/** All views with events that are not confirmed, the current one last. */
export const unconfirmed = (): View[] => [...sending, ...views, view]

/** @param own `null` is nothing, too */
export const addEvent = (name: string, d: Props, own?: TrackOptions | null): void => {
  view.e.push({
    n: `${name}`,
    q: sequence++,
    t: calledAt || Date.now(),
    d,
    id: own?.id && `${own.id}`,
    callback: own?.callback,
  })
}

/**
 * Drops all that is not confirmed. What comes then, the record of a withdrawal included, has another page-view id, so that
 * nothing ties it to what was sent under a consent.
 */
export const dropAll = (): void => {
  newView()
  views.splice(0)
  sending.clear()
}
