/**
 * Who may read: the owner, by key (`Authorization: Bearer …`) or signed in by cookie. On a loopback address without a
 * configured key one is made and kept in the data folder, and a one-time link signs in, as Jupyter does.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'

const COOKIE = 'livetag_session'
/** A sign-in lasts 30 days. */
const SIGNED_IN_MS = 30 * 86_400_000
/** One-time links held; a new one drops the oldest. */
const MOST_LINKS = 20

export interface Access {
  ownerKey: string
  isOwnerKey(key: string): boolean
  /** Whether the request carries the owner's key or a valid sign-in. */
  allows(request: IncomingMessage): boolean
  /** A token that signs in once. */
  newLink(): string
  /** Whether the token signs in; true only once. */
  redeem(token: string): boolean
  /** The value of `Set-Cookie` for a sign-in, and for a sign-out. */
  cookie(secure: boolean): string
  noCookie(): string
}

export function createAccess(ownerKey: string, clock: () => number = Date.now): Access {
  const links = new Set<string>()
  const secret = createHmac('sha256', ownerKey).update('livetag sign-in').digest()
  const sign = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url')
  const isSignedIn = (value: string): boolean => {
    const [expires = '', nonce = '', signature = ''] = value.split('.')
    return equal(signature, sign(`${expires}.${nonce}`)) && Number.parseInt(expires, 36) > clock()
  }
  const isOwnerKey = (key: string): boolean => equal(key, ownerKey)
  return {
    ownerKey,
    isOwnerKey,
    allows({ headers }) {
      const [scheme = '', key = ''] = (headers.authorization ?? '').split(' ')
      if (scheme.toLowerCase() === 'bearer') return isOwnerKey(key)
      const value = new RegExp(`(?:^|; )${COOKIE}=([\\w.-]+)`).exec(headers.cookie ?? '')?.[1]
      return value !== undefined && isSignedIn(value)
    },
    newLink() {
      const token = randomBytes(24).toString('base64url')
      links.add(token)
      const [oldest] = links
      if (links.size > MOST_LINKS && oldest !== undefined) links.delete(oldest)
      return token
    },
    redeem: token => links.delete(token),
    cookie(secure) {
      const text = `${(clock() + SIGNED_IN_MS).toString(36)}.${randomBytes(9).toString('base64url')}`
      return `${COOKIE}=${text}.${sign(text)}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${SIGNED_IN_MS / 1000}${secure ? '; Secure' : ''}`
    },
    noCookie: () => `${COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`,
  }
}

/** In constant time for texts of one length. */
function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const keyFile = (home: string): string => join(home, 'owner-key')

/** The key that a collector on a loopback address made for itself; `undefined` when there is none. */
export const readOwnerKey = (home: string): Promise<string | undefined> =>
  readFile(keyFile(home), 'utf8').then(
    text => text.trim() || undefined,
    () => undefined,
  )

/**
 * The same, made when there is none; readable by its owner only. The file appears whole or not at all: it is written under
 * another name and linked, and where another process was first, that one's key counts.
 */
export async function ensureOwnerKey(home: string): Promise<string> {
  const held = await readOwnerKey(home)
  if (held) return held
  const key = randomBytes(24).toString('base64url')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const draft = `${keyFile(home)}.${process.pid}`
  await writeFile(draft, `${key}\n`, { mode: 0o600 })
  // An empty file is what a full disk left.
  if ((await readFile(keyFile(home), 'utf8').catch(() => 'none')).trim() === '') await rm(keyFile(home))
  await link(draft, keyFile(home)).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(draft)
  return (await readOwnerKey(home)) ?? key
}
