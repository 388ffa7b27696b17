/** Who asks the API: the owner (by key or signed in), or a program with an API key, and what each may do. */
import type { Request, RequestHandler, Response } from 'express'
import type { Access } from './access.ts'
import { problem } from './problem.ts'
import { type ApiKey, DOCTOR_SITE, isFor, type Keys, mayUse, type Scope, type Site, type Sites } from './sites/index.ts'

export type Caller = 'owner' | ApiKey

/** Refuses who is nobody; who it is stands in `response.locals` from here on. */
export const identify =
  (access: Access, keys: Keys): RequestHandler =>
  async (request, response, next) => {
    const [scheme = '', text = ''] = (request.get('authorization') ?? '').split(' ')
    const key = scheme.toLowerCase() === 'bearer' ? await keys.find(text) : undefined
    const caller: Caller | undefined = key ?? (access.allows(request) ? 'owner' : undefined)
    if (!caller) return problem(response, 'not-signed-in')
    response.locals.caller = caller
    next()
  }

export const callerOf = (response: Response): Caller => response.locals.caller

/** Lets only the owner through. */
export const ownerOnly: RequestHandler = (_, response, next) => {
  if (callerOf(response) === 'owner') next()
  else problem(response, 'not-allowed', 'This is for the owner.')
}

/** Whether the caller may do this with a site that there is. */
export const may = (caller: Caller, scope: Scope, site: string): boolean =>
  caller === 'owner' || mayUse(caller, scope, site)

/**
 * The site that a request is about (`site=<key>`), if the caller may do this with it; else the problem is answered. To
 * a key of other sites it is one that does not exist.
 */
export const siteAsked = (
  request: Request,
  response: Response,
  sites: Pick<Sites, 'get'>,
  scope: Scope,
): Site | undefined => siteNamed(request.query.site, 'site', response, sites, scope)

/** The same of a site that stands in a field of this name. */
export function siteNamed(
  key: unknown,
  field: string,
  response: Response,
  sites: Pick<Sites, 'get'>,
  scope: Scope,
): Site | undefined {
  if (typeof key !== 'string') return void problem(response, 'parameter-invalid', `${field}: the key of a site`)
  const caller = callerOf(response)
  const site = key === DOCTOR_SITE && caller !== 'owner' ? undefined : sites.get(key)
  const knows = caller === 'owner' || isFor(caller, key)
  if (!site || !knows) return void problem(response, 'site-unknown')
  if (!may(caller, scope, key))
    return void problem(response, 'not-allowed', `This takes a key with the scope ${scope}.`)
  return site
}
