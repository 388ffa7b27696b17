/**
 * The hot routes, answered in front of Express by the same server: `POST /e` and `GET /p.gif`. Nothing is answered as
 * taken before the journal page is on disk at a majority.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BlockList } from 'node:net'
import { type DebugAnswer, LIMITS } from '../../tag/wire.ts'
import { type Journal, JournalError } from '../journal/index.ts'
import type { Log } from '../log.ts'
import type { Sites } from '../sites/index.ts'
import { type Acceptance, accept } from './accept.ts'
import { askedFor } from './address.ts'
import { readVisitor, writeVisitor } from './cookie.ts'
import { corsFor, PREFLIGHT } from './cors.ts'
import { acceptPixel, GIF } from './pixel.ts'
import type { Places } from './places.ts'
import { createReader } from './reader.ts'
import { REASONS, type Reason, type Refusal } from './reasons.ts'
import type { Rejects } from './rejects.ts'
import type { Salts } from './salts.ts'

/** Seconds after which a refused client may try again. */
const RETRY_AFTER = '2'
const GIF_TEXT = GIF.toString('latin1')
const PIXEL_HEADERS = {
  'content-type': 'image/gif',
  'content-length': GIF.length,
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'cross-origin',
}

export interface IntakeParts {
  journal: Pick<Journal, 'append'>
  sites: Pick<Sites, 'get' | 'cookieDomains'>
  rejects: Pick<Rejects, 'add'>
  salts: Salts
  places: Pick<Places, 'find'>
  trustProxy: BlockList
  log: Log
  clock(): number
}

/** Answers a request for a hot route; gives back false for every other request, untouched. */
export type Intake = (request: IncomingMessage, response: ServerResponse) => boolean

/** @param remote the socket's address, which it has no more when it is closed while the body is read */
type Route = (
  request: IncomingMessage,
  response: ServerResponse,
  query: string,
  remote: string | undefined,
) => Promise<void>

export function createIntake(parts: IntakeParts): Intake {
  const { journal, sites, rejects, trustProxy, log } = parts
  const read = createReader(parts)
  const cors = (request: IncomingMessage) => corsFor(request.headers.origin, sites.cookieDomains())
  /** `Set-Cookie`, where the visitor's cookie has to change: one that is there already is not set again. */
  const cookies = (request: IncomingMessage, { cookie }: Acceptance): Record<string, string> => {
    if (!cookie || cookie.id === readVisitor(request.headers.cookie)) return {}
    const { host, secure } = askedFor(request, trustProxy)
    return { 'set-cookie': writeVisitor(cookie, host, secure) }
  }
  const noteRefusal = (site: string, { reason, detail }: Refusal, name = ''): void => {
    rejects.add(site, name, reason)
    if (log.isLevelEnabled('debug')) log.debug({ reason, detail, site }, 'refused')
  }
  const whyNotStored = (error: unknown): 'overloaded' => {
    if (!(error instanceof JournalError)) log.error({ err: error }, 'a request failed')
    else if (error.why === 'away') log.warn({ err: error.cause }, 'a page could not be written')
    return 'overloaded'
  }

  const events: Route = async (request, response, query, remote) => {
    const body = await readBody(request)
    const allowed = cors(request)
    if (body === undefined) return refuse(response, { reason: 'body-too-large' }, { ...allowed, ...close(request) })
    let result: Acceptance
    try {
      result = await read(request, remote, around => accept(body, around))
    } catch (error) {
      return refuse(response, { reason: whyNotStored(error) }, allowed)
    }
    for (const { site, name, ...rejection } of result.rejected) noteRefusal(site, rejection, name)
    if (result.refusal) {
      noteRefusal('', result.refusal)
      return refuse(response, result.refusal, allowed)
    }
    if (result.events.length > 0) {
      try {
        await journal.append(result.events, result.bytes)
      } catch (error) {
        return refuse(response, { reason: whyNotStored(error) }, allowed)
      }
    }
    const reasons = [...new Set(result.rejected.map(({ reason }) => reason))].join(', ')
    const headers = { ...allowed, ...cookies(request, result), ...(reasons && { 'x-livetag': reasons }) }
    if (!/(^|&)debug\b/.test(query)) return void response.writeHead(204, headers).end()
    const rejected = result.rejected.map(({ q, reason, detail }) => ({ q, reason, ...(detail && { detail }) }))
    const answer: DebugAnswer = { accepted: result.events.length, rejected }
    response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }

  const pixel: Route = async (request, response, query, remote) => {
    const answer = (reason?: Reason) => {
      const headers = reason === undefined ? PIXEL_HEADERS : { ...PIXEL_HEADERS, 'x-livetag': reason }
      response.writeHead(200, reason === 'overloaded' ? { ...headers, 'retry-after': RETRY_AFTER } : headers)
      // As text: Node then writes headers and body in one piece, which costs a third less than two.
      if (request.method === 'HEAD') response.end()
      else response.end(GIF_TEXT, 'latin1')
    }
    // Only a GET counts: scanners and link previews ask with HEAD.
    if (request.method !== 'GET') return answer('method-not-allowed')
    try {
      const event = await read(request, remote, around => acceptPixel(query, request.headers.referer ?? '', around))
      if ('reason' in event) {
        noteRefusal(event.site, event)
        return answer(event.reason)
      }
      await journal.append([event], 400 + query.length + 2 * event.url.length)
      answer()
    } catch (error) {
      answer(whyNotStored(error))
    }
  }

  return (request, response) => {
    const [path, query = ''] = split(request.url ?? '')
    const route = path === '/e' ? events : path === '/p.gif' ? pixel : undefined
    if (!route) return false
    if (route === events && request.method !== 'POST') {
      request.resume()
      if (request.method === 'OPTIONS') response.writeHead(204, { ...cors(request), ...PREFLIGHT }).end()
      else refuse(response, { reason: 'method-not-allowed' }, { ...cors(request), allow: 'POST, OPTIONS' })
      return true
    }
    route(request, response, query, request.socket.remoteAddress).catch(error => {
      // The client went away in the middle, or there is a mistake in here: neither may end the process.
      if (!request.destroyed || !response.destroyed) log.error({ err: error }, 'a request failed')
      if (!response.headersSent && !response.destroyed) refuse(response, { reason: 'overloaded' }, cors(request))
    })
    return true
  }
}

function split(url: string): [string, string?] {
  const at = url.indexOf('?')
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)]
}

/** The rest of a body that is too large is not read: the connection ends with the answer. */
const close = (request: IncomingMessage): Record<string, string> => {
  request.resume()
  return { connection: 'close' }
}

function refuse(response: ServerResponse, { reason, detail }: Refusal, headers: Record<string, string>): void {
  const { status, means } = REASONS[reason]
  const problem = { type: 'about:blank', title: means, status, reason, ...(detail && { detail }) }
  response
    .writeHead(status, {
      'content-type': 'application/problem+json',
      'x-livetag': reason,
      ...(status === 503 && { 'retry-after': RETRY_AFTER }),
      ...headers,
    })
    .end(JSON.stringify(problem))
}

/** The body as text; `undefined` when it is larger than the limit. Rejects when the client goes away. */
function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > LIMITS.bodyBytes) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > LIMITS.bodyBytes) {
        request.removeAllListeners('data')
        resolve(undefined)
      } else chunks.push(chunk)
    })
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] ? chunks[0].toString('utf8') : Buffer.concat(chunks).toString('utf8')),
    )
    request.on('error', reject)
  })
}
