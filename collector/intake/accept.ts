/**
 * From the text of a body to checked events. Pure: the clock, the agent and the sites are passed in.
 * Each event is accepted or rejected alone, with a reason; nothing here throws on any input.
 */
import { Compile } from 'typebox/compile'
import { type Envelope, EnvelopeHead, LIMITS, WireEvent } from '../../tag/wire.ts'
import { eventOf, type JournalEvent, type Shared } from '../journal/index.ts'
import type { Site } from '../sites/index.ts'
import type { Agent } from './agent.ts'
import { cleanBuiltIn } from './built-in.ts'
import { allowsIdentifier, allowsIdentify, fits, refusesIdentifier, withoutSharing } from './consent.ts'
import { convert, sizeOfMet } from './conversions.ts'
import { IN_COOKIE, type VisitorCookie } from './cookie.ts'
import { nameVisitor, readShared, sizeOf } from './event.ts'
import type { Place } from './mmdb.ts'
import { isPrintable, refuseProperties } from './properties.ts'
import type { Reason, Refusal } from './reasons.ts'

const isHead = Compile(EnvelopeHead)
const isEvent = Compile(WireEvent)

/** What is known of a request beside its body. */
export interface Circumstances {
  /** when it was received, ms */
  received: number
  agent: Agent
  /** of the browser, BCP 47; none where no browser sends */
  language?: string | undefined
  site(key: string): Site | undefined
  /** the visitor of the collector's cookie, or a new one; the same each time */
  visitor(): string
  /** the cookieless visitor of a site at a moment, ms; `undefined` when that day has no salt any more, or not yet */
  cookieless(site: Site, at: number): string | undefined
  /** where the visitor is; looked up the first time that it is asked for */
  place(): Place
  /** whether it has `Sec-GPC: 1` */
  gpc: boolean
}

/** A rejected event (`q` of the event) or envelope (`q: null`). */
export interface Rejection extends Refusal {
  q: number | null
  site: string
  name: string
}

export interface Acceptance {
  events: JournalEvent[]
  rejected: Rejection[]
  /** estimate of what the events take in the journal, bytes */
  bytes: number
  /** what the answer does to the visitor's cookie, once the events are durable */
  cookie?: VisitorCookie
  /** the whole body was refused */
  refusal?: Refusal
}

const refused = (reason: Reason, detail?: string): Acceptance => ({
  events: [],
  rejected: [],
  bytes: 0,
  refusal: detail === undefined ? { reason } : { reason, detail },
})

/** Accepts a body of `POST /e`: an {@link Envelope} or a list of them. */
export function accept(body: string, circumstances: Circumstances): Acceptance {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return refused('json-invalid')
  }
  return acceptAll(Array.isArray(parsed) ? parsed : [parsed], circumstances, body.length)
}

/** @param bytes that the envelopes have as text */
export function acceptAll(envelopes: unknown[], circumstances: Circumstances, bytes = 0): Acceptance {
  if (envelopes.length === 0) return refused('envelope-invalid', 'the list is empty')
  if (countEvents(envelopes) > LIMITS.events || envelopes.length > LIMITS.events) return refused('too-many-events')
  const result: Acceptance = { events: [], rejected: [], bytes }
  const refusals: Refusal[] = []
  for (const envelope of envelopes) {
    const refusal = acceptEnvelope(envelope, circumstances, result)
    if (refusal) refusals.push(refusal)
  }
  const [first] = refusals
  if (first && refusals.length === envelopes.length) result.refusal = first
  else for (const refusal of refusals) result.rejected.push({ ...refusal, q: null, site: '', name: '' })
  return result
}

function countEvents(envelopes: unknown[]): number {
  let count = 0
  for (const envelope of envelopes) {
    const events = (envelope as { e?: unknown } | null)?.e
    if (Array.isArray(events)) count += events.length
  }
  return count
}

