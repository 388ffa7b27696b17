/** What the page sees of the tag, and what a capability sees of it. */
import type { Signal } from '../consent/state.ts'
import type { Options } from './options.ts'
import type { View } from './queue.ts'
import type { How } from './transport.ts'
import type { ConsentFlag } from './wire.ts'

/** What a visitor can agree to. `grant` without purposes means `measure` and `identify`. */
export type Purpose = 'measure' | 'identify' | 'share'

/** Properties of an event: anything that JSON can hold. Bounds are in `LIMITS` of `wire.ts`. */
export type Props = Record<string, unknown>

export interface TrackOptions {
  /** the caller's own id (an order number): the event then counts once, whatever happens */
  id?: string
  /** called once when the collector has answered; never while consent is missing, so don't navigate in it */
  callback?: () => void
}

/**
 * A site's own events and their properties, for those who use TypeScript:
 *
 * ```ts
 * declare module 'livetag' {
 *   interface EventMap { signup: { plan: 'free' | 'pro' } }
 * }
 * ```
 *
 * While it is empty, any event with any properties is fine. `createTag<Events>()` takes a map of its own.
 */
// biome-ignore lint/suspicious/noEmptyInterface: sites declare what is in it
export interface EventMap {}

type Declared<Events> = [keyof Events] extends [never] ? Record<string, Props> : Events

/** What `track` takes: the name of a declared event, its properties, which may be left out where none is needed, and options. */
export type TrackArguments<Events = EventMap> = {
  [Name in keyof Declared<Events> & string]: Partial<Declared<Events>[Name]> extends Declared<Events>[Name]
    ? [name: Name, props?: Declared<Events>[Name] | null, options?: TrackOptions | null]
    : [name: Name, props: Declared<Events>[Name], options?: TrackOptions | null]
}[keyof Declared<Events> & string]

/** {@link Calls} of a site that has declared its events. */
export type TypedCalls<Events = EventMap> = Omit<Calls, 'track'> & {
  track(...call: TrackArguments<Events>): void
}

/** The calls of a page, each as a method and as `livetag('<name>', …)`. None of them ever throws. */
export interface Calls {
  /** an event of the page's own; `props` are copied at once */
  track(name: string, props?: Props, options?: TrackOptions): void
  /** a page view by hand, where nothing in the URL changes */
  page(): void
  /** ties this visitor to the site's own user id; sent only with the purpose `identify` */
  identify(id: string): void
  /** properties that every later event of this page load gets */
  set(props: Props): void
  /** the visitor agreed, to `measure` and `identify` unless said otherwise; `version` is that of the text, for the proof */
  grant(purposes?: Purpose[], version?: string | number): void
  /** the visitor refused or withdrew; can be taken back by `grant` */
  deny(version?: string | number): void
  /** called with the purposes at each decision (`undefined`: undecided again), and at once when there is one already */
  onConsent(fn: (purposes: Purpose[] | undefined) => void): void
  /** sends what waits, if it may be sent */
  flush(): void
  /** no measuring on this device, for good: remembered in `localStorage`; with the capability `optOut` */
  optOut?(): void
}

/** The page's one global, `livetag`. */
export type LiveTag = Calls & ((call: keyof Calls, ...args: unknown[]) => void)

/** The global as a page sees it: to be called before the tag has loaded, too, as `livetag('track', 'signup', …)`. */
export type Global<Events = EventMap> = <Call extends keyof Calls>(
  call: Call,
  ...args: Call extends 'track' ? TrackArguments<Events> : Parameters<NonNullable<Calls[Call]>>
) => void

/** The usual stub: notes calls and their times (ms) until the tag has loaded, which then makes them. */
export type Stub = ((...args: unknown[]) => void) & { q?: [time: number, call: keyof Calls, ...args: unknown[]][] }

/** Moments that a capability can wait for. `consent` passes the purposes, `undefined` while undecided. */
export interface Moments {
  /** a page view began */
  view: undefined
  /** the page view is being left or hidden: the last moment to track something */
  leave: undefined
  /** consent changed */
  consent: Purpose[] | undefined
  /** an envelope is about to leave: what is written to it is sent, and nothing where its list of events is empty then */
  send: View & { c: ConsentFlag | false; i?: string }
  /** what is not confirmed has changed: an answer came, or all was handed to the browser on leaving */
  flushed: undefined
}

/** What a capability may touch. */
export interface Tag {
  track: Calls['track']
  /** `addEventListener` that never throws into the page */
  on<E extends Event>(target: EventTarget, type: string, fn: (event: E) => unknown, capture?: boolean): void
  at<M extends keyof Moments>(moment: M, fn: (value: Moments[M]) => unknown): void
  /** a consent signal speaks, or is pending (again), where it names no purposes; ranks are in `consent/ranks.ts` */
  decide(...signal: Signal): void
  /** adds page views to the front of the queue; returns all with events that are not confirmed yet */
  queue(add?: View[]): View[]
  /** sends what waits, if it may: with 1 even while backing off, with 2 by a transport that outlives the page */
  flush(how?: How): void
  options: Options
}

/** A part of the tag that a site may have or not: a function of the tag, run once at its start. */
export type Capability = (tag: Tag) => void

declare global {
  interface Document {
    prerendering?: boolean
  }
  interface Navigator {
    globalPrivacyControl?: boolean
  }
  interface Window {
    livetag?: LiveTag | Stub
  }
}
