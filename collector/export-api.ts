/**
 * `GET /api/v2/events` and `/sessions`: the record of a site and date range as rows, in parts if asked for. `GET /api/v2/stream`:
 * each event once, as it is counted. All are sent as fast as they are read, and end when the right to read them does.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Db } from 'mongodb'
import { AS_IT_COMES } from './as-it-comes.ts'
import { callerOf, siteNamed } from './caller.ts'
import {
  COLUMNS,
  CursorExpired,
  checkCursor,
  endOfPart,
  FORMATS,
  feedCursor,
  follow,
  fromFeedCursor,
  KINDS,
  type Kind,
  readEnd,
  readRows,
  type Told,
} from './export/index.ts'
import { readExport, readStream } from './export-request.ts'
import { createLimits, LIMITS } from './limits.ts'
import type { Log } from './log.ts'
import { lineOf, NDJSON } from './ndjson.ts'
import { problem } from './problem.ts'
import { faultOf } from './query/index.ts'
import { DOCTOR_SITE, type Site, type Sites } from './sites/index.ts'
import type { Viewers } from './viewers.ts'

/** Exports and streams at a time, of one caller and of all: each holds some MB. */
export const AT_ONCE = { caller: 4, all: 16 } as const
/** Fast, as there are cores for other things: lines become a seventh of their size. */
const GZIP = { level: 1 } as const
const SSE = 'text/event-stream'
/** For how long a stream may say nothing, ms. */
const HEARTBEAT_MS = 15_000

export interface ExportParts {
  db: Db
  sites: Pick<Sites, 'get'>
  viewers: Viewers
  log: Log
  /** ms */
  clock(): number
  heartbeatMs?: number
}

type Act = (request: Request, response: Response, site: Site, signal: AbortSignal) => Promise<void>

export function exportRoutes({ db, sites, viewers, log, clock, heartbeatMs = HEARTBEAT_MS }: ExportParts): Router {
  const limits = createLimits(clock, { ...LIMITS, atOnce: AT_ONCE.caller })
  let open = 0

  const bounded =
    (act: Act): RequestHandler =>
    async (request, response) => {
      const site = siteNamed(request.query.site_id, 'site_id', response, sites, 'records')
      if (!site) return
      if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
      const caller = callerOf(response)
      const entrance = limits.enter(caller)
      if ('code' in entrance) return problem(response, entrance.code, entrance.detail, entrance.retryAfter)
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      const noLonger = viewers.add(caller, response.locals.credential, site.key, () => response.destroy())
      open++
      try {
        if (open > AT_ONCE.all) return problem(response, 'too-many-queries', `${AT_ONCE.all} exports are on their way.`)
        await act(request, response, site, gone.signal)
      } catch (error) {
        if (gone.signal.aborted) return
        const fault = faultOf(error)
        if (!response.headersSent && fault) return problem(response, fault.code, fault.detail)
        if (!response.headersSent) throw error
        // Nothing more can be said: without its last chunk an answer is known to be cut.
        log.warn({ err: error, site: site.key }, 'an export was cut')
        response.destroy()
      } finally {
        open--
        entrance.leave()
        noLonger?.()
      }
    }

  const serveRows =
    (kind: Kind): Act =>
    async (request, response, site, signal) => {
      const read = await readExport(kind, request, { db, site, now: clock(), signal })
      if ('code' in read) return problem(response, read.code, read.detail)
      const { asked, format, limit, next } = read
      const { type, isPacked, encode } = FORMATS[format]
      response
        .attachment(`${site.key}-${kind}.${format}`)
        .type(type)
        .vary('accept, accept-encoding')
        // Read first: what is counted from here on may be in the rows as well, and is in the stream for sure.
        .set('x-livetag-stream-cursor', feedCursor(site.key, await readEnd(db)))
      const end = limit === undefined ? undefined : await endOfPart(db, asked, limit)
      if (end !== undefined) {
        response.links({ next: `${request.baseUrl}${request.path}?${next(end)}` })
        asked.to = end
      }
      if (request.method === 'HEAD') return void response.end()
      const stored = readRows(db, asked)
      try {
        const rows = await begin(stored)
        const isZipped = !isPacked && request.acceptsEncodings(['gzip', 'identity']) === 'gzip'
        if (isZipped) response.set('content-encoding', 'gzip')
        const source = Readable.from(encode(COLUMNS[kind], rows))
        await (isZipped ? pipeline(source, createGzip(GZIP), response) : pipeline(source, response))
      } finally {
        // Who left before the first was read has started nothing that would close it.
        await stored.return(undefined)
      }
    }

  const serveStream: Act = async (request, response, site, signal) => {
    const asked = readStream(request)
    if ('code' in asked) return problem(response, asked.code, asked.detail)
    const cursor = asked.cursor === undefined ? await readEnd(db) : fromFeedCursor(site.key, asked.cursor)
    if (!cursor) return problem(response, 'parameter-invalid', 'cursor: that of the last line of a stream of this site')
    try {
      await checkCursor(db, cursor)
    } catch (error) {
      if (!(error instanceof CursorExpired)) throw error
      return problem(response, 'cursor-expired')
    }
    const isSse = request.accepts([NDJSON, SSE]) === SSE
    response
      .type(isSse ? SSE : NDJSON)
      .vary('accept')
      .set(AS_IT_COMES)
    if (request.method === 'HEAD') return void response.end()
    const told = follow({ db, site: site.key, cursor, heartbeat: heartbeatMs, signal })
    await pipeline(Readable.from(linesOf(told, isSse ? toSse : lineOf)), response)
  }

  const router = Router()
  for (const kind of KINDS) router.get(`/${kind}`, bounded(serveRows(kind)))
  router.get('/stream', bounded(serveStream))
  return router
}

/** Reads the first, so that what goes wrong with it can still be answered with a problem. */
async function begin<T>(source: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await source.next()
  return (async function* () {
    if (first.done) return
    yield first.value
    yield* source
  })()
}

/** Without data a browser takes the id, and tells nobody. */
const toSse = ({ cursor, event }: Told): string =>
  `id: ${cursor}\n${event ? `event: event\ndata: ${JSON.stringify(event)}\n` : ''}\n`

async function* linesOf(told: AsyncIterable<Told>, toText: (told: Told) => string): AsyncGenerator<string> {
  for await (const one of told) yield toText(one)
}
