/**
 * `POST /api/v2/query`: counts, as Plausible's Stats API v2 asks for them, and beside it the analyses. A question stops when all
 * its askers have gone, and one caller can have some at work at a time. With `Accept: application/x-ndjson` the answer is the last
 * line; where it takes long, an estimate is the one before, as soon as it is known. So a list of questions can be asked, too:
 * a browser has six connections, and a question holds one until its last line.
 */
import type { RequestHandler, Response } from 'express'
import { AS_IT_COMES } from './as-it-comes.ts'
import { callerOf, siteNamed } from './caller.ts'
import { type createLimits, LIMITS } from './limits.ts'
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

interface Refused {
  code: keyof typeof PROBLEMS
  detail?: string
  /** s */
  retryAfter?: number
}

/** @param limits of all that one caller asks */
export function serveQuery(
  ask: Ask,
  sites: Pick<Sites, 'get'>,
  limits: ReturnType<typeof createLimits>,
): RequestHandler {
  const answer = async (
    body: object,
    site: Site,
    response: Response,
    signal: AbortSignal,
    tell?: (line: object) => void,
  ): Promise<object | Refused> => {
    const entrance = limits.enter(callerOf(response))
    if ('code' in entrance) return entrance
    try {
      return await ask(body, site, signal, entrance.turn, tell)
    } finally {
      entrance.leave()
    }
  }

  return async (request, response) => {
    const body: unknown = request.body
    const wantsLines = request.accepts(['application/json', NDJSON]) === NDJSON
    const list = Array.isArray(body) ? body : undefined
    if (list && !(wantsLines && isOfOneSite(list))) return problem(response, 'body-invalid', OF_LISTS)
    const [first] = list ?? [body]
    if (!isObject(first)) return problem(response, 'body-invalid', 'a JSON object with site_id, date_range and more')
    const site = siteNamed(first.site_id, 'site_id', response, sites, 'read')
    if (!site) return
    if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const tell = (line: object): void => {
      if (gone.signal.aborted) return
      if (!response.headersSent) response.type(NDJSON).set(AS_IT_COMES)
      response.write(lineOf(line))
    }

    if (list) {
      const each = async (one: object, question: number): Promise<void> => {
        const say = (line: object): void => tell({ question, ...line })
        try {
          // One of its own, as each question listens to it several times.
          const said = await answer(one, site, response, AbortSignal.any([gone.signal]), say)
          say(isRefused(said) ? problemOf(said.code, said.detail) : said)
        } catch (error) {
          if (gone.signal.aborted) return
          say(problemOf('unavailable'))
          throw error
        }
      }
      const ended = await Promise.allSettled(list.map(each))
      response.end()
      const failed = ended.find(({ status }) => status === 'rejected')
      // As of a single question: whoever serves the app tells of it.
      if (failed?.status === 'rejected') throw failed.reason
      return
    }
    try {
      const said = await answer(first, site, response, gone.signal, wantsLines ? tell : undefined)
      if (gone.signal.aborted) return
      if (isRefused(said)) endWith(response, said)
      else if (wantsLines) {
        tell(said)
        response.end()
      } else response.json(said)
    } catch (error) {
      if (gone.signal.aborted) return
      if (response.headersSent) endWith(response, { code: 'unavailable' })
      throw error
    }
  }
}

const OF_LISTS = `a list is of 1 to ${LIMITS.atOnce} questions of one site, and answered in lines: send \`Accept: ${NDJSON}\``

const isObject = (value: unknown): value is { site_id?: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function isOfOneSite(list: readonly unknown[]): boolean {
  const [first] = list
  const isSame = (one: unknown): boolean => isObject(one) && isObject(first) && one.site_id === first.site_id
  return list.length > 0 && list.length <= LIMITS.atOnce && list.every(isSame)
}

/** After an estimate it is the last line. */
function endWith(response: Response, { code, detail, retryAfter }: Refused): void {
  if (!response.headersSent) problem(response, code, detail, retryAfter)
  else response.end(lineOf(problemOf(code, detail)))
}

const isRefused = (said: object | Refused): said is Refused => 'code' in said
