/**
 * `/api/v2/mailings?site=`: mailings, the paths of their recipients, what became of them, and withdrawals. Reading takes the
 * scope `read`; all else `write`, as it is done by whatever sends the mails, with the key with which it sends events, too.
 */
import { json, type Request, type RequestHandler, type Response, Router } from 'express'
import { LRUCache } from 'lru-cache'
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
  type Report,
  readReport,
  tellMailing,
} from './email/index.ts'
import { sendLines } from './ndjson.ts'
import type { Right } from './people/index.ts'
import { problem } from './problem.ts'
import { shareReads } from './query/index.ts'
import { DOCTOR_SITE, type Site, type Sites } from './sites/index.ts'

const CODES = {
  invalid: 'mailing-invalid',
  unknown: 'mailing-unknown',
  'too-many': 'too-many-mailings',
} as const satisfies Record<MailingError['why'], string>
/** Mailings whose reports are shared. */
const MOST_SHARED = 200
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
    (right: Right, act: Act): RequestHandler =>
    async (request, response) => {
      const site = siteAsked(request, response, sites, right)
      if (!site) return
      if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
      try {
        await act(site, request, response)
      } catch (error) {
        if (!(error instanceof MailingError) || response.headersSent) throw error
        problem(response, CODES[error.why], error.message)
      }
    }
  /** A report takes longer the larger the mailing, and many may watch it: those who ask at the moment share one read. */
  const reading = new LRUCache<string, () => Promise<Report>>({ max: MOST_SHARED })
  const reportOf = ({ key, timezone }: Site, id: string): Promise<Report> => {
    const which = JSON.stringify([key, timezone, id])
    const read =
      reading.get(which) ?? shareReads(async () => readReport(db, await findMailing(db, key, id), timezone, clock()))
    reading.set(which, read)
    return read()
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
  // Of one recipient: not for who has a shared link.
  router.post(
    '/last-opens',
    forSite('records', ({ key }, request, response) =>
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
    forSite('read', async (site, request, response) => response.json(await reportOf(site, idIn(request)))),
  )
  return router
}
