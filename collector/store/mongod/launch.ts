import { type ChildProcess, spawn } from 'node:child_process'
import { totalmem } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { markOf, self } from './alive.ts'
import { type Folder, type Lock, removeLock, writeLock } from './folder.ts'
import { lastWords, logSize, setLogAside } from './log.ts'
import { accepts } from './port.ts'

/** The name of the one-node replica set. */
export const REPLICA_SET = 'livetag'

/**
 * How long the server keeps a transaction that was left open, s; 60 by default. A collector that is killed within one
 * leaves it behind, and what it touched is locked for so long, and half as long again until the server looks: so it
 * is not much longer than a lease (10 s). The longest of settle took 4.8 s, at a load of 22 on two cores; one that
 * takes longer than this is tried again, after failures page by page.
 */
export const TRANSACTION_S = 20

/** A start is given up after this long without a sign of life, ms. */
const SILENCE = 10_000

/** Why a mongod did not come up. */
export class StartError extends Error {
  override name = 'StartError'
  /** mongod's exit code: 48 the port is taken, 62 it cannot read the files, 100 among others: the files are in use */
  readonly code: number | undefined
  constructor(message: string, code?: number) {
    super(message)
    this.code = code
  }
}

/** What is known of a mongod before it runs. */
export type Plan = Pick<Lock, 'binary' | 'version' | 'port'>

/**
 * Starts mongod on the folder's data and returns when its port answers. It is detached: a Ctrl-C in the terminal is
 * for the collector, which then shuts mongod down last.
 *
 * The lock is written as soon as the process exists, so that a mongod whose starter is killed meanwhile is found.
 * Recovery after a crash may take longer than the ten seconds that a start has, so what counts is silence: ten seconds
 * in which neither the port answers nor the log grows.
 *
 * @param onExit called when it ends, whenever that is
 * @throws StartError
 */
export async function launch(folder: Folder, plan: Plan, onExit: () => void = () => undefined): Promise<Lock> {
  const { binary, port } = plan
  setLogAside(folder)
  const child = spawn(binary, options(folder, port), { detached: true, stdio: 'ignore' })
  child.unref()
  const ended = new Promise<StartError>(resolve => {
    child.once('error', error => resolve(new StartError(`${binary} cannot be run: ${error.message}`)))
    child.once('exit', (code, signal) => {
      resolve(new StartError(`${binary} ended (${signal ?? `code ${code}`}): ${lastWords(folder)}`, code ?? -1))
      onExit()
    })
  })
  const mongod = child.pid === undefined ? undefined : markOf(child.pid)
  if (mongod === undefined) throw await ended
  const lock: Lock = { ...plan, mongod, owner: self() }
  await writeLock(folder, lock)
  const failure = await Promise.race([ended, answering(folder, port, child)])
  if (failure === undefined) return lock
  if (child.kill('SIGKILL')) await ended
  await removeLock(folder)
  throw failure
}

function options(folder: Folder, port: number): string[] {
  return [
    ...['--dbpath', folder.data, '--replSet', REPLICA_SET],
    ...['--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket'],
    // `reopen`: the log is moved away first, then a signal makes mongod begin a new one (see watch.ts).
    ...['--logpath', folder.log, '--logappend', '--logRotate', 'reopen', '--quiet'],
    // A machine shared with the collector and a browser: mongod alone would take half of the memory.
    ...['--wiredTigerCacheSizeGB', cacheSize().toFixed(2)],
    // 990 MB is the least that the server allows it to be resized to; by default it takes 5 % of the disk.
    ...['--oplogSize', '990'],
    ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
    ...['--setParameter', `transactionLifetimeLimitSeconds=${TRANSACTION_S}`],
    // On SIGTERM a member waits 15 s for others to notice; this one has no others.
    ...['--setParameter', 'shutdownTimeoutMillisForSignaledShutdown=100'],
  ]
}

/** GB: an eighth of the memory that this process may use, between 0.25 (the least mongod takes) and 2. */
function cacheSize(): number {
  const total = totalmem()
  const allowed = Math.min(total, process.constrainedMemory?.() || total)
  return Math.min(2, Math.max(0.25, allowed / 8 / 1024 ** 3))
}

/** Resolves with `undefined` when the port answers, with an error after too long a silence. */
async function answering(folder: Folder, port: number, child: ChildProcess): Promise<StartError | undefined> {
  let [size, since] = [logSize(folder), Date.now()]
  while (child.exitCode === null && child.signalCode === null) {
    if (await accepts(port)) return undefined
    const now = logSize(folder)
    if (now !== size) [size, since] = [now, Date.now()]
    if (Date.now() - since > SILENCE) {
      return new StartError(`no answer on port ${port} and nothing in ${folder.log} for ${SILENCE / 1000} s`)
    }
    await pause(15)
  }
  return new Promise(() => undefined) // it ended: the other side of the race says why
}
