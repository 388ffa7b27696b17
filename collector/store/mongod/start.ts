import { readdir, rm } from 'node:fs/promises'
import { join as joinPath } from 'node:path'
import { type Folder, type Lock, liveLock, readRecord, removeLock, writeRecord } from './folder.ts'
import { launch, StartError } from './launch.ts'
import { lastWords } from './log.ts'
import { freePort } from './port.ts'
import { becomePrimary } from './primary.ts'
import { type Attempt, NoMongodError, steps } from './search.ts'
import { stop } from './stop.ts'
import { binaryVersion, cannotRead, canRead } from './version.ts'
import type { Log } from './watch.ts'

/** Exit codes of mongod: the port is taken; it met an exception in opening the data (in use, no rights), it aborted. */
const PORT_TAKEN = 48
const DATA_TROUBLE = new Set<number | undefined>([100, 14])

export interface StartOptions {
  env: NodeJS.ProcessEnv
  cacheDir: string
  log: Log
  onProgress: (text: string) => void
}

/** The mongod that runs on the folder already; `undefined` if none does. */
export async function join(folder: Folder): Promise<Lock | undefined> {
  const lock = liveLock(folder)
  if (lock === undefined) {
    await removeLock(folder)
    return undefined
  }
  try {
    await ready(folder, lock)
    return lock
  } catch (error) {
    if (liveLock(folder) === undefined) return undefined // it died while we asked
    throw new Error(
      `mongod ${lock.mongod.pid} runs on ${folder.data} but is of no use on port ${lock.port}: ${(error as Error).message} ` +
        `(${lastWords(folder)}). End it ("kill ${lock.mongod.pid}"; if that is no mongod, remove ${folder.lock}), then start again`,
    )
  }
}

/** Waits until it is primary, and notes what the data is. */
async function ready(folder: Folder, { version, port }: Lock): Promise<void> {
  await writeRecord(folder, { version, format: await becomePrimary(port), port })
}

/** Tries one binary after the other until one is primary on the folder's data. */
export async function start(
  folder: Folder,
  { env, cacheDir, log, onProgress }: StartOptions,
  onExit: () => void,
): Promise<Lock> {
  const record = readRecord(folder)
  const fit = async (binary: string): Promise<string> => {
    const version = await binaryVersion(binary)
    if (record && !canRead(version, record.format)) throw new Error(cannotRead(version, record.format, folder.data))
    return version
  }
  const attempts: Attempt[] = [{ source: 'MONGODB_URI', what: 'not set', todo: 'set it to a replica set of your own' }]
  for (const step of steps({ env, cacheDir, data: folder.data, format: record?.format, onProgress })) {
    const fail = (error: unknown): void => {
      const what = error instanceof Error ? error.message : String(error)
      attempts.push({ source: step.source, what, todo: step.todo })
      if (env.LIVETAG_MONGOD && step.source === 'LIVETAG_MONGOD') log.warn(`LIVETAG_MONGOD is not used: ${what}`)
    }
    const binaries = await step.find().catch((error: unknown) => fail(error))
    for (const binary of binaries ?? []) {
      const version = await fit(binary).catch((error: unknown) => fail(error))
      if (version === undefined) continue
      try {
        return await run(folder, { binary, version }, record?.port, log, onExit)
      } catch (error) {
        // Where the data is the trouble another binary would fail as well, and must not be downloaded for it.
        if (!(error instanceof StartError) || DATA_TROUBLE.has(error.code)) throw error
        fail(error)
      }
    }
  }
  throw new NoMongodError(attempts)
}

async function run(
  folder: Folder,
  program: { binary: string; version: string },
  wanted: number | undefined,
  log: Log,
  onExit: () => void,
): Promise<Lock> {
  const began = Date.now()
  const fresh = (await readdir(folder.data)).length === 0
  try {
    const lock = await launch(folder, { ...program, port: await freePort(wanted) }, onExit).catch(async error => {
      if (!(error instanceof StartError && error.code === PORT_TAKEN)) throw error
      return launch(folder, { ...program, port: await freePort() }, onExit)
    })
    await ready(folder, lock)
    log.info({ mongod: lock.mongod.pid, port: lock.port, ...program, ms: Date.now() - began }, 'mongod started')
    return lock
  } catch (error) {
    const lock = liveLock(folder)
    if (lock) await stop(lock.mongod, 0)
    await removeLock(folder)
    // What it began in an empty folder would be in the way of another version.
    if (fresh)
      await Promise.all((await readdir(folder.data)).map(name => rm(joinPath(folder.data, name), { recursive: true })))
    throw error
  }
}
