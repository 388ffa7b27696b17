/** One deployment on this machine: mongods, the network, collectors. Everything in it can be ended, and is at the end. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Db, ReadConcern } from 'mongodb'
import { addSite, readGoal, type Site } from '../../collector/sites/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { freePort } from '../../collector/store/mongod/port.ts'
import { CLOSING, type CollectorProcess, collectorProcess } from './collectors.ts'
import { type Link, startLink } from './link.ts'
import { GOALS, PROPERTIES } from './model.ts'
import { type Mongods, startMongods } from './mongods.ts'
import { type Scenario, SETTINGS } from './plan.ts'
import { checkProtection } from './protections.ts'
import { createStopwatch, type Stopwatch } from './stopwatch.ts'

const DATABASE = 'crash'
/** What each site of a round is; goals and properties from the begin of time on, as some events are late by days. */
export const ROUND_SITE = {
  domain: 'shop.example',
  consent: 'cookieless',
  timezone: 'UTC',
  goals: GOALS.map(goal => readGoal(goal, new Date(0))),
  properties: PROPERTIES.map(name => ({ name, since: new Date(0) })),
} satisfies Omit<Site, 'key'>
export const OWNER_KEY = 'the-owner-key-of-a-crash-test'
/** The least that a collector takes, bytes: so that a full journal is met. */
const JOURNAL_BYTES = 1024 * 1024
const BUILT = new URL('../../dist/collector/index.js', import.meta.url)

export interface Deployment {
  /** of logs and data */
  folder: string
  mongods: Mongods
  db: Db
  /** between each collector and mongod; none to a set of three, whose members name each other's addresses */
  links: Link[]
  collectors: CollectorProcess[]
  /** how long something was done to it: what is asked of it meanwhile may take longer by that */
  disturbed: Stopwatch
  /** Ends everything. Logs and data stay when asked. */
  close(keep: boolean): Promise<void>
}

/**
 * @param sites that collectors know from their start
 * @param prepare what is done to the database before they start
 */
export async function deploy(
  scenario: Scenario,
  sites: string[],
  without?: string,
  prepare?: (db: Db) => Promise<void>,
): Promise<Deployment> {
  // A backlog is measured, so nothing is closed while it changes.
  const closing = prepare ? undefined : CLOSING
  const protection = without === undefined ? undefined : checkProtection(without, fileURLToPath(new URL('.', BUILT)))
  const setting = SETTINGS[scenario]
  const folder = mkdtempSync(join(tmpdir(), 'livetag-crash-'))
  const mongods = await startMongods(folder, setting.mongods)
  const links: Link[] = []
  const collectors: CollectorProcess[] = []
  const close = async (keep: boolean): Promise<void> => {
    await Promise.allSettled(collectors.map(collector => collector.end('SIGKILL')))
    for (const link of links) link.close()
    await mongods.close()
    if (!keep) await rm(folder, { recursive: true, force: true })
  }
  try {
    // Not of the client: it would then make no snapshots.
    const db = mongods.client.db(DATABASE, { readConcern: new ReadConcern('majority') })
    await ensureCollections(db)
    for (const key of sites) await addSite(db, { key, ...ROUND_SITE })
    for (let i = 0; i < setting.collectors; i++) {
      let mongodbUri = mongods.uri
      if (setting.mongods === 1) {
        const link = await startLink(await freePort(), mongods.ports[0] ?? 0)
        links.push(link)
        mongodbUri = `mongodb://127.0.0.1:${link.port}/?directConnection=true`
      }
      collectors.push(
        collectorProcess({
          name: `collector${i}`,
          folder,
          built: BUILT.href,
          without: protection,
          closing,
          options: {
            host: '127.0.0.1',
            port: await freePort(),
            mongodbUri,
            database: DATABASE,
            ownerKey: OWNER_KEY,
            home: folder,
            journalBytes: JOURNAL_BYTES,
            logLevel: 'info',
          },
        }),
      )
    }
    await prepare?.(db)
    await Promise.all(collectors.map(collector => collector.start()))
    return { folder, mongods, db, links, collectors, disturbed: createStopwatch(), close }
  } catch (error) {
    await close(false)
    throw error
  }
}
