/** `/api/v2/keys?site=`: API keys of a site, for its owners. */
import { Router } from 'express'
import type { Db } from 'mongodb'
import Type from 'typebox'
import type { Access } from './access.ts'
import { answering, readJson } from './answering.ts'
import { bodyOf } from './body.ts'
import { type Caller, callerOf, isOwner } from './caller.ts'
import { ownedSite } from './owned-site.ts'
import { problem } from './problem.ts'
import { type ApiKey, addKey, isFor, listKeys, revokeKey, SCOPES, type Sites } from './sites/index.ts'

/** Of a site alone. */
const MOST_KEYS = 100

const settings = {
  name: Type.String({ maxLength: 100, description: 'what it is for' }),
  scope: Type.Enum([...SCOPES]),
}
export const KeyInput = Type.Object(settings, { additionalProperties: false })
const time = Type.String({ format: 'date-time' })
export const KeyOutput = Type.Object({
  start: Type.String({ description: 'its first characters: they name it' }),
  ...settings,
  createdAt: time,
  usedAt: Type.Optional(time),
})
export const NewKeyOutput = Type.Object({
  key: Type.String({ description: 'told this once' }),
  ...KeyOutput.properties,
})

const readInput = bodyOf(KeyInput)
const describe = ({ id: start, name, scope, createdAt, usedAt }: ApiKey) => ({
  start,
  name,
  scope,
  createdAt,
  ...(usedAt && { usedAt }),
})

/** An owner of one site sees what is for it alone: a key of others as well is the deployment's. */
const shows = (caller: Caller, site: string) => (key: ApiKey) =>
  isOwner(caller) ? isFor(key, site) : key.sites.length === 1 && key.sites[0] === site

export function keyRoutes({ db, sites, access }: { db: Db; sites: Sites; access: Pick<Access, 'forget'> }): Router {
  const router = Router()
  router.use(ownedSite(sites))
  const shown = (response: Parameters<typeof callerOf>[0]) => shows(callerOf(response), response.locals.site)
  router.get('/', async (_, response) => {
    response.json({ keys: (await listKeys(db)).filter(shown(response)).map(describe) })
  })
  router.post(
    '/',
    readJson,
    answering(async (request, response) => {
      const asked = readInput(request, response)
      if (!asked) return
      if ((await listKeys(db)).filter(shown(response)).length >= MOST_KEYS)
        return problem(response, 'too-many-keys', `It has ${MOST_KEYS}.`)
      const { key, ...made } = await addKey(db, { ...asked, sites: [response.locals.site] })
      response.status(201).json({ key, ...describe(made) })
    }),
  )
  router.delete(
    '/',
    answering(async ({ query: { start } }, response) => {
      if (typeof start !== 'string') return problem(response, 'parameter-invalid', 'start: of the key')
      await revokeKey(db, start, key => key.id === start && shown(response)(key))
      access.forget()
      response.status(204).end()
    }),
  )
  return router
}
