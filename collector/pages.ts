/** The pages: the dashboard for who is signed in or has a shared link, signing in and out, joining. */
import express, { type Request, type RequestHandler, type Response } from 'express'
import type { Db } from 'mongodb'
import { type Access, cookieOf } from './access.ts'
import { isOwnPage } from './cross-site.ts'
import { loginCookie, noLoginCookie, readLoginCookie } from './login-cookie.ts'
import { nextPage, PAGES } from './own-url.ts'
import {
  type Attempts,
  checkAccount,
  findJoinLink,
  join,
  PasswordsBusy,
  PeopleError,
  readEmail,
} from './people/index.ts'
import { problem } from './problem.ts'
import { framedHeaders, securityHeaders } from './security-headers.ts'
import { sendPage } from './send-page.ts'

/** What every page of the dashboard is served by. */
const DASHBOARD = 'app.html'

/** Paths of pages that have the usual headers. */
export const PAGE_PATHS = [...PAGES, '/login', '/logout', '/join']

interface Parts {
  access: Access
  attempts: Attempts
  db: Db
  folder: string
  clock(): number
  networkOf(request: Request): string
}

export function pageRoutes({ access, attempts, db, folder, clock, networkOf }: Parts): express.Router {
  const router = express.Router()
  const send = (request: Request, response: Response, name: string, words?: Record<string, string>) =>
    sendPage(request, response, `${folder}dashboard/${name}`, words)
  const to = ({ baseUrl }: Request, response: Response, path: string) => response.redirect(303, baseUrl + path)
  const isSignedIn = async (request: Request) => typeof (await access.whose(cookieOf(request))) !== 'string'
  const endLogin = async (request: Request) => {
    const secret = readLoginCookie(request)
    if (secret !== undefined && (await access.logins.end(secret))) access.forget()
  }
  const signIn = async (request: Request, response: Response, secret: string) => {
    // A browser has one sign-in: what it had before ends.
    await endLogin(request)
    response.set('set-cookie', loginCookie(request, secret))
  }
  const form = express.urlencoded({ extended: false, limit: '16kb' })
  /** A page of another site can't sign somebody in, out, or into an account of its own. */
  const own: RequestHandler = (request, response, next) =>
    isOwnPage(request) === false ? problem(response, 'cross-site') : next()

  router.get('/', (request, response) => response.redirect(`${request.baseUrl}/overview`))
  router.get([...PAGES], async (request, response) => {
    if (await isSignedIn(request)) return send(request, response, DASHBOARD)
    const next = new URLSearchParams({ next: request.url })
    response.redirect(`${request.baseUrl}/login?${next}`)
  })
  router.get(['/share/:token', '/share/:token/live', '/share/:token/mails'], async (request, response) => {
    const found = await access.share(String(request.params.token))
    const headers = found?.share.embed ? framedHeaders : securityHeaders
    await new Promise<void>((resolve, reject) =>
      headers(request, response, error => (error ? reject(error) : resolve())),
    )
    await (found ? send(request, response, DASHBOARD) : send(request, response.status(404), '404.html'))
  })

  router.get('/login', async (request, response) => {
    const { token, next } = request.query
    // A preview or a scanner asks with HEAD: that must not use up the link.
    if (typeof token !== 'string' || request.method === 'HEAD') return send(request, response, 'login.html')
    if (await access.redeem(token)) {
      await signIn(request, response, await access.logins.ofOwner())
      return to(request, response, nextPage(next))
    }
    // A second click on a used link by somebody who is signed in already should just work.
    to(request, response, (await isSignedIn(request)) ? nextPage(next) : '/login?error=used')
  })
  router.post('/login', own, form, async (request, response) => {
    const { email, password, key } = (request.body ?? {}) as Record<string, unknown>
    const { next } = request.query
    const failed = (error: string) =>
      to(request, response, `/login?${new URLSearchParams({ error, ...(typeof next === 'string' && { next }) })}`)
    const name = typeof key === 'string' ? undefined : (readEmail(email) ?? '')
    const attempt = attempts.begin(networkOf(request), name)
    if ('retryAfter' in attempt) return failed('limit')
    try {
      let secret: string | undefined
      if (name === undefined) {
        if (access.isOwnerKey(String(key).trim())) secret = await access.logins.ofOwner()
      } else {
        const account = await checkAccount(db, name, typeof password === 'string' ? password : '')
        if (account) secret = await access.logins.of(account)
      }
      if (secret === undefined) return failed(name === undefined ? 'key-wrong' : 'wrong')
      attempt.giveBack()
      await signIn(request, response, secret)
      to(request, response, nextPage(next))
    } catch (error) {
      if (!(error instanceof PasswordsBusy)) throw error
      // Nothing was tried.
      attempt.giveBack()
      failed('busy')
    }
  })
  router.post('/logout', own, async (request, response) => {
    await endLogin(request)
    response.set('set-cookie', noLoginCookie(request))
    to(request, response, '/login')
  })

  router.get('/join', async (request, response) => {
    const link = await findJoinLink(db, request.query.token, clock())
    if (!link) return to(request, response, '/login?error=link')
    await send(request, response, 'join.html', { email: link.email })
  })
  router.post('/join', own, form, async (request, response) => {
    const { token } = request.query
    const { password } = (request.body ?? {}) as Record<string, unknown>
    const failed = (error: string) =>
      to(request, response, `/join?${new URLSearchParams({ token: String(token), error })}`)
    // Where there is an account its password is tried, as at a sign-in.
    const link = await findJoinLink(db, token, clock())
    const attempt = attempts.begin(networkOf(request), link?.email)
    if ('retryAfter' in attempt) return failed('limit')
    try {
      const account = await join(db, token, password, clock())
      attempt.giveBack()
      await signIn(request, response, await access.logins.of(account))
      access.forget()
      to(request, response, '/overview')
    } catch (error) {
      if (error instanceof PasswordsBusy) {
        attempt.giveBack()
        return failed('busy')
      }
      if (!(error instanceof PeopleError)) throw error
      if (error.why === 'invite-used') return to(request, response, '/login?error=link')
      failed(error.why === 'password-wrong' ? 'wrong' : 'short')
    }
  })
  return router
}
