import { resolve } from 'node:path'
import { cacheFolder } from './mongod/cache.ts'
import { folderOf, liveLock, makeFolder, removeLock } from './mongod/folder.ts'
import { REPLICA_SET } from './mongod/launch.ts'
import { checkSpace } from './mongod/space.ts'
import { join, start } from './mongod/start.ts'
import { signal, stop } from './mongod/stop.ts'
import { inTurn } from './mongod/turn.ts'
import { enter } from './mongod/users.ts'
import { type Log, watch } from './mongod/watch.ts'

export { NoMongodError } from './mongod/search.ts'

export interface MongodOptions {
  /** `LIVETAG_HOME`: what mongod keeps lies in the folder `mongod` there */
  home: string
  /** `MONGODB_URI`, `LIVETAG_MONGOD`, `PATH`, `XDG_CACHE_HOME`, `HOME` are read; the rest is passed to downloads */
  env: NodeJS.ProcessEnv
  /** where downloaded binaries are kept; `$XDG_CACHE_HOME/livetag` or `~/.cache/livetag` if absent */
  cacheDir?: string
  log: Log
  /** one line of text at a time while something takes long: for a terminal */
  onProgress?: (text: string) => void
}

export interface Mongod {
  /** for `MongoClient`; names no database */
  uri: string
  /** whether this call started it: `false` when it joined one, and with `MONGODB_URI` */
  started: boolean
  /** as `6.0.5`; absent with `MONGODB_URI` */
  version?: string
  /** changes when it is restarted; absent with `MONGODB_URI` */
  readonly pid?: number
  /** whether its disk has too little space left for it to go on for long; `false` with `MONGODB_URI` */
  diskFull(): boolean
  /** Gives it up. The last user shuts it down, and returns when it has ended. May be called again. */
  close(): Promise<void>
}

/**
 * A mongod of one's own, for machines without one: finds a binary (downloads one if need be) and runs it as a
 * one-node replica set on 127.0.0.1, on data that persists in `<home>/mongod`. One runs a home, however many processes
 * open it: the first starts it, the last to close shuts it down, each restarts it when it dies.
 *
 * A user that is killed cannot close; then mongod keeps running (its data is safe, the next user joins it at once).
 *
 * With `MONGODB_URI` nothing is looked for, started or written.
 *
 * @throws NoMongodError when nothing can be started; DiskFullError; Error when what runs does not answer
 */
export async function openMongod(options: MongodOptions): Promise<Mongod> {
  const { env, log, onProgress = () => undefined } = options
  if (env.MONGODB_URI) {
    return { uri: env.MONGODB_URI, started: false, diskFull: () => false, close: async () => undefined }
  }

  const cacheDir = options.cacheDir ?? cacheFolder(env)
  await checkSpaceFor(resolve(options.home))
  const folder = await makeFolder(resolve(options.home))
  let look = (): void => undefined
  const opened = await inTurn(
    folder.root,
    async () => {
      const user = await enter(folder)
      // For a process that ends without closing (an error, process.exit): only synchronous things can be done then.
      const leaveAtExit = (): void => {
        const live = user.leave().last ? liveLock(folder) : undefined
        if (live) signal(live.mongod, 'SIGTERM')
      }
      process.once('exit', leaveAtExit)
      const leave = (): { last: boolean } => {
        process.off('exit', leaveAtExit)
        return user.leave()
      }
      try {
        const running = await join(folder)
        if (running) log.info({ mongod: running.mongod.pid, port: running.port }, 'joined the mongod that runs already')
        const lock = running ?? (await start(folder, { env, cacheDir, log, onProgress }, () => look()))
        return { lock, started: running === undefined, leave }
      } catch (error) {
        leave()
        throw error
      }
    },
    pid => onProgress(`process ${pid} is starting or stopping the mongod of ${folder.root}: waiting for it`),
  )
  const { lock, started, leave } = opened
  const watching = watch(folder, lock, log)
  look = watching.look

  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    watching.end()
    await inTurn(folder.root, async () => {
      if (!leave().last) return
      const live = liveLock(folder) ?? watching.lock()
      if (!(await stop(live.mongod))) log.warn({ mongod: live.mongod.pid }, 'mongod did not stop and was killed')
      await removeLock(folder)
    })
  }
  return {
    uri: `mongodb://127.0.0.1:${lock.port}/?replicaSet=${REPLICA_SET}`,
    started,
    version: lock.version,
    get pid() {
      return watching.lock().mongod.pid
    },
    diskFull: watching.full,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** One that runs may be joined on a full disk: to be asked. */
async function checkSpaceFor(home: string): Promise<void> {
  if (!liveLock(folderOf(home))) await checkSpace(home)
}
