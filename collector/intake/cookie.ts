/**
 * The visitor's id in a cookie that the collector sets, for sites that ask for it: browsers keep cookies that a script
 * sets for seven days only. Never without consent that covers an identifier.
 */
import { randomInt } from 'node:crypto'

/** As an envelope's visitor: the id is in the collector's cookie. */
export const IN_COOKIE = '-'

/** 395 days, s: the 13 months that the French regulator allows. Use does not extend them. */
const MAX_AGE = 34_128_000
const HELD = /(?:^|;)\s*lt=([0-9a-z]{16})\s*(?:;|$)/

/** The cookie that an answer sets; without an id it is deleted. */
export interface VisitorCookie {
  /** of the site */
  domain: string
  id: string
}

/** The visitor's id in a request's `Cookie`; what has another form is none. */
export const readVisitor = (header: string | undefined): string | undefined => HELD.exec(header ?? '')?.[1]

/** Of a visitor, or of a page view: 16 random base-36 characters. */
export const newId = (): string => Array.from({ length: 16 }, () => randomInt(36).toString(36)).join('')

/**
 * The value of `Set-Cookie`. All of a site's hosts share it where the collector is one of them.
 * @param host that the browser asked, with or without a port
 */
export function writeVisitor({ domain, id }: VisitorCookie, host: string, secure: boolean): string {
  const site = withoutPort(domain)
  const shared = site.includes('.') && isUnder(withoutPort(host), site)
  return `lt=${id}; Max-Age=${id ? MAX_AGE : 0}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}${shared ? `; Domain=${site}` : ''}`
}

/** Whether an `Origin` is a page of a site: of its domain or under it, or of its `localhost` with any port. */
export function isPageOf(origin: string, domain: string): boolean {
  const [, host = ''] = /^https?:\/\/([^/]+)$/.exec(origin) ?? []
  const local = withoutPort(domain) === 'localhost'
  return local ? withoutPort(host) === 'localhost' : isUnder(host, domain.toLowerCase())
}

const withoutPort = (host: string): string => host.toLowerCase().replace(/:\d+$/, '')

const isUnder = (host: string, domain: string): boolean => host === domain || host.endsWith(`.${domain}`)
