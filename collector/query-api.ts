/**
 * `POST /api/v2/query`: counts, as Plausible's Stats API v2 asks for them. A question stops when all its askers have gone,
 * and one caller can have some at work at a time.
 */
import type { RequestHandler } from 'express'
import { callerOf, siteNamed } from './caller.ts'
import { createLimits } from './limits.ts'
import { problem } from './problem.ts'
import type { Queries } from './query/index.ts'
import { DOCTOR_SITE, type Sites } from './sites/index.ts'

export function serveQuery(
  queries: Queries,
  sites: Pick<Sites, 'get'>,
  clock: () => number,
  limits = createLimits(clock),
): RequestHandler {
  return async (request, response) => {
    const body: unknown = request.body
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      return problem(response, 'body-invalid', 'a JSON object with site_id, metrics and date_range')
    const site = siteNamed((body as { site_id?: unknown }).site_id, 'site_id', response, sites, 'read')
    if (!site) return
    if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
    const entrance = limits.enter(callerOf(response))
    if ('code' in entrance) return problem(response, entrance.code, entrance.detail, entrance.retryAfter)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    try {
      const answer = await queries.ask(body, site, gone.signal, entrance.turn)
      if (gone.signal.aborted) return
      if ('code' in answer) problem(response, answer.code, answer.detail)
      else response.json(answer)
    } catch (error) {
      if (!gone.signal.aborted) throw error
    } finally {
      entrance.leave()
    }
  }
}
