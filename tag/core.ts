/**
 * The tag: page views, events, consent, delivery.
 *
 * `start` puts it together, in the order in which it must happen: the first page view is opened, capabilities join, the stub's calls are made with their own times, and only then
 * something may leave. The parts keep their state in their modules, as there is one tag in a page.
 */
import { API, hear, mayKeep, purposes } from './consent.ts'
import { forget, usedAt } from './identity.ts'
import { type Options, options, setOptions } from './options.ts'
import { openAndFlush, openView, watchPage } from './page.ts'
import { addEvent, dropAll, sending, setCalledAt, view, views } from './queue.ts'
import { at, on, reach, safely } from './safely.ts'
import { set, track } from './track.ts'
import { flush } from './transport.ts'
import type { Calls, Capability, LiveTag, Purpose, Stub, Tag } from './types.ts'

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

/** Hears a consent signal and draws the consequences at once. */
const decide: Tag['decide'] = (rank, wanted) => {
  const before = `${purposes}`
  hear(rank, wanted)
  if (before === `${purposes}`) return
  const denied = purposes && !purposes[0]
  if (!mayKeep()) forget()
  if (denied) dropAll()
  // A refusal leaves a record only where something was sent before.
  if (purposes && (!denied || usedAt)) addEvent('consent', { purposes, signal: 'api' })
  reach('consent', purposes)
  flush(1)
}

const calls: Calls = {
  track,
  set,
  page: openAndFlush,
  identify: id => track('identify', { id }),
  grant: (granted: Purpose[] = ['measure', 'identify']) => decide(API, granted),
  deny: () => decide(API, []),
  onConsent(fn) {
    at('consent', fn)
    purposes && fn(purposes)
  },
  flush,
}

/**
 * Starts the tag and sets the global `livetag`. Where one is running already, that one is returned and nothing happens.
 * `undefined` only where a page has broken what the tag stands on.
 */
export const start = safely((given: Options, capabilities: Capability[] = []): LiveTag => {
  const stub = window.livetag as (LiveTag & Stub) | undefined
  if (stub?.track) return stub
  setOptions(given)

  const api = safely((call: keyof Calls, ...args: unknown[]) =>
    (api[call] as (...args: unknown[]) => void)(...args),
  ) as LiveTag
  for (const call in calls) api[call as keyof Calls] = safely(calls[call as keyof Calls] as () => void)
  window.livetag = api

  openView()
  watchPage()
  const tag: Tag = {
    ...api,
    on,
    at,
    decide,
    queue(add = []) {
      views.unshift(...add)
      return [...sending, ...views, view]
    },
    options,
  }
  capabilities.map(capability => safely(capability)(tag))
  for (const [time, ...call] of stub?.q ?? []) {
    setCalledAt(time)
    api(...call)
  }
  setCalledAt(0)
  flush()
  return api
})
