import { setTimeout as pause } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { REPLICA_SET } from './launch.ts'

/**
 * Waits until the mongod on a port is the primary of its one-node replica set. Makes it one where need be: initiates
 * the set on fresh data, and renames its member where the data comes back on another port. Harmless to repeat.
 *
 * @param limit ms until it must be primary
 * @returns the format of the files ("featureCompatibilityVersion"), as `6.0`
 * @throws Error when it does not answer or did not become primary in time
 */
export async function becomePrimary(port: number, limit = 60_000): Promise<string> {
  const client = direct(port, limit)
  try {
    const admin = client.db('admin')
    const host = `127.0.0.1:${port}`
    let config = await currentConfig(client)
    while (config === undefined) {
      await initiate(client, host)
      config = await currentConfig(client)
    }
    if (config.members[0]?.host !== host) {
      const members = config.members.slice(0, 1).map(member => ({ ...member, host }))
      await admin.command({ replSetReconfig: { ...config, members, version: config.version + 1 }, force: true })
    }
    await writable(client, limit)
    const answer = await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 })
    return String(answer.featureCompatibilityVersion.version)
  } finally {
    await client.close()
  }
}

interface ReplicaConfig {
  version: number
  members: { _id: number; host: string }[]
}

/**
 * Data that comes back is "not yet initialized" too, until mongod has asked the host in its configuration whether that
 * is itself. Then this is refused; where another program listens there and says nothing, after half a minute.
 */
async function initiate(client: MongoClient, host: string): Promise<void> {
  try {
    await client.db('admin').command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host }] } })
  } catch (error) {
    if ((error as { codeName?: string }).codeName !== 'AlreadyInitialized') throw error
    await pause(20)
  }
}

async function currentConfig(client: MongoClient): Promise<ReplicaConfig | undefined> {
  try {
    return (await client.db('admin').command({ replSetGetConfig: 1 })).config as ReplicaConfig
  } catch (error) {
    if ((error as { codeName?: string }).codeName === 'NotYetInitialized') return undefined
    throw error
  }
}

async function writable(client: MongoClient, limit: number): Promise<void> {
  const until = Date.now() + limit
  for (;;) {
    const hello = await client.db('admin').command({ hello: 1 })
    if (hello.isWritablePrimary === true) return
    if (Date.now() > until) {
      throw new Error(`it answers but did not become primary within ${limit / 1000} s: ${JSON.stringify(hello)}`)
    }
    await pause(10)
  }
}

function direct(port: number, limit: number): MongoClient {
  return new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: 10_000,
    socketTimeoutMS: limit,
    maxPoolSize: 1,
    appName: 'livetag-start',
  })
}
