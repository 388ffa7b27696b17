/** Who asks the API, and what each may do with a site. */
import type { Request, RequestHandler, Response } from 'express'
import { type Account, RIGHTS, type Right, type Role, type Share } from './people/index.ts'
import { problem } from './problem.ts'
import { type ApiKey, DOCTOR_SITE, isFor, type Scope, type Site, type Sites } from './sites/index.ts'

export type Caller =
  /** by the owner key, or signed in by it */
  | { kind: 'owner' }
  | { kind: 'account'; account: Account }
  /** who has a shared link */
  | { kind: 'share'; share: Share }
  /** a program */
  | { kind: 'key'; key: ApiKey }

export const callerOf = (response: Response): Caller => response.locals.caller

/** Whether it is one of the deployment's owners, who may do everything on every site. */
export const isOwner = (caller: Caller): boolean =>
  caller.kind === 'owner' || (caller.kind === 'account' && caller.account.owner)

/** Names the caller, for counting: not in any answer. */
export function nameOf(caller: Caller): string {
  if (caller.kind === 'account') return `account ${caller.account.email}`
  if (caller.kind === 'share') return `share ${caller.share.id}`
  return caller.kind === 'key' ? `key ${caller.key.id}` : 'owner'
}

/** Lets only the deployment's owners through. */
export const ownerOnly: RequestHandler = (_, response, next) => {
  if (isOwner(callerOf(response))) next()
  else problem(response, 'not-allowed', 'This is for the owner.')
}

const OF_SCOPES: Readonly<Record<Scope, readonly Right[]>> = {
  read: ['read', 'records'],
  write: ['write'],
  admin: ['read', 'records', 'write', 'admin'],
}

/** What the caller may do with a site; nothing with one that is not its own. */
function rightsAt(caller: Caller, site: string): readonly Right[] {
  if (isOwner(caller)) return RIGHTS.owner
  if (site === DOCTOR_SITE) return []
  if (caller.kind === 'key') return isFor(caller.key, site) ? OF_SCOPES[caller.key.scope] : []
  // Whoever has the link: nothing that is about one visitor.
  if (caller.kind === 'share') return caller.share.site === site ? ['read'] : []
  const role = caller.kind === 'account' && caller.account.roles.find(role => role.site === site)?.role
  return role ? RIGHTS[role] : []
}

export const may = (caller: Caller, right: Right, site: string): boolean => rightsAt(caller, site).includes(right)

/** Under which role the caller may what it may: what a page can offer. */
export function roleAt(caller: Caller, site: string): Role {
  if (may(caller, 'own', site)) return 'owner'
  return may(caller, 'admin', site) ? 'editor' : 'viewer'
}

/**
 * The site that a request is about (`site=<key>`), if the caller may do this with it; else the problem is answered. To
 * who may nothing with it it is one that does not exist.
 */
export const siteAsked = (
  request: Request,
  response: Response,
  sites: Pick<Sites, 'get'>,
  right: Right,
): Site | undefined => siteNamed(request.query.site, 'site', response, sites, right)

/** The same of a site that stands in a field of this name. */
export function siteNamed(
  key: unknown,
  field: string,
  response: Response,
  sites: Pick<Sites, 'get'>,
  right: Right,
): Site | undefined {
  if (typeof key !== 'string') return void problem(response, 'parameter-invalid', `${field}: the key of a site`)
  const caller = callerOf(response)
  const site = sites.get(key)
  if (!site || rightsAt(caller, key).length === 0) return void problem(response, 'site-unknown')
  if (!may(caller, right, key)) return void problem(response, 'not-allowed', TAKES[right])
  return site
}

const TAKES: Readonly<Record<Right, string>> = {
  read: 'This takes a role at the site, or a key with the scope read.',
  records: 'This takes a role at the site, or a key with the scope read.',
  write: 'This takes a key with the scope write.',
  admin: 'This takes the role editor or owner, or a key with the scope admin.',
  own: 'This takes the role owner.',
}
