/** `/api/v2`: for who has the owner's key or is signed in. */
import { Router } from 'express'
import type { Db, MongoClient } from 'mongodb'
import type { Access } from './access.ts'
import { serveConsents } from './consents-api.ts'
import { type Hub, startSse } from './live/index.ts'
import type { Log } from './log.ts'
import { problem } from './problem.ts'
import { INTERVALS, PERIODS, readStats } from './query/index.ts'
import { DOCTOR_SITE, listSites, type Sites } from './sites/index.ts'
import { readOplog } from './status/index.ts'

export interface ApiParts {
  client: MongoClient
  db: Db
  access: Access
  hub: Hub
  sites: Sites
  log: Log
  clock(): number
}

export function apiRoutes({ client, db, access, hub, sites, log, clock }: ApiParts): Router {
  const router = Router()
  router.use((request, response, next) => {
    response.set('cache-control', 'no-store')
    if (access.allows(request)) next()
    else problem(response, 'not-signed-in')
  })

  router.get('/sites', async (_, response) => void response.json({ sites: await listSites(db) }))

  router.get('/stats', async (request, response) => {
    const { site: key, period = 'today', interval } = request.query
    if (typeof key !== 'string') return problem(response, 'parameter-invalid', 'site: the key of a site')
    const site = key === DOCTOR_SITE ? undefined : sites.get(key)
    if (!site) return problem(response, 'site-unknown')
    if (!isOneOf(PERIODS, period)) return problem(response, 'parameter-invalid', `period: one of ${PERIODS.join(', ')}`)
    if (interval !== undefined && !isOneOf(INTERVALS, interval)) {
      return problem(response, 'parameter-invalid', `interval: one of ${INTERVALS.join(', ')}`)
    }
    response.json(await readStats(client, db, site, period, clock(), interval))
  })

  router.get('/consents', serveConsents(db, sites))

  router.get('/live', async (request, response) => {
    const { site: key } = request.query
    if (typeof key !== 'string') return problem(response, 'parameter-invalid', 'site: the key of a site')
    const site = sites.get(key)
    if (!site) return problem(response, 'site-unknown')
    // Express answers HEAD by the same route: there is nothing to stream.
    if (request.method === 'HEAD') return void response.type('text/event-stream').end()
    const viewer = startSse(response, () => hub.refresh(site, viewer))
    let left = false
    let leave = () => {}
    response.on('close', () => {
      left = true
      leave()
    })
    try {
      leave = await hub.join(site, viewer, request.get('last-event-id'))
      if (left) leave()
    } catch (error) {
      log.warn({ err: error }, 'a viewer could not join')
      // The browser comes back by itself.
      viewer.end()
    }
  })

  router.post('/login-links', (_, response) => void response.status(201).json({ token: access.newLink() }))

  /** What `livetag doctor` says of deleted salts; null where it is not known. */
  router.get('/doctor/oplog', async (_, response) => void response.json({ oplog: (await readOplog(client)) ?? null }))

  /** What `livetag doctor` asks: whether an event of its own has reached the time-series. */
  router.get('/doctor/:id', async (request, response) => {
    const events = db
      .collection('events')
      .find({ 'meta.site': DOCTOR_SITE, id: String(request.params.id) }, { projection: { _id: 1 } })
    response.json({ stored: (await events.toArray()).length })
  })
  return router
}

const isOneOf = <T extends string>(list: readonly T[], value: unknown): value is T => list.some(item => item === value)
