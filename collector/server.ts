/** Composes everything: one collector, listening by itself or mounted in an Express app of one's own. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Request, Response } from 'express'
import { type Access, createAccess } from './access.ts'
import { createApp, notFound } from './app.ts'
import { builtFolder } from './assets.ts'
import { type Config, type Options, readConfig } from './config.ts'
import { createEmail, type EmailWithout } from './email/index.ts'
import {
  countRejects,
  createIntake,
  createSalts,
  createServerEvents,
  followPlaces,
  isTrusted,
  loadPlaces,
  noPlaces,
  truncatedAddress,
  withPatience,
} from './intake/index.ts'
import { createHub } from './live/index.ts'
import { createLog, type Log } from './log.ts'
import { ensureOwnerKey } from './owner-key.ts'
import { createAttempts } from './people/index.ts'
import { type Closing, startPipeline } from './pipeline.ts'
import { askAhead, createKept, createQueries, createThreads } from './query/index.ts'
import { createReadiness } from './readiness.ts'
import { ensureSites, listSites, watchSites } from './sites/index.ts'
import { connect, ensureCollections, openMongod } from './store/index.ts'
import { createVisitorsToday } from './visitors-today.ts'

/** How long a clean end may take before what is left is given up, ms. Nothing that was acknowledged can be lost by it. */
const CLOSE_MS = 10_000
/** How long after the start it asks what dashboards will, ms: first comes what tags have held back meanwhile. */
const AHEAD_MS = 2_000

