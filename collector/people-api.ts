/** `/api/v2/people?site=`: who may do what with a site, for its owners. */
import { Router } from 'express'
import type { Db } from 'mongodb'
import Type from 'typebox'
import type { Access } from './access.ts'
import { answering, readJson } from './answering.ts'
import { bodyOf } from './body.ts'
import { callerOf, isOwner } from './caller.ts'
import { ownUrl } from './own-url.ts'
import { ownedSite } from './owned-site.ts'
import { invite, listPeople, ROLES, readEmail, removePerson, setRole } from './people/index.ts'
import { problem } from './problem.ts'
import type { Sites } from './sites/index.ts'

const role = Type.Enum([...ROLES])
const email = Type.String({ maxLength: 254 })
export const PersonInput = Type.Object({ email, role }, { additionalProperties: false })
export const PersonChange = Type.Object({ role }, { additionalProperties: false })
export const PersonOutput = Type.Object({
  email,
  role,
  joined: Type.Boolean({ description: 'whether the invitation was accepted' }),
  createdAt: Type.String({ format: 'date-time' }),
})
export const InvitedOutput = Type.Object({
  ...PersonOutput.properties,
  invite: Type.Optional(Type.String({ description: 'link that works once, within 7 days; told this once' })),
})

const readInput = bodyOf(PersonInput)
const readChange = bodyOf(PersonChange)

interface Parts {
  db: Db
  sites: Sites
  access: Pick<Access, 'forget'>
  clock(): number
}

export function peopleRoutes({ db, sites, access, clock }: Parts): Router {
  const router = Router()
  router.use(ownedSite(sites))
  router.get('/', async (_, response) => {
    response.json({ people: await listPeople(db, response.locals.site, clock()) })
  })
  router.post(
    '/',
    readJson,
    answering(async (request, response) => {
      const asked = readInput(request, response)
      if (!asked) return
      // Who may see all anyway learns nothing by it; an owner of one site must not learn who has an account elsewhere.
      const atOnce = isOwner(callerOf(response))
      const { token, ...person } = await invite(db, response.locals.site, asked, clock(), atOnce)
      access.forget()
      response.status(201).json({ ...person, ...(token && { invite: ownUrl(request, `/join?token=${token}`) }) })
    }),
  )
  router.patch(
    '/',
    readJson,
    answering(async (request, response) => {
      const email = readEmail(request.query.email)
      if (email === undefined) return problem(response, 'parameter-invalid', 'email: of the person')
      const change = readChange(request, response)
      if (!change) return
      const person = await setRole(db, response.locals.site, email, change.role, clock())
      access.forget()
      response.json(person)
    }),
  )
  router.delete(
    '/',
    answering(async (request, response) => {
      const email = readEmail(request.query.email)
      if (email === undefined) return problem(response, 'parameter-invalid', 'email: of the person')
      await removePerson(db, response.locals.site, email)
      access.forget()
      response.status(204).end()
    }),
  )
  return router
}
