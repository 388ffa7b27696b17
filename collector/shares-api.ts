/** `/api/v2/shares?site=`: shared links of a site, for its owners; and tickets for those that ask for a password. */
import { type RequestHandler, Router } from 'express'
import type { Db } from 'mongodb'
import Type from 'typebox'
import type { Access } from './access.ts'
import { answering, giveBack, readJson } from './answering.ts'
import { bodyOf } from './body.ts'
import { ownUrl } from './own-url.ts'
import { ownedSite } from './owned-site.ts'
import { type Attempts, addShare, listShares, PASSWORD_LENGTH, removeShare, type Share } from './people/index.ts'
import { problem } from './problem.ts'
import type { Sites } from './sites/index.ts'

const strict = { additionalProperties: false } as const
const name = Type.String({ maxLength: 100, description: 'what it is for' })
const { least, most } = PASSWORD_LENGTH
export const ShareInput = Type.Object(
  {
    name,
    password: Type.Optional(Type.String({ description: `${least} to ${most} characters` })),
    embed: Type.Optional(Type.Boolean({ description: 'whether other sites may show it in a frame' })),
  },
  strict,
)
export const ShareOutput = Type.Object({
  id: Type.String(),
  name,
  password: Type.Boolean({ description: 'whether it asks for one' }),
  embed: Type.Boolean(),
  url: Type.String(),
  createdAt: Type.String({ format: 'date-time' }),
})
export const TicketInput = Type.Object(
  { share: Type.String({ description: 'token of the link' }), password: Type.String() },
  strict,
)
export const TicketOutput = Type.Object({
  ticket: Type.String({ description: 'sent as `?share=<token>.<ticket>`, for 7 days' }),
})

const readInput = bodyOf(ShareInput)
const readTicket = bodyOf(TicketInput)

const describe = (request: Parameters<typeof ownUrl>[0], { id, token, name, password, embed, createdAt }: Share) => ({
  id,
  name,
  password,
  embed,
  url: ownUrl(request, `/share/${token}`),
  createdAt,
})

interface Parts {
  db: Db
  sites: Sites
  access: Pick<Access, 'forget' | 'share'>
  clock(): number
}

export function shareRoutes({ db, sites, access, clock }: Parts): Router {
  const router = Router()
  router.use(ownedSite(sites))
  router.get('/', async (request, response) => {
    const shares = await listShares(db, response.locals.site)
    response.json({ shares: shares.map(share => describe(request, share)) })
  })
  router.post(
    '/',
    readJson,
    answering(async (request, response) => {
      const asked = readInput(request, response)
      if (!asked) return
      const share = await addShare(db, response.locals.site, asked, new Date(clock()))
      response.status(201).json(describe(request, share))
    }),
  )
  router.delete(
    '/',
    answering(async ({ query: { id } }, response) => {
      if (typeof id !== 'string') return problem(response, 'parameter-invalid', 'id: of the shared link')
      await removeShare(db, response.locals.site, id)
      access.forget()
      response.status(204).end()
    }),
  )
  return router
}

/** Anybody may ask: the link and its password are what is shown. */
export const serveTickets = (
  access: Pick<Access, 'share'>,
  attempts: Attempts,
  networkOf: (request: Parameters<RequestHandler>[0]) => string,
): RequestHandler =>
  answering(async (request, response) => {
    const asked = readTicket(request, response)
    if (!asked) return
    const attempt = attempts.begin(networkOf(request), `share ${asked.share}`)
    if ('retryAfter' in attempt) return problem(response, 'too-many-attempts', undefined, attempt.retryAfter)
    const found = await access.share(asked.share)
    if (!found) return problem(response, 'share-unknown')
    const ticket = await found.ticketFor(asked.password).catch(giveBack(attempt))
    if (ticket === undefined) return problem(response, 'share-password-wrong')
    attempt.giveBack()
    response.status(201).json({ ticket })
  })