export interface Collector {
  /** Answers requests; calls `next` for what it has no answer to. Hot routes included: mount it before body parsers. */
  handler(request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void
  /**
   * Listens on the configured host and port, or takes over a server that does already.
   * @throws when the port is taken
   */
  listen(listening?: Server): Promise<{ server: Server; url: string }>
  access: Access
  log: Log
  /** events settled since the start */
  settled(): number
  /** Stops accepting, writes, settles and folds what is there, gives the lane back, shuts down a mongod of its own last. */
  close(): Promise<void>
}

/** @throws when the port is taken */
export async function listenOn(server: Server, { host, port }: Pick<Config, 'host' | 'port'>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
}

export interface CollectorOptions extends Options {
  /** told what takes long at the start, such as a download */
  onProgress?: (text: string) => void
  /** now, ms since the epoch; `Date.now` if absent */
  clock?: () => number
  /** when days are over, and how soon they are closed; for tests */
  closing?: Closing
  /** of a collector that had no database yet, whose place this one takes */
  emailWithout?: EmailWithout | undefined
  /** of your own app; if absent, JSON lines on stderr from `logLevel` on */
  log?: Log
}

/** Events that wait for the journal at a time: where more do, a core has little else to do than to take them (300 KiB at its limit). */
const BUSY_BYTES = 64 * 1024

/**
 * Starts a collector.
 * @param options what is absent comes from the environment, then from defaults
 * @throws ConfigError naming every mistake; MmdbError when what should tell of places does not; ConnectError or NoMongodError when there is no usable MongoDB
 */
export async function createCollector(
  options: CollectorOptions = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<Collector> {
  const config = readConfig(options, env)
  const clock = options.clock ?? Date.now
  const log = options.log ?? createLog(config.logLevel)
  const folder = builtFolder()
  const ownerKey = config.ownerKey ?? (await ensureOwnerKey(config.home))
  const loadedPlaces = config.geo === undefined ? undefined : await loadPlaces(config.geo)
  const { onProgress = () => {} } = options
  const mongodEnv = { ...env, MONGODB_URI: config.mongodbUri }
  const mongod = await openMongod({ home: config.home, env: mongodEnv, log, onProgress })
  const client = await connect(mongod.uri, { appName: 'livetag' }).catch(async error => {
    await mongod.close()
    throw error
  })
  const db = client.db(config.database)
  await ensureCollections(db)
  await ensureSites(db)
  const access = createAccess(db, ownerKey, clock)
  const sites = await watchSites(db, error => log.warn({ err: error }, 'the sites could not be followed'))
  const rejects = countRejects(db, error => log.warn({ err: error }, 'rejects could not be written'))
  const repeated = ({ site, name }: { site: string; name: string }) => rejects.add(site, name, 'duplicate')
  const zoneOf = (key: string) => sites.get(key)?.timezone
  const pipeline = await startPipeline({ db, log, zoneOf, repeated, closing: options.closing }, config.journalBytes)
  const threads = createThreads(pathToFileURL(`${folder}collector/scanning.js`), {
    isBusy: () => pipeline.journal.waiting > BUSY_BYTES,
  })
  const queries = createQueries({ client, db, clock, kept: createKept(db), threads })
  const stop = new AbortController()
  const asked = pause(AHEAD_MS, undefined, { signal: stop.signal })
    .then(() => listSites(db))
    .then(all => askAhead(queries, all, stop.signal))
    .catch(error => {
      if (!stop.signal.aborted) log.warn({ err: error }, 'what dashboards ask could not be asked ahead')
    })
  const countVisitors = createVisitorsToday(queries)
  const hub = createHub({ client, db, log, clock, siteOf: sites.get, countVisitors })
  // What a full disk can't take is refused at once, and before mongod ends for want of space to write.
  const journal = withPatience(pipeline.journal, mongod.diskFull)
  const salts = createSalts(db, clock)
  const places = loadedPlaces
    ? followPlaces(loadedPlaces, {
        replaced: ({ path, type, built }) => log.info({ path, type, built }, 'the database of places was replaced'),
        failed: error => log.warn({ err: error }, 'the database of places can not be used: the one of before is'),
      })
    : noPlaces
  const intake = createIntake({ journal, sites, rejects, salts, places, trustProxy: config.trustProxy, log, clock })
  const email = await createEmail({
    db,
    home: config.home,
    log,
    clock,
    uncounted: options.emailWithout?.uncounted,
  })
  const emailRoutes = email.routes({
    journal,
    sites,
    rejects,
    scanners: config.scanners,
    trustProxy: config.trustProxy,
  })
  const takeServerEvents = createServerEvents({ journal, rejects, clock })
  const { diskFull } = mongod
  const readiness = createReadiness({ db, journal: pipeline.journal, limit: config.journalBytes, diskFull })
  const trusts = (address: string) => isTrusted(address, config.trustProxy)
  const { fenced } = pipeline
  const app = createApp({
    client,
    db,
    access,
    hub,
    sites,
    log,
    clock,
    folder,
    readiness,
    places,
    queries,
    fenced,
    trusts,
    email,
    takeServerEvents,
    attempts: createAttempts(clock),
    networkOf: request => truncatedAddress(request, request.socket.remoteAddress, config.trustProxy),
  })
  const missing = notFound(folder)
  let server: Server | undefined

  const handler: Collector['handler'] = (request, response, next) => {
    if (intake(request, response) || emailRoutes(request, response)) return
    const prototypes = [request, response].map(Object.getPrototypeOf)
    app(request as Request, response as Response, error => {
      if (!next) return missing(request as Request, response as Response, () => {})
      // What is another app's has to look as if it had never been in here.
      for (const [i, thing] of [request, response].entries()) Object.setPrototypeOf(thing, prototypes[i])
      next(error)
    })
  }
  const drain = async () => {
    stop.abort()
    const ended = server && new Promise(resolve => server?.close(resolve))
    await hub.close()
    server?.closeIdleConnections()
    await Promise.race([ended, pause(1_000)])
    server?.closeAllConnections()
    await pipeline.close()
    journal.close()
    places.close()
    await Promise.all([rejects.close(), sites.close(), email.close(), asked])
  }
  let closing: Promise<void> | undefined
  return {
    handler,
    access,
    log,
    settled: pipeline.settled,
    async listen(listening = createServer()) {
      listening.removeAllListeners('request').on('request', (request, response) => handler(request, response))
      // A page's connection may be idle for long between two events.
      listening.keepAliveTimeout = 65_000
      if (!listening.listening) await listenOn(listening, config)
      server = listening
      const address = listening.address()
      const port = typeof address === 'object' && address ? address.port : config.port
      return {
        server: listening,
        url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
      }
    },
    close() {
      closing ??= (async () => {
        await Promise.race([
          drain().catch(error => log.error({ err: error }, 'closing failed')),
          pause(CLOSE_MS, undefined, { ref: false }),
        ])
        await threads.close()
        await client.close()
        await mongod.close()
      })()
      return closing
    },
  }
}
