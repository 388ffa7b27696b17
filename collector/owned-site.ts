/** For what only owners of a site may: its key stands in `response.locals.site` from here on. */
import type { RequestHandler } from 'express'
import { siteAsked } from './caller.ts'
import { problem } from './problem.ts'
import { DOCTOR_SITE, type Sites } from './sites/index.ts'

export const ownedSite =
  (sites: Pick<Sites, 'get'>): RequestHandler =>
  (request, response, next) => {
    const site = siteAsked(request, response, sites, 'own')
    if (!site) return
    if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
    response.locals.site = site.key
    next()
  }
