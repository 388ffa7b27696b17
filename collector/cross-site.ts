/**
 * Whether a request that changes something was made by a page of another site, in the name of who is signed in. Browsers say
 * it in `Sec-Fetch-Site` (W3C Fetch Metadata, over TLS and on loopback) and in `Origin`, which no page can change.
 */
import type { Request } from 'express'

const SAFE = ['GET', 'HEAD', 'OPTIONS']
export const changes = ({ method }: Pick<Request, 'method'>): boolean => !SAFE.includes(method)

/** @returns `undefined` where the request does not say from where it comes, as those of programs */
export function isOwnPage(request: Pick<Request, 'get' | 'host'>): boolean | undefined {
  const site = request.get('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  const origin = request.get('origin')
  if (origin === undefined) return undefined
  return URL.canParse(origin) && new URL(origin).host === request.host.toLowerCase()
}
