/**
 * Events of the site's own servers: `POST /api/v2/events?site=<key>` with readable fields. They become envelopes and go the
 * way of all others: the same checks, the same reasons, the same page.
 */
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { type ConsentFlag, type Envelope, LIMITS } from '../../tag/wire.ts'
import type { Journal } from '../journal/index.ts'
import type { ConsentMode, Site } from '../sites/index.ts'
import { type Acceptance, acceptAll } from './accept.ts'
import { readAgent } from './agent.ts'
import { newId } from './cookie.ts'
import { NOWHERE } from './mmdb.ts'
import type { Reason, Refusal } from './reasons.ts'
import type { Rejects } from './rejects.ts'

const Id = Type.String({ pattern: '^[0-9A-Za-z_-]{1,128}$' })

/** An event as a server sends it. */
export const ServerEvent = Type.Object({
  name: Type.String(),
  /** when it happened: ms since the epoch, or ISO 8601 with a zone; now if absent, at most 7 days ago */
  time: Type.Optional(Type.Union([Type.Number(), Type.String()])),
  /** of the page that it is about; the site's own root if absent */
  url: Type.Optional(Type.String({ maxLength: LIMITS.url })),
  /** as a tag's: `revenue` is `{amount, currency}` */
  properties: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  /** the caller's own (an order number): counted once with this name, whatever happens. Without one, a repeat counts again. */
  id: Type.Optional(Type.String({ minLength: 1, maxLength: LIMITS.id })),
  /** the visitor's id, and the session's, as the tag has them in the cookies `lt` and `lts` */
  visitor: Type.Optional(Id),
  session: Type.Optional(Id),
  /** what the visitor agreed to; if absent, what the site's mode needs, but `required` needs `granted` said */
  consent: Type.Optional(Type.Enum(['granted', 'cookieless', 'none'])),
  /** the visitor's, not the server's */
  userAgent: Type.Optional(Type.String({ maxLength: 512 })),
})
export type ServerEvent = Static<typeof ServerEvent>

const isServerEvent = Compile(ServerEvent)
const FLAGS: Record<NonNullable<ServerEvent['consent']>, ConsentFlag> = { granted: 'g', cookieless: 'l', none: 'x' }
/** `required` asks for more than this, which is then the reason. */
const USUAL: Record<ConsentMode, ConsentFlag> = { required: 'x', cookieless: 'l', none: 'x' }
const UNKNOWN = { browser: '', os: '', device: '' }

export interface ServerAnswer {
  accepted: number
  /** by their place in the list, from 0 */
  rejected: { index: number; reason: Reason; detail?: string }[]
}

export interface ServerEventsParts {
  journal: Pick<Journal, 'append'>
  rejects: Pick<Rejects, 'add'>
  clock(): number
}

/** @throws JournalError and then the events may or may not be there: those with ids of their own can be sent again */
export type TakeServerEvents = (site: Site, events: unknown[]) => Promise<ServerAnswer>

export function createServerEvents({ journal, rejects, clock }: ServerEventsParts): TakeServerEvents {
  return async (site, events) => {
    const received = clock()
    const rejected: ServerAnswer['rejected'] = []
    const taken: Pick<Acceptance, 'events' | 'bytes'> = { events: [], bytes: 0 }
    for (const [index, event] of events.entries()) {
      const { accepted, refusal } = acceptOne(site, event, received)
      if (refusal) {
        rejects.add(site.key, '', refusal.reason)
        rejected.push({ index, ...refusal })
      }
      taken.events.push(...accepted.events)
      taken.bytes += accepted.bytes
    }
    if (taken.events.length > 0) await journal.append(taken.events, taken.bytes)
    return { accepted: taken.events.length, rejected }
  }
}

const NONE = { events: [], bytes: 0 }

function acceptOne(
  site: Site,
  event: unknown,
  received: number,
): { accepted: Pick<Acceptance, 'events' | 'bytes'>; refusal?: Refusal } {
  if (!isServerEvent.Check(event)) {
    const [error] = isServerEvent.Errors(event)
    const detail = error ? `${error.instancePath} ${error.message}`.trim() : ''
    return { accepted: NONE, refusal: { reason: 'event-invalid', detail } }
  }
  const at = event.time === undefined ? received : +new Date(event.time)
  // A time without a zone would mean another one on another machine.
  const zoned = typeof event.time !== 'string' || /(Z|[+-]\d\d:?\d\d)$/i.test(event.time)
  if (!Number.isFinite(at) || !zoned) return { accepted: NONE, refusal: { reason: 'time-invalid' } }
  const envelope: Envelope = {
    s: site.key,
    t: received,
    w: newId(),
    p: { u: event.url ?? `https://${site.domain}/` },
    c: event.consent ? FLAGS[event.consent] : USUAL[site.consent],
    ...(event.visitor !== undefined && { i: event.visitor }),
    ...(event.session !== undefined && { k: event.session }),
    e: [
      {
        n: event.name,
        q: 0,
        t: received - at,
        ...(event.properties && { d: event.properties }),
        ...(event.id !== undefined && { id: event.id }),
      },
    ],
  }
  const accepted = acceptAll([envelope], {
    received,
    agent: event.userAgent ? readAgent(event.userAgent) : UNKNOWN,
    site: () => site,
    visitor: () => '',
    // Whose address it is that the server would have to tell is nobody's to guess.
    cookieless: () => undefined,
    place: () => NOWHERE,
    gpc: false,
  })
  const refusal = accepted.refusal ?? accepted.rejected[0]
  if (!refusal) return { accepted }
  const { reason, detail } = refusal
  return { accepted: NONE, refusal: detail === undefined ? { reason } : { reason, detail } }
}
