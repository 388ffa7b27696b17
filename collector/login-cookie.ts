/**
 * The cookie of a sign-in. Over TLS it has the prefix `__Host-` (RFC 6265bis §4.1.3.2), with which no other host of the
 * domain can set it, and only that one is believed there.
 */
import type { Request } from 'express'
import { SIGNED_IN_MS } from './people/index.ts'

const nameOf = ({ secure }: Pick<Request, 'secure'>): string => `${secure ? '__Host-' : ''}livetag_session`
const attributes = ({ secure }: Pick<Request, 'secure'>): string =>
  `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

/** Its secret, where the request has one. */
export function readLoginCookie(request: Pick<Request, 'secure' | 'headers'>): string | undefined {
  const name = nameOf(request)
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key = '', value] = part.trim().split('=')
    if (key === name && value) return value
  }
  return undefined
}

/** The value of `Set-Cookie` for a sign-in. */
export const loginCookie = (request: Pick<Request, 'secure'>, secret: string): string =>
  `${nameOf(request)}=${secret}; ${attributes(request)}; Max-Age=${SIGNED_IN_MS / 1000}`

/** The same for a sign-out. */
export const noLoginCookie = (request: Pick<Request, 'secure'>): string =>
  `${nameOf(request)}=; ${attributes(request)}; Max-Age=0`
