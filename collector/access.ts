/**
 * Who a request comes from: the owner key or an API key (`Authorization: Bearer …`), a shared link (`?share=`), or a sign-in
 * (cookie). The one that is there counts, and where it is wrong no other one mends it.
 */
import type { Request, RequestHandler } from 'express'
import type { Db } from 'mongodb'
import { believe } from './believed.ts'
import type { Caller } from './caller.ts'
import { changes, isOwnPage } from './cross-site.ts'
import { readLoginCookie } from './login-cookie.ts'
import {
  addLink,
  createLogins,
  equal,
  type FoundShare,
  findShare,
  isSecret,
  type Logins,
  takeLink,
} from './people/index.ts'
import { type PROBLEMS, problem } from './problem.ts'
import { createKeys } from './sites/index.ts'

/** What a request shows of who it comes from. */
export type Credential =
  | { kind: 'bearer'; text: string }
  | { kind: 'share'; token: string; ticket: string }
  | { kind: 'cookie'; secret: string }

type Refused = Extract<keyof typeof PROBLEMS, 'not-signed-in' | 'share-unknown' | 'share-password'>

export interface Access {
  isOwnerKey(key: string): boolean
  logins: Logins
  /** A token that signs the owner in once, within a day. */
  newLink(): Promise<string>
  /** Whether the token signs in; true only once. */
  redeem(token: unknown): Promise<boolean>
  /** Whose credential it is, or the code of the problem. Believed for half a second. */
  whose(credential: Credential | undefined): Promise<Caller | Refused>
  share(token: string): Promise<FoundShare | undefined>
  /** What was changed here acts at once: asks anew from now on, and tells who listens. */
  forget(): void
  onForget(listener: () => void): void
}

/** @param clock ms */
export function createAccess(db: Db, ownerKey: string, clock: () => number = Date.now): Access {
  const keys = createKeys(db, clock)
  const logins = createLogins(db, ownerKey, clock)
  const found = believe(logins.find, clock)
  const shares = believe(token => findShare(db, token, clock), clock)
  const listeners: (() => void)[] = []
  // What has not even the form of a token is not held for a moment, however long it is.
  const share = async (token: string) => (isSecret(token) ? await shares.get(token) : undefined)
  const isOwnerKey = (key: string): boolean => equal(key, ownerKey)

  async function whose(credential: Credential | undefined): Promise<Caller | Refused> {
    if (!credential) return 'not-signed-in'
    if (credential.kind === 'bearer') {
      if (isOwnerKey(credential.text)) return { kind: 'owner' }
      const key = await keys.find(credential.text)
      return key ? { kind: 'key', key } : 'not-signed-in'
    }
    if (credential.kind === 'share') {
      const link = await share(credential.token)
      if (!link) return 'share-unknown'
      return link.admits(credential.ticket) ? { kind: 'share', share: link.share } : 'share-password'
    }
    const login = isSecret(credential.secret) ? await found.get(credential.secret) : undefined
    // What is believed may have ended by itself since.
    if (!login || +login.expires <= clock()) return 'not-signed-in'
    return login.account ? { kind: 'account', account: login.account } : { kind: 'owner' }
  }

  return {
    isOwnerKey,
    logins,
    newLink: () => addLink(db, { kind: 'sign-in' }, clock(), ownerKey),
    redeem: async token => (await takeLink(db, 'sign-in', token, clock(), ownerKey)) !== undefined,
    whose,
    share,
    forget() {
      for (const { forget } of [keys, found, shares]) forget()
      for (const listener of listeners) listener()
    },
    onForget: listener => void listeners.push(listener),
  }
}

/** What a request of the API shows. */
export function credentialOf(request: Request): Credential | undefined {
  const [scheme = '', text = ''] = (request.get('authorization') ?? '').split(' ')
  if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', text }
  const { share } = request.query
  if (share !== undefined) {
    const [token = '', ticket = ''] = typeof share === 'string' ? share.split('.') : []
    return { kind: 'share', token, ticket }
  }
  return cookieOf(request)
}

/** What the request of a page shows. */
export function cookieOf(request: Request): Credential | undefined {
  const secret = readLoginCookie(request)
  return secret === undefined ? undefined : { kind: 'cookie', secret }
}

/** Refuses who is nobody; who it is stands in `response.locals` from here on. */
export const identify =
  (access: Access): RequestHandler =>
  async (request, response, next) => {
    const credential = credentialOf(request)
    if (credential?.kind === 'cookie' && changes(request) && !isOwnPage(request)) return problem(response, 'cross-site')
    const caller = await access.whose(credential)
    if (typeof caller === 'string') return problem(response, caller)
    Object.assign(response.locals, { caller, credential })
    next()
  }
