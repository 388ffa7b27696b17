/** From a call to an event that waits. */
import { flag } from '../consent/state.ts'
import { snapshot } from './props.ts'
import { addEvent, view, views } from './queue.ts'
import { flush, flushSoon } from './transport.ts'
import type { Calls, Props } from './types.ts'

/** So many events are gathered at most. */
const FULL = 20
/** So many of a page view wait at most, as a page may never ask for consent. The first ones are kept: they hold the page view. */
const BOUND = 500

/** properties of every event from here on */
const common: Props = {}

export const set: Calls['set'] = props => {
  snapshot(props, common)
}

export const track: Calls['track'] = (name, props, own) => {
  if (flag === 'd' || view.e[BOUND] || views[BOUND]) return
  addEvent(name, snapshot(props, { ...common }), own)
  view.e[FULL - 1] ? flush() : flushSoon()
}
