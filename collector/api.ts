/** `/api/v2`: for people who are signed in or have a shared link, and for programs with an API key. */
import { json, type Request, Router } from 'express'
import type { Db, MongoClient } from 'mongodb'
import { LIMITS } from '../tag/wire.ts'
import { type Access, identify } from './access.ts'
import { accountRoutes } from './account-api.ts'
import { readJson } from './answering.ts'
import { callerOf, ownerOnly, siteAsked } from './caller.ts'
import { serveConsents } from './consents-api.ts'
import type { Email } from './email/index.ts'
import { exportRoutes } from './export-api.ts'
import { GOALS } from './goals-api.ts'
import type { Places, PlacesState, TakeServerEvents } from './intake/index.ts'
import { keyRoutes } from './keys-api.ts'
import { createLimits } from './limits.ts'
import { type Hub, startSse } from './live/index.ts'
import type { Log } from './log.ts'
import { mailingRoutes } from './mailings-api.ts'
import { openApi } from './openapi.ts'
import type { Attempts } from './people/index.ts'
import { peopleRoutes } from './people-api.ts'
import { problem } from './problem.ts'
import { PROPERTIES } from './properties-api.ts'
import {
  ANALYSES,
  type Analysis,
  INTERVALS,
  PERIODS,
  type Queries,
  QueryError,
  readStats,
  startWork,
} from './query/index.ts'
import { serveQuery } from './query-api.ts'
import type { Readiness, ServerState } from './readiness.ts'
import { serveTickets, shareRoutes } from './shares-api.ts'
import { siteListRoutes } from './site-lists-api.ts'
import { DOCTOR_SITE, type Sites } from './sites/index.ts'
import { siteRoutes } from './sites-api.ts'
import { readOplog } from './status/index.ts'
import { createViewers } from './viewers.ts'

export interface ApiParts {
  client: MongoClient
  db: Db
  access: Access
  hub: Hub
  queries: Queries
  sites: Sites
  email: Email
  takeServerEvents: TakeServerEvents
  readiness: Readiness
  places: Pick<Places, 'state'>
  log: Log
  clock(): number
  attempts: Attempts
  /** the truncated address of who asks */
  networkOf(request: Request): string
}

/** What a collector says of itself to `livetag doctor`. */
export interface Condition extends ServerState {
  places: PlacesState | null
}

export function apiRoutes(parts: ApiParts): Router {
  const {
    client,
    db,
    access,
    hub,
    places,
    queries,
    readiness,
    sites,
    email,
    takeServerEvents,
    log,
    clock,
    attempts,
    networkOf,
  } = parts
  const viewers = createViewers(access, log)
  const router = Router()
  router.use((_, response, next) => {
    response.set('cache-control', 'no-store')
    next()
  })
  /** For tools that make clients: it says nothing of a site, so anybody may read it. */
  router.get('/openapi.json', (_, response) => void response.json(openApi()))
  router.post('/share-tickets', readJson, serveTickets(access, attempts, networkOf))
  router.use(identify(access))

  router.use(accountRoutes(parts))
  router.use('/sites', siteRoutes(parts))
  router.use('/keys', keyRoutes(parts))
  router.use('/people', peopleRoutes(parts))
  router.use('/shares', shareRoutes(parts))

  router.get('/stats', async (request, response) => {
    const site = siteAsked(request, response, sites, 'read')
    if (!site) return
    const { period = 'today', interval } = request.query
    if (site.key === DOCTOR_SITE) return problem(response, 'site-unknown')
    if (!isOneOf(PERIODS, period)) return problem(response, 'parameter-invalid', `period: one of ${PERIODS.join(', ')}`)
    if (interval !== undefined && !isOneOf(INTERVALS, interval)) {
      return problem(response, 'parameter-invalid', `interval: one of ${INTERVALS.join(', ')}`)
    }
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const work = startWork(stop => readStats(client, db, site, period, clock(), interval, stop))
    try {
      response.json(await work.join(gone.signal))
    } catch (error) {
      if (gone.signal.aborted) return
      if (!(error instanceof QueryError)) throw error
      problem(response, error.fault.code, error.fault.detail)
    }
  })

  /** Reading a body is left to the question: any type is JSON. */
  const limits = createLimits(clock)
  const asked = json({ limit: '1mb', type: () => true })
  router.post('/query', asked, serveQuery(queries.ask, sites, limits))
  for (const analysis of Object.keys(ANALYSES) as Analysis[]) {
    const analyze: Parameters<typeof serveQuery>[0] = (body, site, signal, turn) =>
      queries.analyze(analysis, body, site, signal, turn)
    router.post(`/${analysis}`, asked, serveQuery(analyze, sites, limits))
  }

  router.use(exportRoutes({ db, sites, viewers, log, clock }))
  router.get('/consents', serveConsents(db, sites))
  router.use('/mailings', mailingRoutes({ db, sites, email, clock }))
  router.use('/goals', siteListRoutes({ db, sites, clock }, GOALS))
  router.use('/properties', siteListRoutes({ db, sites, clock }, PROPERTIES))

  /** Events of the site's own servers, with a key that may write. */
  router.post('/events', json({ limit: '1mb', type: () => true }), async (request, response) => {
    const site = siteAsked(request, response, sites, 'write')
    if (!site) return
    const events: unknown[] = Array.isArray(request.body) ? request.body : [request.body]
    if (events.length === 0 || events.length > LIMITS.events)
      return problem(response, 'body-invalid', `an event, or a list of 1 to ${LIMITS.events}`)
    response.json(await takeServerEvents(site, events))
  })

  router.get('/live', async (request, response) => {
    const site = siteAsked(request, response, sites, 'read')
    if (!site) return
    // Express answers HEAD by the same route: there is nothing to stream.
    if (request.method === 'HEAD') return void response.type('text/event-stream').end()
    const { credential } = response.locals
    const noLonger = viewers.add(callerOf(response), credential, site.key, () => {
      viewer.end()
      // Who does not read gets nothing of what waits, either.
      setTimeout(() => response.destroy(), 1_000).unref()
    })
    if (!noLonger) return problem(response, 'too-many-viewers', undefined, 60)
    const viewer = startSse(response, () => hub.refresh(site, viewer))
    let left = false
    let leave = () => {}
    response.on('close', () => {
      left = true
      noLonger()
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

  router.post('/login-links', ownerOnly, async (_, response) => {
    response.status(201).json({ token: await access.newLink() })
  })

  /** What `livetag doctor` asks: what the server is like, and by what visitors are placed. */
  router.get('/doctor', ownerOnly, async (_, response) => {
    response.json({ ...(await readiness.server()), places: places.state() } satisfies Condition)
  })

  /** What it says of deleted salts; null where it is not known. */
  router.get('/doctor/oplog', ownerOnly, async (_, response) => {
    response.json({ oplog: (await readOplog(client)) ?? null })
  })

  /** And whether an event of its own has reached the time-series. */
  router.get('/doctor/:id', ownerOnly, async (request, response) => {
    const events = db
      .collection('events')
      .find({ 'meta.site': DOCTOR_SITE, id: String(request.params.id) }, { projection: { _id: 1 } })
    response.json({ stored: (await events.toArray()).length })
  })
  return router
}

const isOneOf = <T extends string>(list: readonly T[], value: unknown): value is T => list.some(item => item === value)
