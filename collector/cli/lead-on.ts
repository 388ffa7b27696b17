/**
 * A collector that starts while its database is away: where mails have links, it listens at once and leads them on, and tries
 * again until it has a database. Without any it says what is wrong and ends, as whoever starts it is there to read it.
 */
import { createServer, type Server } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { ConfigError, type Options, readConfig } from '../config.ts'
import { type EmailWithout, emailWithout } from '../email/index.ts'
import { MmdbError } from '../intake/index.ts'
import { createLog, type Log } from '../log.ts'
import { type Collector, type CollectorOptions, createCollector, listenOn } from '../server.ts'
import { explain, fail } from './fail.ts'

/** How long after a start that failed the next one is tried, ms. */
const AGAIN_MS = 2_000
const NOT_YET = 'The collector has no database yet: it tries again, and links of mails lead on.\n'

/** Starts a collector, and listens. Ends the process when that can't be done. */
export async function startListening(options: CollectorOptions): Promise<{ collector: Collector; url: string }> {
  const waiting = await leadOn(options).catch(fail)
  const collector = await (waiting ? untilStarted(options, waiting) : createCollector(options)).catch(fail)
  const { url } = await collector.listen(waiting?.server).catch(async error => {
    await collector.close()
    return fail(explain(error))
  })
  return { collector, url }
}

interface Waiting {
  email: EmailWithout
  server: Server
  log: Log
}

async function leadOn(options: Options): Promise<Waiting | undefined> {
  const config = readConfig(options, process.env)
  const log = createLog(config.logLevel)
  const email = await emailWithout(config.home, log)
  if (!email) return undefined
  const server = createServer((request, response) => {
    if (email.routes(request, response)) return
    request.resume()
    response.writeHead(503, { 'retry-after': '2', 'content-type': 'text/plain; charset=utf-8' }).end(NOT_YET)
  })
  await listenOn(server, config).catch(error => fail(explain(error)))
  return { email, server, log }
}

async function untilStarted(options: CollectorOptions, { email, log }: Waiting): Promise<Collector> {
  const end = () => void email.uncounted.close().finally(() => process.exit(0))
  process.once('SIGINT', end).once('SIGTERM', end)
  for (;;) {
    try {
      const collector = await createCollector({ ...options, emailWithout: email })
      process.off('SIGINT', end).off('SIGTERM', end)
      return collector
    } catch (error) {
      // What another try would not mend.
      if (error instanceof ConfigError || error instanceof MmdbError) throw error
      log.error({ err: error }, 'the collector could not start and tries again; links of mails lead on')
      await pause(AGAIN_MS)
    }
  }
}
