/** What a site has a list of, such as goals, at `?site=`: listed for readers, made and removed with the scope `admin`. */
import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { Db } from 'mongodb'
import { readJson } from './answering.ts'
import { siteAsked } from './caller.ts'
import { type PROBLEMS, problem } from './problem.ts'
import { DOCTOR_SITE, type Scope, type Site, type Sites } from './sites/index.ts'

export interface SiteList {
  /** under which they are listed */
  field: string
  /** as in `of the goal` */
  noun: string
  /** @param now ms */
  list(db: Db, site: Site, now: number): Promise<unknown[]>
  add(db: Db, site: string, input: unknown, since: Date): Promise<object>
  remove(db: Db, site: string, name: string): Promise<void>
  /** what is answered to an error of these; `undefined` where it is none */
  codeOf(error: unknown): keyof typeof PROBLEMS | undefined
}

/** @param clock ms */
export function siteListRoutes(
  { db, sites, clock }: { db: Db; sites: Pick<Sites, 'get'>; clock(): number },
  { field, noun, list, add, remove, codeOf }: SiteList,
): Router {
  const router = Router()
  const forSite =
    (scope: Scope, act: (site: Site, request: Request, response: Response) => Promise<unknown>): RequestHandler =>
    async (request, response) => {
      const site = siteAsked(request, response, sites, scope)
      if (!site) return
      if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
      try {
        await act(site, request, response)
      } catch (error) {
        const code = codeOf(error)
        if (!code) throw error
        problem(response, code, (error as Error).message)
      }
    }
  router.get(
    '/',
    forSite('read', async (site, _, response) => response.json({ [field]: await list(db, site, clock()) })),
  )
  router.post(
    '/',
    readJson,
    forSite('admin', async ({ key }, { body }, response) =>
      response.status(201).json(await add(db, key, body, new Date(clock()))),
    ),
  )
  router.delete(
    '/',
    forSite('admin', async ({ key }, { query: { name } }, response) => {
      if (typeof name !== 'string') return problem(response, 'parameter-invalid', `name: of the ${noun}`)
      await remove(db, key, name)
      response.status(204).end()
    }),
  )
  return router
}
