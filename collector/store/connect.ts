import { type Document, MongoClient, type MongoClientOptions } from 'mongodb'

export interface ConnectOptions {
  /** shown in the server's log and in `currentOp` */
  appName: string
  /** how long a server is waited for, ms; 10 s if absent */
  timeout?: number
}

/** Why a server cannot be used, in words for whoever set `MONGODB_URI`. Never holds a password. */
export class ConnectError extends Error {
  override name = 'ConnectError'
}

/**
 * Connects to MongoDB and checks that it can keep the collector's promise: retryable writes, transactions and change
 * streams, so a member of a replica set or a `mongos`. Every write is acknowledged by a majority, from its journal.
 *
 * @param uri a MongoDB connection string
 * @throws ConnectError within about `timeout`: not a connection string, `retryWrites=false` or a `readConcernLevel` in it, unreachable, refused, or alone
 */
export async function connect(uri: string, { appName, timeout = 10_000 }: ConnectOptions): Promise<MongoClient> {
  const client = open(uri, {
    appName,
    serverSelectionTimeoutMS: timeout,
    writeConcern: { w: 'majority', journal: true },
    ignoreUndefined: true,
  })
  if (client.options.retryWrites === false) {
    throw new ConnectError(
      `${redact(uri)} has retryWrites=false: without it an event can be lost or counted twice. ` +
        'Take it out of the connection string (it is on by default)',
    )
  }
  if (client.options.readConcern) {
    throw new ConnectError(
      `${redact(uri)} has readConcernLevel=${client.options.readConcern.level}: reads that belong together would then not be of one moment, and counts wrong. ` +
        'Take it out of the connection string: livetag reads from a majority wherever that matters',
    )
  }
  try {
    await client.connect()
    checkMember(await client.db('admin').command({ hello: 1 }), hostsOf(client, uri))
    return client
  } catch (error) {
    const hosts = hostsOf(client, uri)
    await client.close()
    if (error instanceof ConnectError) throw error
    await probe(client, hosts)
    throw explained(error, hosts, timeout)
  }
}

/** The text without what stands before the host in the connection strings in it, and without secret options. */
export function redact(text: string): string {
  return text
    .replace(/(mongodb(?:\+srv)?:\/\/).*@/gis, '$1***@')
    .replace(/(tlsCertificateKeyFilePassword|proxyPassword|authMechanismProperties)=[^&\s]*/gi, '$1=***')
}

function open(uri: string, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(uri, options)
  } catch (error) {
    // The driver may quote a part of what it could not read, and that part may be a piece of the password.
    const secrets = /:\/\/(.*)@/s.exec(uri)?.[1]?.split(/[:/?#@[\]]/) ?? []
    const said = secrets.reduce((text, secret) => (secret ? text.replaceAll(secret, '***') : text), String(error))
    throw new ConnectError(
      `"${redact(uri)}" is not a MongoDB connection string: ${redact(said)}. ` +
        'It looks like mongodb://user:password@host:27017/?replicaSet=rs0; special characters are percent-encoded',
    )
  }
}

/** A member of a replica set names its set; a mongos says what it is; a server alone does neither. */
function checkMember(hello: Document, hosts: string): void {
  if (typeof hello.setName === 'string' || hello.msg === 'isdbgrid') return
  const initiate = 'run once: mongosh --eval "rs.initiate()"'
  if (hello.isreplicaset === true) {
    throw new ConnectError(`MongoDB at ${hosts} waits to be made a replica set: ${initiate}`)
  }
  throw new ConnectError(
    `MongoDB at ${hosts} is a stand-alone server, which has no transactions and no change streams. ` +
      'Make it a replica set of one, its data stays: put "replication: { replSetName: rs0 }" into mongod.conf ' +
      `(or start it with --replSet rs0), restart it, then ${initiate}`,
  )
}

/**
 * A server that is alone (or not initiated yet) is never selected where a replica set was asked for, and the driver
 * says only that time is up. So ask the first host directly what it is.
 */
async function probe(failed: MongoClient, hosts: string): Promise<void> {
  const host = failed.options.hosts[0]?.toString()
  if (host === undefined) return
  const { tls, credentials } = failed.options
  if (tls || credentials) return
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, { serverSelectionTimeoutMS: 1_000 })
  const hello = await client
    .db('admin')
    .command({ hello: 1 })
    .catch(() => undefined)
  await client.close()
  if (hello !== undefined) checkMember(hello, hosts)
}

function explained(error: unknown, hosts: string, timeout: number): ConnectError {
  const { code, message } = error as { code?: unknown; message: string }
  const said = redact(message)
  if (code === 18 || code === 8000) {
    return new ConnectError(
      `MongoDB at ${hosts} refuses the user name or the password in the connection string: ${said}`,
    )
  }
  return new ConnectError(
    `MongoDB at ${hosts} cannot be reached within ${timeout / 1000} s: ${said}. ` +
      'Check that it runs, the host and port in the connection string, the firewall, and that replicaSet= is its name',
  )
}

function hostsOf(client: MongoClient, uri: string): string {
  const { srvHost, hosts } = client.options
  return srvHost ?? (hosts.map(String).join(', ') || redact(uri))
}
