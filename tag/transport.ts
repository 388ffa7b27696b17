/** When events leave the page, how, and what happens when they do not arrive. */
import { flag, mayKeep } from '../consent/state.ts'
import { sessionId, visitorId } from './identity.ts'
import { options } from './options.ts'
import { encode } from './props.ts'
import { sending, type View, view, views } from './queue.ts'
import { reach, safely } from './safely.ts'

/**
 * Longest body, in UTF-16 units. In UTF-8 a unit takes up to three bytes: 48 KB are below what the collector takes, and
 * ASCII leaves three quarters of the 64 KB that all beacons and keepalive fetches in flight share.
 */
const BATCH = 16_000
/** Events are gathered for so long; ms. A page view is flushed by who opens it. */
const GATHER = 1_000
/** Longest wait after a failure, before jitter at most doubles it; ms */
const LONGEST = 32_000

/** 1: even while backing off. 2: by a transport that outlives the page, too. */
export type How = 1 | 2 | undefined

let timer: ReturnType<typeof setTimeout> | undefined
/** how long to wait since the last failure, before jitter, ms; 0 when all is well, `undefined` before the first answer */
let wait: number | undefined

/** Sends what has been gathered, or when the back-off ends. */
export const flushSoon = (): void => {
  timer ||= setTimeout(flush, (wait as number) * (1 + Math.random()) || GATHER, 1)
}

/** Sends what waits, if it may. */
export const flush = (how?: How): void => {
  if (wait && !how) return
  timer = clearTimeout(timer) as undefined
  // Titles of single-page apps change after the URL does, so the title is read as late as this.
  view.p.ti = document.title
  if (flag && !document.prerendering) {
    // Someone's own user id needs the purpose `identify`, which may have been refused while it waited.
    ;[...views.splice(0), view].map(of =>
      deliver({ ...of, e: of.e.splice(0).filter(event => event.n !== 'identify' || mayKeep) }, how),
    )
  }
}

/** Never rejects, as it is awaited by nobody. */
const deliver = async (held: View, how: How): Promise<unknown> => {
  const e = held.e
  if (!e[0]) return
  const t = Date.now()
  const half = e.length >> 1
  // Neither a withdrawal nor what is cookieless names a session.
  if ('gx'.includes(flag as string)) held.k ||= sessionId()
  const envelope = {
    ...held,
    s: options.site,
    t,
    c: flag,
    ...(mayKeep && { i: options.cookie ? '-' : visitorId() }),
    e: e.map(event => ({ ...event, t: t - event.t })),
  }
  reach('send', envelope)
  // A capability took them out: they are never sent.
  if (!envelope.e[0]) return
  const body = encode(envelope)
  const split = () => {
    deliver({ ...held, e: e.splice(0, half) }, how)
    deliver(held, how)
  }
  const done = () => {
    wait = 0
    e.map(safely(event => event.callback?.()))
  }

  const large = body.length > BATCH
  if (half && large) return split()
  if (how === 2) {
    // Nobody hears the answer. Where the last one was bad or is not there yet, it is held to be sent again.
    if (safely(() => navigator.sendBeacon(options.url, body))()) return wait === 0 ? done() : sending.add(held)
    if (half) return split()
  }
  sending.add(held)
  let answer: Response | undefined
  // A keepalive fetch is refused when the 64 KB are used up, and goes again later; a page's own wrapper may throw.
  try {
    answer = await fetch(options.url, {
      method: 'POST',
      body,
      keepalive: !large && sending.size < 5,
      credentials: options.cookie as RequestCredentials,
    })
  } catch {}
  // gone from the set: consent was withdrawn in the meantime
  if (!sending.delete(held)) return
  if (answer?.status === 413 && half) return split()
  // the f is that of undefined: no answer
  if (!answer?.ok && /5..|4(08|25|29)|f/.test(answer?.status as unknown as string)) {
    views.unshift(held)
    // What fails together counts once.
    if (!wait || !timer) {
      wait = Number(answer?.headers.get('retry-after')) * 1e3 || Math.min((wait as number) * 2 || 1e3, LONGEST)
      timer = clearTimeout(timer) as undefined
      flushSoon()
    }
  } else {
    done()
  }
  reach('flushed')
}
