/** `/api/v2/goals?site=`: what counts as a conversion, listed for readers, made and removed with the scope `admin`. */
import { json, type Request, type RequestHandler, type Response, Router } from 'express'
import type { Db } from 'mongodb'
import { siteAsked } from './caller.ts'
import { problem } from './problem.ts'
import { addGoal, DOCTOR_SITE, GoalError, listGoals, removeGoal, type Scope, type Sites } from './sites/index.ts'

const CODES = {
  invalid: 'goal-invalid',
  exists: 'goal-exists',
  'too-many': 'too-many-goals',
  unknown: 'goal-unknown',
} as const satisfies Record<GoalError['why'], string>

/** @param clock ms */
export function goalRoutes(db: Db, sites: Pick<Sites, 'get'>, clock: () => number): Router {
  const router = Router()
  const forSite =
    (scope: Scope, act: (site: string, request: Request, response: Response) => Promise<unknown>): RequestHandler =>
    async (request, response) => {
      const site = siteAsked(request, response, sites, scope)
      if (!site) return
      if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
      try {
        await act(site.key, request, response)
      } catch (error) {
        if (!(error instanceof GoalError)) throw error
        problem(response, CODES[error.why], error.message)
      }
    }
  router.get(
    '/',
    forSite('read', async (site, _, response) => response.json({ goals: await listGoals(db, site) })),
  )
  router.post(
    '/',
    json({ limit: '100kb', type: () => true }),
    forSite('admin', async (site, { body }, response) =>
      response.status(201).json(await addGoal(db, site, body, new Date(clock()))),
    ),
  )
  router.delete(
    '/',
    forSite('admin', async (site, { query: { name } }, response) => {
      if (typeof name !== 'string') return problem(response, 'parameter-invalid', 'name: of the goal')
      await removeGoal(db, site, name)
      response.status(204).end()
    }),
  )
  return router
}
