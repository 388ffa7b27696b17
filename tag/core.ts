/**
 * The tag: page views, events, consent, delivery.
 *
 * `begin` puts it together, in the order in which it must happen: the first page view is opened, capabilities join, the stub's calls are made with their own times, and only then
 * something may leave. The parts keep their state in their modules, as there is one tag in a page.
 */
import { API } from '../consent/ranks.ts'
import { AGREED, hear, purposes } from '../consent/state.ts'
import { decide } from './decide.ts'
import { type Options, options, setOptions } from './options.ts'
import { openAndFlush, openView, watchPage } from './page.ts'
import { setCalledAt, unconfirmed, views } from './queue.ts'
import { at, safely } from './safely.ts'
import { set, track } from './track.ts'
import { flush } from './transport.ts'
import type { Calls, Capability, LiveTag, Stub, Tag } from './types.ts'

export type { Options } from './options.ts'
export type {
  Calls,
  Capability,
  EventMap,
  Global,
  LiveTag,
  Moments,
  Props,
  Purpose,
  Tag,
  TrackOptions,
  TypedCalls,
} from './types.ts'

const calls: Calls = {
  track,
  set,
  page: openAndFlush,
  identify: id => track('identify', { id }),
  grant: (purposes = AGREED, version) => decide(API, purposes, 'api', version),
  deny: version => calls.grant([], version),
  onConsent(fn) {
    at('consent', fn)
    purposes && fn(purposes)
  },
  flush,
}

/**
 * Starts the tag and sets the global `livetag`. Where one is running already, that one is returned and nothing happens.
 * `undefined` only where a page has broken what the tag stands on.
 * @param joining what joins when the first page view is open, before anything is sent, in this order
 */
export const begin = safely((given: Options, joining?: (() => void)[]): LiveTag => {
  const stub = window.livetag as (LiveTag & Stub) | undefined
  if (stub?.track) return stub
  setOptions(given)
  hear(API)

  const api = safely((call: keyof Calls, ...args: unknown[]) =>
    (api[call] as (...args: unknown[]) => void)(...args),
  ) as LiveTag
  for (const call in calls) api[call as keyof Calls] = safely(calls[call as keyof Calls] as () => void)
  window.livetag = api

  openView()
  watchPage()
  joining?.map(capability => safely(capability)())
  for (const [time, ...call] of stub?.q ?? []) {
    setCalledAt(time)
    api(...call)
  }
  setCalledAt(0)
  flush()
  return api
})

/** Starts the tag with capabilities, which may be others than its own. */
export const start = (given: Options, capabilities: Capability[] = []): LiveTag | undefined => {
  const on: Tag['on'] = (target, type, fn, capture) =>
    target.addEventListener(type, safely(fn) as EventListener, capture)
  const queue: Tag['queue'] = add => {
    if (add) views.unshift(...add)
    return unconfirmed()
  }
  return begin(
    given,
    capabilities.map(capability => () => capability({ ...calls, on, at, decide, queue, options })),
  )
}
