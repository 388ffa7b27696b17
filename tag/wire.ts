/**
 * Everything that crosses the network between the tag and the collector, declared once.
 *
 * The tag imports the types only (they are erased); the collector compiles the schemas into validators.
 * A body of `POST /e` is one {@link Envelope} or an array of them, as a JSON string of at most
 * {@link LIMITS.bodyBytes} bytes with at most {@link LIMITS.events} events, sent as `text/plain` so that no
 * CORS preflight is needed.
 */
import Type, { type Static } from 'typebox'

/** Bounds of one request and of what is in it. Lengths are in UTF-16 code units, sizes in bytes. */
export const LIMITS = {
  /** bytes of one body; a larger one is answered 413 */
  bodyBytes: 65_536,
  /** events in one body; more are answered 413 */
  events: 500,
  /** length of an event's name */
  name: 120,
  /** length of a caller's own event id, of a visitor id and of a session id */
  id: 128,
  /** length of a URL or a referrer; a longer one is cut */
  url: 2_048,
  /** length of a title; a longer one is cut */
  title: 300,
  /** properties of one event, at every depth together */
  properties: 100,
  /** length of a property's key */
  key: 100,
  /** length of a property's text */
  text: 4_096,
  /** how deep objects and lists may nest in properties */
  depth: 5,
  /** how late an event may arrive: 7 days, ms */
  lateMs: 7 * 86_400_000,
} as const

/** The consent under which an envelope is sent: granted, cookieless, none needed, or a withdrawal (then only its record is in it). */
export const ConsentFlag = Type.Enum(['g', 'l', 'x', 'd'])
export type ConsentFlag = Static<typeof ConsentFlag>

/** What a page view knows of its page. */
export const PageInfo = Type.Object({
  /** URL of the page */
  u: Type.String(),
  /** referrer; absent when there is none */
  r: Type.Optional(Type.String()),
  /** title */
  ti: Type.Optional(Type.String()),
  /** width of the viewport, CSS pixels */
  vw: Type.Optional(Type.Number({ minimum: 0, maximum: 100_000 })),
  /** language, BCP 47, where it is another than the first of `Accept-Language`, which says that of a browser */
  l: Type.Optional(Type.String({ maxLength: 35 })),
  /** time zone of the browser, IANA name */
  z: Type.Optional(Type.String({ maxLength: 64 })),
})
export type PageInfo = Static<typeof PageInfo>

/** One event. Its id is `<w>.<q>`, or the caller's own `id`. */
export const WireEvent = Type.Object({
  /** name */
  n: Type.String({ minLength: 1, maxLength: LIMITS.name }),
  /** sequence number in the page view, from 0 */
  q: Type.Integer({ minimum: 0, maximum: 2 ** 31 }),
  /** how long before the envelope was sent it happened, ms on the device's clock */
  t: Type.Number({ minimum: -86_400_000 * 365, maximum: 86_400_000 * 3_650 }),
  /** properties; `revenue` is `{amount, currency}`: a number or decimal text in major units, and a code of ISO 4217 */
  d: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** the caller's own id (an order number): unique per site and name, so counted once whatever happens */
  id: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.id })),
})
export type WireEvent = Static<typeof WireEvent>

/** What an envelope holds beside its events: everything that its events share. */
export const EnvelopeHead = Type.Object({
  /** site key */
  s: Type.String({ minLength: 1, maxLength: 64 }),
  /** when it was sent, ms on the device's clock */
  t: Type.Number(),
  /** page-view id: 16 random base-36 characters */
  w: Type.String({ pattern: '^[0-9a-z]{16}$' }),
  /** the page */
  p: PageInfo,
  /** consent */
  c: ConsentFlag,
  /**
   * visitor id, only with the purpose `identify`. `-` says that it is in the cookie `lt`, which the collector sets and no
   * script can read, for sites with `cookie: 'collector'`; for other sites it is none. Where the consent covers no
   * identifier, the collector drops it, and the session's, too.
   */
  i: Type.Optional(Type.String({ pattern: '^[0-9A-Za-z_-]{1,128}$' })),
  /** session id */
  k: Type.Optional(Type.String({ pattern: '^[0-9A-Za-z_-]{1,128}$' })),
})
export type EnvelopeHead = Static<typeof EnvelopeHead>

/** One page view's events, as they are sent. */
export type Envelope = EnvelopeHead & { e: WireEvent[] }

/** Properties of the events that say what a page told by itself: each is what the capability of the tag sends as `d`. */
export interface BuiltInProps {
  /** `ms`: for how long the view had its visitor since the last one of these, ms; settle adds them up in the session */
  engagement: { ms: number }
  /**
   * `form` and `field` are names (or ids) of elements, never what is in them. A form is given up as far as is known when
   * its view is left or hidden: a later `start` or `submit` of the same form takes that back.
   */
  form: { kind: 'start' | 'abandon' | 'submit'; form?: string; field?: string }
  /** `percent`: begun (0), a quarter, half or three of it, played to its end (100); `url` without its query */
  media: { kind: 'audio' | 'video'; percent: 0 | 25 | 50 | 75 | 100; url?: string }
  /** `message`: its first 100 characters; `url`: of the script, without its query; `place`: line and column, from 1 */
  error: { message: string; url?: string; place?: string }
  /** https://web.dev/articles/vitals: ms, but for CLS, which has no unit; `element`: selector of the one most to blame */
  vitals: {
    name: 'CLS' | 'FCP' | 'INP' | 'LCP' | 'TTFB'
    value: number
    rating: 'good' | 'needs-improvement' | 'poor'
    element?: string
  }
}

/** Names of the events that the tag makes by itself; every other name is custom. */
export const BUILT_IN = [
  'pageview',
  'click',
  'scroll',
  'impression',
  'engagement',
  'form',
  'media',
  'error',
  'vitals',
  'identify',
  'consent',
  'email_open',
  'email_click',
] as const

/** The collector's `200` answer to `POST /e?debug`; without `debug` it is an empty `204`. */
export interface DebugAnswer {
  accepted: number
  rejected: { q: number | null; reason: string; detail?: string }[]
}
