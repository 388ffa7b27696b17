/**
 * `POST /api/v2/query`: counts, as Plausible's Stats API v2 asks for them. A question stops when its asker goes, and one
 * caller can have some at work at a time.
 */
import type { RequestHandler } from 'express'
import { callerOf, siteNamed } from './caller.ts'
import { problem } from './problem.ts'
import type { Queries } from './query/index.ts'
import { DOCTOR_SITE, type Sites } from './sites/index.ts'

/** Questions of one caller that are at work at a time; of the others it is said when to come again. */
export const AT_ONCE = 4
/** What the database says when a question took too long. */
const TOO_LONG = 50

export function serveQuery(queries: Queries, sites: Pick<Sites, 'get'>): RequestHandler {
  const atWork = new Map<string, number>()
  return async (request, response) => {
    const body: unknown = request.body
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      return problem(response, 'body-invalid', 'a JSON object with site_id, metrics and date_range')
    const site = siteNamed((body as { site_id?: unknown }).site_id, 'site_id', response, sites, 'read')
    if (!site) return
    if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
    const caller = callerOf(response)
    const name = caller === 'owner' ? caller : caller.id
    const now = atWork.get(name) ?? 0
    if (now >= AT_ONCE) return problem(response, 'too-many-queries', `${AT_ONCE} are at work.`)
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    atWork.set(name, now + 1)
    try {
      const answer = await queries.ask(body, site, gone.signal)
      if (gone.signal.aborted) return
      if ('code' in answer) problem(response, answer.code, answer.detail)
      else response.json(answer)
    } catch (error) {
      if (gone.signal.aborted) return
      if ((error as { code?: unknown }).code !== TOO_LONG) throw error
      problem(response, 'query-timeout', 'Ask a shorter date_range, or fewer dimensions and filters.')
    } finally {
      const left = (atWork.get(name) ?? 1) - 1
      if (left > 0) atWork.set(name, left)
      else atWork.delete(name)
    }
  }
}
