/**
 * `GET /p/<token>.gif` and `GET /l/<token>`, answered in front of Express. An image is always answered with the image; a link
 * that was registered always leads on, counted or not, and one that was not leads nowhere.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Reason, Rejects } from '../intake/index.ts'
import { JournalError } from '../journal/index.ts'
import type { Log } from '../log.ts'
import { within } from '../within.ts'
import { type Count, EMAIL_EVENTS, type Visit } from './count.ts'
import type { HeldMailing } from './folder.ts'
import { answerGif, readRange } from './gif.ts'
import type { Known } from './known.ts'
import { isExpired, readToken } from './token.ts'
import type { Uncounted } from './uncounted.ts'

/** How long a person waits for a click to be counted, ms: with all the rest less than a second. */
const CLICK_MS = 500
/** How long a mailing that this collector has not seen yet is looked for, ms. */
const FIND_MS = 200
const LOST = 'This link leads nowhere. It may have been cut off: please open it again from the mail.\n'

export interface EmailRoutesParts {
  known: Known
  /** looks for a mailing in the database; absent where there is none */
  find?: ((number: number) => Promise<HeldMailing | undefined>) | undefined
  count: Count
  uncounted: Pick<Uncounted, 'add'>
  rejects: Pick<Rejects, 'add'>
  log: Log
  clock(): number
}

/** Answers a request for a mail's pixel or link; gives back false for every other request, untouched. */
export type EmailRoutes = (request: IncomingMessage, response: ServerResponse) => boolean

const PATH = /^\/(?:p\/([^/?]*)\.gif|l\/([^/?]*))(?:\?|$)/

export function createEmailRoutes(parts: EmailRoutesParts): EmailRoutes {
  const { known, find, count, uncounted, rejects, log, clock } = parts

  // At once, without a promise, for nearly all: their mailing is held.
  const readVisit = (
    of: Visit['of'],
    text: string,
    request: IncomingMessage,
    remote: string | undefined,
  ): Visit | undefined | Promise<Visit | undefined> => {
    const token = readToken(text, known.key)
    // A pixel's is not a link's.
    if (!token || (of === 'open') !== (token.link === 0)) return undefined
    const visitOf = (mailing: HeldMailing | undefined) => mailing && { of, token, mailing, request, remote }
    const mailing = known.mailing(token.mailing)
    if (mailing || !find) return visitOf(mailing)
    return within(find(token.mailing), FIND_MS, 'a mailing').then(visitOf, () => undefined)
  }
  const counted = async (visit: Visit): Promise<Reason | undefined> => {
    if (isExpired(visit.token, clock())) return 'token-expired'
    try {
      return await count(visit)
    } catch (error) {
      if (!(error instanceof JournalError && error.why === 'full'))
        log.warn({ err: error }, 'an open or click of a mail could not be counted')
      uncounted.add(visit.mailing.number, visit.of === 'open' ? 'opens' : 'clicks')
      return 'overloaded'
    }
  }
  const refused = (of: Visit['of'], site: string, reason: Reason | undefined): void => {
    // Of who withdrew nothing is written, not even that there was something. What could not be written is counted apart.
    if (reason !== undefined && reason !== 'withdrawn' && reason !== 'overloaded')
      rejects.add(site, EMAIL_EVENTS[of], reason)
  }

  const pixel = async (
    text: string,
    request: IncomingMessage,
    response: ServerResponse,
    remote: string | undefined,
  ) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return answerGif(request, response, 'method-not-allowed')
    const read = readVisit('open', text, request, remote)
    const visit = read instanceof Promise ? await read : read
    if (!visit) {
      refused('open', '', 'token-invalid')
      return answerGif(request, response, 'token-invalid')
    }
    if ((readRange(request)?.first ?? 0) > 0) return answerGif(request, response, 'range-continued')
    const reason = await counted(visit)
    refused('open', visit.mailing.site, reason)
    answerGif(request, response, reason)
  }

  const link = async (text: string, request: IncomingMessage, response: ServerResponse, remote: string | undefined) => {
    const visit = await readVisit('click', text, request, remote)
    const destination = visit?.mailing.links[visit.token.link - 1]
    if (!visit || destination === undefined) {
      refused('click', '', 'token-invalid')
      return answerText(request, response, 404, 'token-invalid', LOST)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answerText(request, response, 405, 'method-not-allowed', 'This link takes GET.\n')
    // Counted before it leads on, but nobody is held up: what comes of it later is reported, too.
    const reason = await within(counted(visit), CLICK_MS, 'a click').catch((): Reason => 'overloaded')
    refused('click', visit.mailing.site, reason)
    response
      .writeHead(302, {
        ...PRIVATE,
        location: destination,
        'content-length': 0,
        ...(reason && { 'x-livetag': reason }),
      })
      .end()
  }

  return (request, response) => {
    const [, image, text] = PATH.exec(request.url ?? '') ?? []
    if (image === undefined && text === undefined) return false
    const remote = request.socket.remoteAddress
    const answering =
      image !== undefined ? pixel(image, request, response, remote) : link(text ?? '', request, response, remote)
    answering.catch(error => {
      log.error({ err: error }, 'a request failed')
      if (response.headersSent || response.destroyed) return
      if (image !== undefined) answerGif(request, response, 'overloaded')
      else answerText(request, response, 404, 'overloaded', LOST)
    })
    return true
  }
}

/** Nobody keeps the answer, and where it leads to does not learn by what. */
const PRIVATE = { 'cache-control': 'no-store, private', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' }

function answerText(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  reason: Reason,
  text: string,
): void {
  request.resume()
  response.writeHead(status, {
    ...PRIVATE,
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
    'x-livetag': reason,
    ...(status === 405 && { allow: 'GET, HEAD' }),
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}
