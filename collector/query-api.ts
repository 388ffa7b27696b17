/**
 * `POST /api/v2/query`: counts, as Plausible's Stats API v2 asks for them, and beside it the analyses. A question stops when all
 * its askers have gone, and one caller can have some at work at a time.
 */
import type { RequestHandler } from 'express'
import { callerOf, siteNamed } from './caller.ts'
import type { createLimits } from './limits.ts'
import { problem } from './problem.ts'
import type { Fault, Turn } from './query/index.ts'
import { DOCTOR_SITE, type Site, type Sites } from './sites/index.ts'

/** Answers one body. */
type Ask = (body: unknown, site: Site, signal: AbortSignal, turn: Turn) => Promise<object | Fault>

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
    try {
      const answer = await ask(body, site, gone.signal, entrance.turn)
      if (gone.signal.aborted) return
      if (isFault(answer)) problem(response, answer.code, answer.detail)
      else response.json(answer)
    } catch (error) {
      if (!gone.signal.aborted) throw error
    } finally {
      entrance.leave()
    }
  }
}

const isFault = (answer: object | Fault): answer is Fault => 'code' in answer
