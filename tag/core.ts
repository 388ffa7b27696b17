/**
 * The tag: page views, events, consent, delivery.
 *
 * `begin` puts it together, in the order in which it must happen: the first page view is opened, capabilities join, the stub's calls are made with their own times, and only then
 * something may leave. The parts keep their state in their modules, as there is one tag in a page.
 */
import { AGREED, API, decision, flag, hear, mayKeep, purposes, state } from '../consent/state.ts'
import { forget, usedAt } from './identity.ts'
import { type Options, options, setOptions } from './options.ts'
import { openAndFlush, openView, watchPage } from './page.ts'
import { addEvent, dropAll, sending, setCalledAt, view, views } from './queue.ts'
import { at, on, reach, safely } from './safely.ts'
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

/** Hears a consent signal and draws the consequences at once. */
const decide: Tag['decide'] = (rank, word) => {
  const before = state
  hear(rank, word)
  if (before === state) return
  if (!mayKeep) forget()
  // In the mode `cookieless`, what was gathered under no consent may still be sent under none.
  if (flag === 'd' || (usedAt && flag === 'l')) dropAll()
  // A refusal leaves a record only where something was sent under a consent before.
  if (purposes && (flag === 'g' || usedAt)) addEvent('consent', { ...decision, purposes })
  reach('consent', purposes)
  flush(1)
}

const calls: Calls = {
  track,
  set,
  page: openAndFlush,
  identify: id => track('identify', { id }),
  grant: (purposes = AGREED, version) => decide(API, { purposes, signal: 'api', version }),
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
 * @param join called when the first page view is open, before anything is sent
 */
export const begin = safely((given: Options, join?: () => void): LiveTag => {
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
  join?.()
  for (const [time, ...call] of stub?.q ?? []) {
    setCalledAt(time)
    api(...call)
  }
  setCalledAt(0)
  flush()
  return api
})

/** Starts the tag with capabilities, which join in their order. */
export const start = (given: Options, capabilities: Capability[] = []): LiveTag | undefined =>
  begin(given, () => {
    const tag: Tag = {
      ...calls,
      on,
      at,
      decide,
      queue(add = []) {
        views.unshift(...add)
        return [...sending, ...views, view]
      },
      options,
    }
    for (const capability of capabilities) safely(capability)(tag)
  })
