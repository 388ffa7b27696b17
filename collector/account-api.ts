/** `/api/v2/me` and `/api/v2/account`: who asks, and the account of who is signed in. */
import { type Request, type Response, Router } from 'express'
import type { Db } from 'mongodb'
import Type from 'typebox'
import type { Access, Credential } from './access.ts'
import { answering, giveBack, readJson } from './answering.ts'
import { bodyOf } from './body.ts'
import { callerOf, isOwner } from './caller.ts'
import { loginCookie, noLoginCookie } from './login-cookie.ts'
import {
  type Attempts,
  addAccount,
  checkAccount,
  endLogins,
  PASSWORD_LENGTH,
  passwordOf,
  setPassword,
} from './people/index.ts'
import { problem } from './problem.ts'
import { SiteOutput, sitesOf } from './sites-api.ts'

const strict = { additionalProperties: false } as const
const { least, most } = PASSWORD_LENGTH
const password = Type.String({ description: `${least} to ${most} characters` })
export const MeOutput = Type.Object({
  kind: Type.Enum(['owner', 'account', 'share', 'key']),
  email: Type.Union([Type.String(), Type.Null()]),
  owner: Type.Boolean({ description: 'whether it is one of the deployment’s owners' }),
  sites: Type.Array(SiteOutput),
})
export const AccountInput = Type.Object({ email: Type.String({ maxLength: 254 }), password }, strict)
export const AccountOutput = Type.Object({ email: Type.String() })
export const PasswordInput = Type.Object({ old: Type.String(), new: password }, strict)

const readAccount = bodyOf(AccountInput)
const readPassword = bodyOf(PasswordInput)

interface Parts {
  db: Db
  access: Pick<Access, 'forget' | 'logins'>
  attempts: Attempts
  networkOf(request: Request): string
}

const secretOf = ({ locals }: Response): string | undefined => {
  const credential: Credential = locals.credential
  return credential.kind === 'cookie' ? credential.secret : undefined
}

export function accountRoutes({ db, access, attempts, networkOf }: Parts): Router {
  const router = Router()
  router.get('/me', async (_, response) => {
    const caller = callerOf(response)
    const email = caller.kind === 'account' ? caller.account.email : null
    response.json({ kind: caller.kind, email, owner: isOwner(caller), sites: await sitesOf(db, caller) })
  })
  router.post(
    '/account',
    readJson,
    answering(async (request, response) => {
      if (callerOf(response).kind !== 'owner')
        return problem(response, 'not-allowed', 'This is for the owner who came by link or key.')
      const asked = readAccount(request, response)
      if (!asked) return
      const account = await addAccount(db, { ...asked, owner: true, roles: [] })
      const secret = secretOf(response)
      // Who is signed in goes on as the account.
      if (secret !== undefined) {
        response.set('set-cookie', loginCookie(request, await access.logins.of(account)))
        await access.logins.end(secret)
        access.forget()
      }
      response.status(201).json({ email: account._id })
    }),
  )
  router.post(
    '/account/password',
    readJson,
    answering(async (request, response) => {
      const caller = callerOf(response)
      const secret = secretOf(response)
      if (caller.kind !== 'account' || secret === undefined) return problem(response, 'not-allowed', FOR_ACCOUNTS)
      const asked = readPassword(request, response)
      if (!asked) return
      const next = passwordOf(asked.new)
      const { email } = caller.account
      const attempt = attempts.begin(networkOf(request), email)
      if ('retryAfter' in attempt) return problem(response, 'too-many-attempts', undefined, attempt.retryAfter)
      const checked = await checkAccount(db, email, asked.old).catch(giveBack(attempt))
      if (!checked) return problem(response, 'password-wrong')
      attempt.giveBack()
      const keep = (await access.logins.find(secret))?.id
      await setPassword(db, email, next, { checked, ...(keep !== undefined && { keep }) })
      access.forget()
      response.status(204).end()
    }),
  )
  router.post(
    '/account/sign-out-everywhere',
    answering(async (request, response) => {
      const caller = callerOf(response)
      if (caller.kind === 'account') await endLogins(db, caller.account.email)
      else if (caller.kind === 'owner') await access.logins.endOwners()
      else return problem(response, 'not-allowed', FOR_ACCOUNTS)
      access.forget()
      response.set('set-cookie', noLoginCookie(request)).status(204).end()
    }),
  )
  return router
}

const FOR_ACCOUNTS = 'This is for who is signed in.'