function acceptEnvelope(envelope: unknown, around: Circumstances, result: Acceptance): Refusal | undefined {
  if (!isHead.Check(envelope)) return { reason: 'envelope-invalid', detail: firstError(envelope) }
  const { e: events } = envelope as Partial<Envelope>
  if (!Array.isArray(events)) return { reason: 'envelope-invalid', detail: 'e is not a list' }
  if (!isPrintable(envelope.s)) return { reason: 'site-unknown' }
  const site = around.site(envelope.s)
  if (!site) return { reason: 'site-unknown' }
  if (!fits(site.consent, envelope.c)) return { reason: 'consent-missing' }
  const { p, c, k } = envelope
  const unnamed = refusesIdentifier(events)
  const byCookie = envelope.i === IN_COOKIE && site.cookie === 'collector' && allowsIdentifier(c) && !unnamed
  const i = byCookie ? around.visitor() : unnamed ? undefined : envelope.i
  const shared = readShared(site, { p, c, k, i }, around)
  const before = result.events.length
  result.bytes += events.length * sizeOf(shared)
  for (const event of events as unknown[]) {
    const accepted = acceptEvent(event, envelope, shared, site, around)
    if ('reason' in accepted) {
      const { q, n } = (event ?? {}) as { q?: unknown; n?: unknown }
      const name = typeof n === 'string' && n.length <= LIMITS.name && isPrintable(n) ? n : ''
      result.rejected.push({ ...accepted, q: typeof q === 'number' ? q : null, site: site.key, name })
    } else {
      result.bytes += sizeOfMet(accepted)
      result.events.push(accepted)
    }
  }
  // A withdrawal counts, whatever else is in the body.
  if (site.cookie === 'collector' && (c === 'd' || unnamed)) result.cookie = { domain: site.domain, id: '' }
  else if (byCookie && i && result.events.length > before) result.cookie ??= { domain: site.domain, id: i }
  return undefined
}

function firstError(envelope: unknown): string {
  const [error] = isHead.Errors(envelope)
  return error ? `${error.instancePath || 'the envelope'} ${error.message}` : ''
}

function acceptEvent(
  event: unknown,
  head: EnvelopeHead,
  shared: Shared,
  site: Site,
  { received, cookieless, gpc }: Circumstances,
): JournalEvent | Refusal {
  if (!isEvent.Check(event)) return refuseEvent(event)
  const { n: name, q, t, d: props, id } = event
  if (!isPrintable(name)) return { reason: 'name-invalid' }
  if (id !== undefined && !isPrintable(id)) return { reason: 'id-invalid' }
  if (t > LIMITS.lateMs) return { reason: 'too-late' }
  if (shared.consent === 'd' && name !== 'consent') return { reason: 'consent-missing' }
  if (name === 'identify' && !allowsIdentify(shared.consent, shared.visitor)) return { reason: 'consent-missing' }
  const refusal = props === undefined ? undefined : refuseProperties(props)
  if (refusal) return refusal
  const at = received - Math.max(0, Math.round(t))
  // In place: an envelope's events are mostly of one day, and what they share is theirs alone.
  if (shared.consent === 'l') nameVisitor(shared, cookieless(site, at))
  const ts = new Date(at)
  const met = convert(site, { name, path: shared.path, props })
  if ('reason' in met) return met
  return eventOf(shared, {
    name,
    id: id ?? `${head.w}.${q}`,
    own: id === undefined ? undefined : true,
    ts,
    props: gpc && name === 'consent' ? withoutSharing(props) : cleanBuiltIn(name, props),
    goals: met.goals,
    revenue: met.revenue,
    currency: met.currency,
  })
}

/** The most telling reason for an event that has the wrong shape. */
function refuseEvent(event: unknown): Refusal {
  const [error] = isEvent.Errors(event)
  const field = error?.instancePath.split('/')[1] ?? ''
  const reasons: Record<string, Reason> = {
    n: 'name-invalid',
    id: 'id-invalid',
    t: 'time-invalid',
    d: 'properties-invalid',
  }
  return { reason: reasons[field] ?? 'event-invalid', detail: error ? `${error.instancePath} ${error.message}` : '' }
}
