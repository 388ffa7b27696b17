/** When events leave the page, how, and what happens when they do not arrive. */
import { consentFlag, mayKeep } from './consent.ts'
import { seal } from './envelope.ts'
import { document, navigator } from './globals.ts'
import { options } from './options.ts'
import { type Pending, queue, sending } from './queue.ts'
import { safely } from './safely.ts'
import { view } from './view.ts'

/** The browser's 64 KB are shared by all beacons and keepalive fetches in flight, so one batch takes a quarter; bytes */
const BATCH = 16_000
/** Longest wait after a failure, before jitter at most doubles it; ms */
const LONGEST = 32_000

/** 1: even while backing off. 2: by a transport that outlives the page, too. */
export type How = 1 | 2 | undefined

let timer: ReturnType<typeof setTimeout> | 0
/** how long to wait since the last failure, before jitter, ms; 0 when all is well */
let wait = 0
/** whether events have left this page since the last withdrawal */
let sent: boolean

/** Sends in `ms`, or when the back-off ends. */
export const flushIn = (ms: number): void => {
  timer ||= setTimeout(flush, wait * (1 + Math.random()) || ms, 1)
}

const stopTimer = () => {
  clearTimeout(timer)
  timer = 0
}

/** Sends what waits, if it may. */
export const flush = (how?: How): void => {
  if (wait && !how) return
  stopTimer()
  // Titles of single-page apps change after the URL does, so the title is read as late as this.
  view.p.ti = document.title
  // Someone's own user id needs the purpose `identify`, which may have been refused while it waited.
  if (consentFlag() && !document.prerendering)
    deliver(
      queue.splice(0).filter(event => event.n !== 'identify' || mayKeep()),
      how,
    )
}

/** Never rejects, as it is awaited by nobody. */
const deliver = async (batch: Pending[], how: How): Promise<void> => {
  if (!batch[0]) return
  sent = true
  const body = seal(batch)
  const half = batch.length >> 1
  const split = () => {
    deliver(batch.splice(0, half), how)
    deliver(batch, how)
  }
  const done = () => {
    batch.map(safely(event => event.callback?.()))
  }
  // async, as a page's own wrapper of `fetch` may throw
  const post = async (keepalive: boolean) => fetch(options.url, { method: 'POST', body, keepalive })

  if (half && new Blob([body]).size > BATCH) return split()
  if (how === 2 || !('keepalive' in Request.prototype)) {
    if (navigator.sendBeacon(options.url, body)) return done()
    if (half) return split()
  }
  sending.add(batch)
  // A keepalive fetch is refused when the 64 KB are used up; a plain one may still make it.
  const answer = await post(true)
    .catch(() => post(false))
    .catch(() => undefined)
  // gone from the set: consent was withdrawn in the meantime
  if (!sending.delete(batch)) return
  if (answer?.status === 413 && half) return split()
  if (!answer || /5..|408|425|429/.test(`${answer.status}`)) {
    queue.unshift(...batch)
    wait = Number(answer?.headers.get('retry-after')) * 1e3 || Math.min(wait * 2 || 1e3, LONGEST)
    stopTimer()
    flushIn(0)
  } else {
    wait = 0
    done()
  }
}

/** Drops all that is not confirmed; returns whether events had left the page since the last withdrawal. */
export const withdraw = (): boolean => {
  const before = sent
  sent = false
  queue.length = 0
  sending.clear()
  return before
}
