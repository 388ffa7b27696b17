/**
 * `Partial<Options>` and the environment become one complete {@link Config}, once, with every error named at once.
 */
import { readFileSync } from 'node:fs'
import { BlockList, isIP, isIPv4 } from 'node:net'

/** What a caller may set; everything else has a default. */
export interface Options {
  /** address to listen on; default `HOST`, else 127.0.0.1 */
  host?: string
  /** port to listen on, 0 = any free one; default `PORT`, else 4400 */
  port?: number
  /** connection string of a replica set; default `MONGODB_URI`. Without one, a mongod of one's own is started. */
  mongodbUri?: string
  /** name of the database; default `livetag` */
  database?: string
  /** data folder; default `LIVETAG_HOME`, else `.livetag` */
  home?: string
  /** key that opens everything, at least 16 characters; default `LIVETAG_OWNER_KEY` */
  ownerKey?: string
  /** addresses or CIDR ranges of proxies whose `X-Forwarded-For` is believed; default `LIVETAG_TRUST_PROXY`, comma-separated */
  trustProxy?: string[]
  /** an MMDB of one's own that tells where visitors are (GeoLite2-City.mmdb and the like); default `LIVETAG_GEO` */
  geo?: string
  /** file of addresses or CIDR ranges, one a line, from which scanners look into mails; default `LIVETAG_SCANNERS` */
  scanners?: string
  /** `fatal` … `trace` or `silent`; default `LOG_LEVEL`, else `info` */
  logLevel?: string
  /** bytes of events that may wait for the journal before requests are refused; default 64 MiB */
  journalBytes?: number
}

export interface Config {
  host: string
  port: number
  mongodbUri: string | undefined
  database: string
  home: string
  ownerKey: string | undefined
  trustProxy: BlockList
  geo: string | undefined
  scanners: BlockList | undefined
  logLevel: string
  journalBytes: number
}

/** Thrown with every mistake in the configuration, one a line. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** @throws ConfigError naming every mistake */
export function readConfig(options: Options = {}, env: NodeJS.ProcessEnv = {}): Config {
  const wrong: string[] = []
  const check = (ok: boolean, message: string) => ok || wrong.push(message)
  const number = (value: string | undefined) => (value ? Number(value.trim() || 'nothing') : undefined)

  const host = options.host ?? (env.HOST || '127.0.0.1')
  const port = options.port ?? number(env.PORT) ?? 4400
  check(
    Number.isInteger(port) && port >= 0 && port < 65_536,
    `PORT must be a whole number from 0 to 65535, not ${port}`,
  )
  const ownerKey = options.ownerKey ?? (env.LIVETAG_OWNER_KEY || undefined)
  check(ownerKey === undefined || ownerKey.length >= 16, 'LIVETAG_OWNER_KEY must have at least 16 characters')
  const logLevel = options.logLevel ?? (env.LOG_LEVEL || 'info')
  check(LEVELS.includes(logLevel), `LOG_LEVEL must be one of ${LEVELS.join(', ')}, not "${logLevel}"`)
  const journalBytes = options.journalBytes ?? 64 * 1024 * 1024
  check(journalBytes >= 1024 * 1024, 'journalBytes must be at least 1 MiB')
  const mongodbUri = options.mongodbUri ?? (env.MONGODB_URI || undefined)
  check(
    mongodbUri === undefined || /^mongodb(\+srv)?:\/\//.test(mongodbUri),
    'MONGODB_URI must begin with mongodb:// or mongodb+srv://',
  )
  const proxies =
    options.trustProxy ??
    (env.LIVETAG_TRUST_PROXY ?? '')
      .split(',')
      .map(p => p.trim())
      .filter(Boolean)
  const trustProxy = new BlockList()
  for (const proxy of proxies) {
    check(
      addRange(trustProxy, proxy),
      `LIVETAG_TRUST_PROXY must hold addresses or ranges as 10.0.0.0/8, not "${proxy}"`,
    )
  }
  const scanners = options.scanners ?? (env.LIVETAG_SCANNERS || undefined)
  const ranges = scanners === undefined ? undefined : readRanges(scanners, wrong)
  if (!isLoopback(host) && ownerKey === undefined) {
    wrong.push(
      `HOST ${host} can be reached from other machines: set LIVETAG_OWNER_KEY (at least 16 characters) first, or listen on 127.0.0.1`,
    )
  }
  if (wrong.length > 0) throw new ConfigError(wrong.join('\n'))
  return {
    host,
    port,
    mongodbUri,
    database: options.database ?? 'livetag',
    home: options.home ?? (env.LIVETAG_HOME || '.livetag'),
    ownerKey,
    trustProxy,
    geo: options.geo ?? (env.LIVETAG_GEO || undefined),
    scanners: ranges,
    logLevel,
    journalBytes,
  }
}

/** Whether only this machine can reach that listening address. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))

/** Empty lines, and what follows a `#`, are left out. */
function readRanges(path: string, wrong: string[]): BlockList {
  const list = new BlockList()
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    wrong.push(`LIVETAG_SCANNERS: ${path} can not be read (${(error as NodeJS.ErrnoException).code})`)
  }
  for (const [i, line] of text.split('\n').entries()) {
    const range = line.replace(/#.*/, '').trim()
    if (range !== '' && !addRange(list, range))
      wrong.push(`LIVETAG_SCANNERS: line ${i + 1} of ${path} is an address or a range as 10.0.0.0/8`)
  }
  return list
}

function addRange(list: BlockList, text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d+))?$/.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return false
  const most = version === 4 ? 32 : 128
  const prefix = bits === undefined ? most : Number(bits)
  if (prefix > most) return false
  list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6')
  return true
}
