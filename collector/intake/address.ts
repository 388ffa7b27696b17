/**
 * The visitor's address. Whole it is only looked up in memory, for the country; all else sees it cut to its network (/24 for
 * IPv4, /48 for IPv6), as CONSENT's "truncate before hashing" and the French regulator's guidance on audience measurement ask.
 */
import type { IncomingMessage } from 'node:http'
import { type BlockList, isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'

/**
 * The request's address, whole: to be looked up at once, and put nowhere. Empty when there is none.
 * @param remote the socket's address, as it was when the request began: a socket that is closed since has none
 */
export function wholeAddress(request: IncomingMessage, remote: string | undefined, trusted: BlockList): string {
  const socket = plain(remote ?? '')
  const address = isTrusted(socket, trusted) ? forwarded(request.headers['x-forwarded-for'], socket, trusted) : socket
  return isIP(address) === 0 ? '' : address
}

/** The request's address, truncated: `203.0.113.0`, `2001:db8:1::`, or empty when there is none. */
export const truncatedAddress = (request: IncomingMessage, remote: string | undefined, trusted: BlockList): string =>
  truncate(wholeAddress(request, remote, trusted))

/** The host that the browser asked and whether it did by https; a proxy is believed where it is trusted, as Express does. */
export function askedFor(request: IncomingMessage, trusted: BlockList): { host: string; secure: boolean } {
  const { headers, socket } = request
  const believed = isTrusted(plain(socket.remoteAddress ?? ''), trusted)
  const first = (name: string) =>
    believed
      ? String(headers[name] ?? '')
          .split(',')[0]
          ?.trim()
      : ''
  const own = (socket as TLSSocket).encrypted ? 'https' : 'http'
  return {
    host: first('x-forwarded-host') || (headers.host ?? ''),
    secure: (first('x-forwarded-proto') || own) === 'https',
  }
}

/** Cuts an address to its network; what is no address becomes empty. */
export function truncate(address: string): string {
  const bare = plain(address)
  if (isIP(bare) === 4) return `${bare.split('.').slice(0, 3).join('.')}.0`
  if (isIP(bare) !== 6) return ''
  const [head = ''] = bare.split('%')
  const [left = '', right] = head.split('::')
  const groups = left === '' ? [] : left.split(':')
  if (right !== undefined) {
    const tail = right === '' ? [] : right.split(':')
    // a dotted tail (64:ff9b::192.0.2.1) stands for two groups; they are beyond the first three anyway
    const length = tail.length + (tail.at(-1)?.includes('.') ? 1 : 0)
    while (groups.length + length < 8) groups.push('0')
    groups.push(...tail)
  }
  const [first = 0, second = 0, third = 0] = groups.map(group => Number.parseInt(group, 16))
  // 6to4 (RFC 3056) is 2002: and then the visitor's whole IPv4 address: of that, too, only 24 bits are kept.
  const kept = [first, second, first === 0x2002 ? third & 0xff00 : third].map(group => group.toString(16))
  while (kept.at(-1) === '0') kept.pop()
  return `${kept.join(':')}::`
}

/** The right-most address in `X-Forwarded-For` that no trusted proxy has: everything left of it can be made up. */
function forwarded(header: string | string[] | undefined, socket: string, trusted: BlockList): string {
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',').map(hop => plain(hop.trim()))
  for (const hop of hops.reverse()) {
    if (isIP(hop) === 0) break
    if (!isTrusted(hop, trusted)) return hop
  }
  return socket
}

/** Whether an address is one of the configured proxies. */
export const isTrusted = (address: string, trusted: BlockList): boolean => {
  const version = isIP(address)
  return version !== 0 && trusted.check(address, version === 4 ? 'ipv4' : 'ipv6')
}

/** `::ffff:192.0.2.1` is an IPv4 address on a dual-stack socket; `[::1]:80` and `192.0.2.1:80` carry a port. */
function plain(address: string): string {
  const bare = address.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
  return bare.toLowerCase().startsWith('::ffff:') && bare.includes('.') ? bare.slice(7) : bare
}
