/** Reads a request with all that is known of it beside its body: clock, agent, sites, cookie, salts, place. */
import type { IncomingMessage } from 'node:http'
import type { BlockList } from 'node:net'
import { JournalError } from '../journal/index.ts'
import type { Sites } from '../sites/index.ts'
import type { Circumstances } from './accept.ts'
import { truncatedAddress, wholeAddress } from './address.ts'
import { readAgent } from './agent.ts'
import { newId, readVisitor } from './cookie.ts'
import { cookielessVisitor } from './cookieless.ts'
import type { Place } from './mmdb.ts'
import type { Places } from './places.ts'
import type { Salts, Wanted } from './salts.ts'

export interface ReaderParts {
  sites: Pick<Sites, 'get'>
  salts: Salts
  places: Pick<Places, 'find'>
  trustProxy: BlockList
  clock(): number
}

/**
 * Reads a request by a pure function, which may be called again: once a day, a cookieless visitor's salt has to be loaded.
 * A promise only then, so that no other request waits.
 * @param remote the socket's address when the request began, as a browser may be gone by the time that it is read
 * @throws JournalError (the promise rejects) when the salt can't be had, as nothing can be stored then
 */
export type Read = <T>(
  request: IncomingMessage,
  remote: string | undefined,
  reading: (around: Circumstances) => T,
) => T | Promise<T>

/**
 * A browser's own language: the first of those that it accepts. Other clients send none, or `*`.
 * At most 35 characters, and of BCP 47's alone: what else is there is none.
 */
export const readLanguage = (accepted = ''): string | undefined =>
  /^[a-z]{2,8}(-[a-z\d]{1,8}){0,3}(?![^,;\s])/i.exec(accepted)?.[0]

export function createReader({ sites, salts, places, trustProxy, clock }: ReaderParts): Read {
  const circumstances = (request: IncomingMessage, remote: string | undefined, wanted: Wanted[]): Circumstances => {
    const { headers } = request
    const userAgent = headers['user-agent'] ?? ''
    let visitor: string | undefined
    let place: Place | undefined
    let last: { salt: Buffer; site: string; visitor: string | undefined } | undefined
    return {
      received: clock(),
      agent: readAgent(userAgent),
      language: readLanguage(headers['accept-language']),
      site: key => sites.get(key),
      visitor() {
        visitor ??= readVisitor(headers.cookie) ?? newId()
        return visitor
      },
      place() {
        place ??= places.find(wholeAddress(request, remote, trustProxy))
        return place
      },
      cookieless({ key, timezone }, at) {
        const salt = salts.find(at, timezone)
        if (!salt) return undefined
        if (!Buffer.isBuffer(salt)) {
          wanted.push(salt)
          return undefined
        }
        // Hashed once a request, as long as it is of one site and day.
        if (last?.salt !== salt || last.site !== key) {
          const network = truncatedAddress(request, remote, trustProxy)
          // Of no address all would be one visitor.
          last = { salt, site: key, visitor: network ? cookielessVisitor(salt, key, network, userAgent) : undefined }
        }
        return last.visitor
      },
      gpc: headers['sec-gpc'] === '1',
    }
  }
  const read: Read = (request, remote, reading) => {
    const wanted: Wanted[] = []
    const result = reading(circumstances(request, remote, wanted))
    if (wanted.length === 0) return result
    const loaded = Promise.all(wanted.map(salt => salts.load(salt))).catch(error => {
      throw new JournalError('away', error)
    })
    return loaded.then(() => read(request, remote, reading))
  }
  return read
}
