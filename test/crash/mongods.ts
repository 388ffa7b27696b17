/** A replica set of one or three mongods on this machine, each of which can be killed, stopped and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { cacheFolder } from '../../collector/store/mongod/cache.ts'
import { accepts, freePort } from '../../collector/store/mongod/port.ts'
import { steps } from '../../collector/store/mongod/search.ts'
import { binaryVersion } from '../../collector/store/mongod/version.ts'
import { tied } from './children.ts'
import { until } from './until.ts'

const SET = 'crash'
/** ms: how long a primary may be silent before another one is elected, so that rounds are short */
const ELECTION = { electionTimeoutMillis: 1_000, heartbeatIntervalMillis: 250 } as const

/** A member that is stopped answers nothing: it must not be waited for long. */
const HASTE = {
  appName: 'livetag-crash',
  serverSelectionTimeoutMS: 5_000,
  heartbeatFrequencyMS: 500,
  connectTimeoutMS: 1_000,
  socketTimeoutMS: 1_000,
} as const

export interface Mongods {
  ports: number[]
  /** of the whole set */
  uri: string
  /** connected to the set, and never cut */
  client: MongoClient
  /** Which of them is the primary; waits until one is. */
  primary(): Promise<number>
  /** `kill -9` */
  kill(which: number): Promise<void>
  /** Starts it on its data and returns when it answers. */
  start(which: number): Promise<void>
  signal(which: number, name: 'SIGSTOP' | 'SIGCONT'): void
  close(): Promise<void>
}

/** A mongod that starts on this machine, found as the collector finds one. @throws Error with what was tried */
async function findBinary(env: NodeJS.ProcessEnv): Promise<string> {
  const tried: string[] = []
  const onProgress = (text: string) => process.stderr.write(`${text}\n`)
  for (const step of steps({ env, cacheDir: cacheFolder(env), data: 'new data', onProgress })) {
    try {
      for (const binary of await step.find()) {
        await binaryVersion(binary)
        return binary
      }
    } catch (error) {
      tried.push(`${step.source}: ${(error as Error).message}`)
    }
  }
  throw new Error(`there is no mongod:\n  ${tried.join('\n  ')}`)
}

export async function startMongods(folder: string, count: 1 | 3): Promise<Mongods> {
  const binary = await findBinary(process.env)
  const ports: number[] = []
  for (let i = 0; i < count; i++) ports.push(await freePort())
  const running = new Map<number, { child: ChildProcess; ended: Promise<void> }>()

  const start = async (which: number): Promise<void> => {
    const port = ports[which] ?? 0
    const data = join(folder, `data${which}`)
    mkdirSync(data, { recursive: true })
    const args = [
      ...['--dbpath', data, '--replSet', SET, '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket'],
      ...['--logpath', join(folder, `mongod${which}.log`), '--logappend', '--quiet'],
      ...['--wiredTigerCacheSizeGB', '0.25', '--oplogSize', '990'],
      ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
      // Seconds between checkpoints: with the 60 of the default one that is killed ever again never comes to its first, and
      // repeats at each start all that was ever written (276,000 operations in 20 s, after 13 minutes).
      ...['--syncdelay', '5'],
      // A collector that is killed within a transaction leaves its locks behind for so long: a minute by default.
      ...['--setParameter', 'transactionLifetimeLimitSeconds=5'],
    ]
    const child = tied(spawn(binary, args, { stdio: 'ignore' }))
    const ended = new Promise<void>(resolve => {
      child.once('error', () => resolve())
      child.once('exit', () => resolve())
    })
    running.set(which, { child, ended })
    await until(`mongod ${which} answers`, 60_000, () => accepts(port), 15)
  }
  const kill = async (which: number): Promise<void> => {
    const one = running.get(which)
    running.delete(which)
    one?.child.kill('SIGKILL')
    await one?.ended
  }
  const close = async (): Promise<void> => {
    await Promise.all([...running.keys()].map(kill))
  }

  try {
    await Promise.all(ports.map((_, which) => start(which)))
    await initiate(ports)
    const uri = `mongodb://${ports.map(port => `127.0.0.1:${port}`).join()}/?replicaSet=${SET}`
    const client = new MongoClient(uri, { ...HASTE, socketTimeoutMS: 20_000 })
    const members = ports.map(port => new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, HASTE))
    const isPrimary = async (member: MongoClient): Promise<boolean> => {
      const { isWritablePrimary } = await member.db('admin').command({ hello: 1 })
      return isWritablePrimary === true
    }
    const primary = () =>
      until('a primary', 60_000, async () => {
        const answers = await Promise.all(members.map(member => isPrimary(member).catch(() => false)))
        const which = answers.indexOf(true)
        return which < 0 || !running.has(which) ? undefined : which
      })
    await primary()
    return {
      ports,
      uri,
      client,
      primary,
      kill,
      start,
      signal: (which, name) => void running.get(which)?.child.kill(name),
      async close() {
        await Promise.all([client, ...members].map(one => one.close()))
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function initiate(ports: number[]): Promise<void> {
  const client = new MongoClient(`mongodb://127.0.0.1:${ports[0]}/?directConnection=true`)
  try {
    const members = ports.map((port, _id) => ({ _id, host: `127.0.0.1:${port}` }))
    const config = { _id: SET, members, ...(ports.length > 1 && { settings: ELECTION }) }
    await client.db('admin').command({ replSetInitiate: config })
  } finally {
    await client.close()
  }
}
