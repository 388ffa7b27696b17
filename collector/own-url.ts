/** Addresses of this collector, as who asks sees it: behind a trusted proxy, and mounted in an app of one's own. */
import type { Request } from 'express'

const API = '/api/v2'

/** Where the collector is mounted: empty, or a path without a slash at its end. */
export const baseOf = ({ baseUrl }: Pick<Request, 'baseUrl'>): string => {
  const at = baseUrl.lastIndexOf(API)
  return at < 0 ? baseUrl : baseUrl.slice(0, at)
}

/** @param path begins with a slash */
export const ownUrl = (request: Pick<Request, 'protocol' | 'host' | 'baseUrl'>, path: string): string =>
  `${request.protocol}://${request.host}${baseOf(request)}${path}`

/** Pages that somebody may want to see after signing in. */
export const PAGES = ['/', '/overview', '/live', '/mails', '/sites', '/settings'] as const

/** Where a sign-in leads: to one of the own pages and to nothing else. */
export function nextPage(next: unknown): string {
  if (typeof next !== 'string' || next.length > 4_000) return '/overview'
  const [path] = next.split('?')
  return PAGES.some(page => page === path) ? next : '/overview'
}
