/**
 * `POST /api/v2/query`: counts, as Plausible's Stats API v2 asks for them, and beside it the analyses. A question stops when all
 * its askers have gone, and one caller can have some at work at a time. With `Accept: application/x-ndjson` the answer is the last
 * line; where it takes long, an estimate is the one before, as soon as it is known.
 */
import type { RequestHandler, Response } from 'express'
import { callerOf, siteNamed } from './caller.ts'
import type { createLimits } from './limits.ts'
import { lineOf, NDJSON } from './ndjson.ts'
import { type PROBLEMS, problem, problemOf } from './problem.ts'
import type { Fault, Turn } from './query/index.ts'
import { DOCTOR_SITE, type Site, type Sites } from './sites/index.ts'

/** Answers one body. @param tell takes what is known before */
type Ask = (
  body: unknown,
  site: Site,
  signal: AbortSignal,
  turn: Turn,
  tell?: (estimate: object) => void,
) => Promise<object | Fault>

/** @param limits of all that one caller asks */
export function serveQuery(
  ask: Ask,
  sites: Pick<Sites, 'get'>,
  limits: ReturnType<typeof createLimits>,
): RequestHandler {
  return async (request, response) => {
    const body: unknown = request.body
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      return problem(response, 'body-invalid', 'a JSON object with site_id, date_range and more')
    const site = siteNamed((body as { site_id?: unknown }).site_id, 'site_id', response, sites, 'read')
    if (!site) return
    if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
    const entrance = limits.enter(callerOf(response))
    if ('code' in entrance) return problem(response, entrance.code, entrance.detail, entrance.retryAfter)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const wantsLines = request.accepts(['application/json', NDJSON]) === NDJSON
    const tell = (line: object): void => {
      if (!response.headersSent) response.type(NDJSON)
      response.write(lineOf(line))
    }
    try {
      const answer = await ask(body, site, gone.signal, entrance.turn, wantsLines ? tell : undefined)
      if (gone.signal.aborted) return
      if (isFault(answer)) endWith(response, answer.code, answer.detail)
      else if (wantsLines) {
        tell(answer)
        response.end()
      } else response.json(answer)
    } catch (error) {
      if (gone.signal.aborted) return
      if (response.headersSent) endWith(response, 'unavailable')
      throw error
    } finally {
      entrance.leave()
    }
  }
}

/** After an estimate it is the last line. */
function endWith(response: Response, code: keyof typeof PROBLEMS, detail?: string): void {
  if (!response.headersSent) problem(response, code, detail)
  else response.end(lineOf(problemOf(code, detail)))
}

const isFault = (answer: object | Fault): answer is Fault => 'code' in answer
