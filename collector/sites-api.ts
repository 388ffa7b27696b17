/** `/api/v2/sites`: what whoever asks may see, made by the deployment's owners and changed by editors. */
import { Router } from 'express'
import type { Db } from 'mongodb'
import Type from 'typebox'
import { answering, readJson } from './answering.ts'
import { bodyOf } from './body.ts'
import { type Caller, callerOf, may, ownerOnly, roleAt, siteAsked } from './caller.ts'
import { ROLES } from './people/index.ts'
import { problem } from './problem.ts'
import { addSite, CONSENT_MODES, DOCTOR_SITE, listSites, type Site, type Sites, setSite } from './sites/index.ts'

const strict = { additionalProperties: false } as const
const settings = {
  domain: Type.String({ maxLength: 253, description: 'host name, as in shop.example' }),
  consent: Type.Enum([...CONSENT_MODES]),
  timezone: Type.String({ maxLength: 100, description: 'IANA name: days are days there' }),
}
const key = Type.String({ maxLength: 64, description: 'in the tag’s URL and in every event' })
export const SiteInput = Type.Object({ key, ...settings }, strict)
export const SiteChange = Type.Partial(Type.Object(settings), strict)
export const SiteOutput = Type.Object({ key, ...settings, role: Type.Enum([...ROLES]) })

/** What of a site is told, and what whoever asks may do there. */
const describe = (caller: Caller, { key, domain, consent, timezone }: Site) => ({
  key,
  domain,
  consent,
  timezone,
  role: roleAt(caller, key),
})

export const sitesOf = async (db: Db, caller: Caller) =>
  (await listSites(db)).filter(({ key }) => may(caller, 'read', key)).map(site => describe(caller, site))

const readInput = bodyOf(SiteInput)
const readChange = bodyOf(SiteChange)

export function siteRoutes({ db, sites }: { db: Db; sites: Sites }): Router {
  const router = Router()
  router.get('/', async (_, response) => {
    response.json({ sites: await sitesOf(db, callerOf(response)) })
  })
  router.post(
    '/',
    ownerOnly,
    readJson,
    answering(async (request, response) => {
      const site = readInput(request, response)
      if (!site) return
      await addSite(db, site)
      await sites.reload()
      response.status(201).json(describe(callerOf(response), site))
    }),
  )
  router.patch(
    '/',
    readJson,
    answering(async (request, response) => {
      const site = siteAsked(request, response, sites, 'admin')
      if (!site) return
      if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
      const change = readChange(request, response)
      if (!change) return
      if (Object.keys(change).length === 0)
        return problem(response, 'body-invalid', 'It takes domain, consent, timezone: at least one.')
      const changed = await setSite(db, site.key, change)
      await sites.reload()
      response.json(describe(callerOf(response), changed))
    }),
  )
  return router
}
