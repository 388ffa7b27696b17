/** Events → the body of a request. */
import { consentFlag } from './consent.ts'
import { sessionId, visitorId } from './identity.ts'
import { options } from './options.ts'
import { encode } from './props.ts'
import type { Pending } from './queue.ts'
import type { Envelope } from './wire.ts'

/** A list of envelopes as JSON: one for each run of events of the same page view, so that their order stays. */
export const seal = (batch: Pending[]): string => {
  const t = Date.now()
  const c = consentFlag()
  const envelopes: Envelope[] = []
  let last: Envelope | undefined
  for (const { view, callback, ...event } of batch) {
    if (last?.w !== view.w) {
      // What is undefined is left out by JSON. A withdrawal names neither visitor nor session.
      const ids = { i: visitorId(), k: c === 'd' ? undefined : sessionId() }
      last = { s: options.site, t, ...view, c, ...ids, e: [] as Envelope['e'] } as Envelope
      envelopes.push(last)
    }
    last.e.push({ ...event, t: t - event.t })
  }
  return encode(envelopes)
}
