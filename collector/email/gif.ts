/**
 * The image in a mail, as mail clients and proxies ask for it: whole, its head, a part of it (RFC 9110, section 14), or whether
 * it has changed (section 13). What is answered with 304 or from its first byte on is an open as any other.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { GIF, type Reason } from '../intake/index.ts'

const GIF_TEXT = GIF.toString('latin1')
/** One for all: it tells nobody from anybody. */
const ETAG = '"lt"'
const HEADERS = {
  'content-type': 'image/gif',
  'content-length': GIF.length,
  // So that what is opened again is asked for again, where the client lets it be.
  'cache-control': 'no-store, private',
  'cross-origin-resource-policy': 'cross-origin',
  'accept-ranges': 'bytes',
  etag: ETAG,
}

/** The same, name and value in turn: Node then writes them as they are. */
const FLAT = Object.entries(HEADERS).flat() as string[]

interface Range {
  first: number
  last: number
}

/** The one part that is asked for. What can't be made out, or be met, is as if it were not there: the image is small. */
export function readRange({ headers, method }: Pick<IncomingMessage, 'headers' | 'method'>): Range | undefined {
  const { range, 'if-range': unless } = headers
  if (range === undefined || method !== 'GET' || (unless !== undefined && unless !== ETAG)) return undefined
  const [, from = '', to = ''] = /^bytes=(\d{0,9})-(\d{0,9})$/.exec(range) ?? []
  if (from === '' && to === '') return undefined
  const first = from === '' ? Math.max(0, GIF.length - Number(to)) : Number(from)
  const last = from === '' || to === '' ? GIF.length - 1 : Math.min(Number(to), GIF.length - 1)
  return first <= last ? { first, last } : undefined
}

const NOTHING: OutgoingHttpHeaders = {}

/** @param reason why nothing was counted */
export function answerGif(request: IncomingMessage, response: ServerResponse, reason?: Reason): void {
  const extra: OutgoingHttpHeaders = reason === undefined ? NOTHING : { 'x-livetag': reason }
  if (reason === 'overloaded') extra['retry-after'] = '2'
  const { 'if-none-match': known } = request.headers
  if (known !== undefined && (known.trim() === '*' || known.includes(ETAG))) {
    const { 'content-type': _, 'content-length': _l, ...headers } = HEADERS
    response.writeHead(304, { ...headers, ...extra }).end()
    return
  }
  const range = readRange(request)
  if (range) {
    const { first, last } = range
    const part = { 'content-range': `bytes ${first}-${last}/${GIF.length}`, 'content-length': last - first + 1 }
    response.writeHead(206, { ...HEADERS, ...extra, ...part }).end(GIF_TEXT.slice(first, last + 1), 'latin1')
    return
  }
  response.writeHead(200, reason === undefined ? FLAT : { ...HEADERS, ...extra })
  // As text: Node then writes headers and body in one piece.
  if (request.method === 'HEAD') response.end()
  else response.end(GIF_TEXT, 'latin1')
}
