/**
 * `/api/v2/mailings?site=`: mailings, the paths of their recipients, what became of them, and withdrawals. Reading takes the
 * scope `read`; all else `write`, as it is done by whatever sends the mails, with the key with which it sends events, too.
 */
import { json, type Request, type RequestHandler, type Response, Router } from 'express'
import type { Db } from 'mongodb'
import { siteAsked } from './caller.ts'
import {
  answerLines,
  type Email,
  findMailing,
  isReference,
  listMailings,
  MailingError,
  MOST_REFERENCE,
  readReport,
  tellMailing,
} from './email/index.ts'
import { sendLines } from './ndjson.ts'
import { problem } from './problem.ts'
import { DOCTOR_SITE, type Scope, type Site, type Sites } from './sites/index.ts'

const CODES = {
  invalid: 'mailing-invalid',
  unknown: 'mailing-unknown',
  'too-many': 'too-many-mailings',
} as const satisfies Record<MailingError['why'], string>
const LIMIT = { usual: 100, most: 1_000 } as const

type Act = (site: Site, request: Request, response: Response) => Promise<unknown>

interface Parts {
  db: Db
  sites: Pick<Sites, 'get'>
  email: Email
  clock(): number
}

export function mailingRoutes({ db, sites, email, clock }: Parts): Router {
  const router = Router()
  const forSite =
    (scope: Scope, act: Act): RequestHandler =>
    async (request, response) => {
      const site = siteAsked(request, response, sites, scope)
      if (!site) return
      if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
      try {
        await act(site, request, response)
      } catch (error) {
        if (!(error instanceof MailingError) || response.headersSent) throw error
        problem(response, CODES[error.why], error.message)
      }
    }
  const anyJson = json({ limit: '1mb', type: () => true })
  const idIn = ({ params }: Request): string => String(params.id)

  router.get(
    '/',
    forSite('read', async ({ key }, { query: { limit = String(LIMIT.usual) } }, response) => {
      if (typeof limit !== 'string' || !/^\d{1,4}$/.test(limit) || +limit < 1 || +limit > LIMIT.most)
        return problem(response, 'parameter-invalid', `limit: 1 to ${LIMIT.most}`)
      response.json({ mailings: await listMailings(db, key, +limit) })
    }),
  )
  router.post(
    '/',
    json({ limit: '3mb', type: () => true }),
    forSite('write', async ({ key }, { body }, response) => response.status(201).json(await email.add(key, body))),
  )

  const references = (act: (site: string, recipient: string, mailing?: string) => Promise<void>): RequestHandler =>
    forSite('write', async ({ key }, { body }, response) => {
      const { recipient, mailing } = (body ?? {}) as { recipient?: unknown; mailing?: unknown }
      if (!isReference(recipient) || (mailing !== undefined && typeof mailing !== 'string'))
        return problem(
          response,
          'body-invalid',
          `{"recipient": …}: your reference, of 1 to ${MOST_REFERENCE} characters`,
        )
      await act(key, recipient, mailing)
      response.status(204).end()
    })
  router.post('/withdraw', anyJson, references(email.withdraw))
  router.post('/restore', anyJson, references(email.restore))
  router.post(
    '/last-opens',
    forSite('read', ({ key }, request, response) =>
      sendLines(
        response,
        answerLines(request, recipient => email.lastOpen(key, recipient)),
      ),
    ),
  )

  router.get(
    '/:id',
    forSite('read', async ({ key }, request, response) => response.json(await findMailing(db, key, idIn(request)))),
  )
  router.patch(
    '/:id',
    anyJson,
    forSite('write', async ({ key }, request, response) =>
      response.json(await tellMailing(db, key, idIn(request), request.body)),
    ),
  )
  router.post(
    '/:id/mint',
    forSite('write', async ({ key }, request, response) => {
      const minting = await email.minting(key, idIn(request))
      try {
        await sendLines(response, answerLines(request, minting.mint))
      } finally {
        await minting.end()
      }
    }),
  )
  router.get(
    '/:id/report',
    forSite('read', async ({ key, timezone }, request, response) => {
      const mailing = await findMailing(db, key, idIn(request))
      response.json(await readReport(db, mailing, timezone, clock()))
    }),
  )
  return router
}
