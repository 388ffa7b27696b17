import { setTimeout as pause } from 'node:timers/promises'
import { isAlive, type ProcessMark } from './alive.ts'

/**
 * Shuts a mongod down cleanly and returns when it has ended: `SIGTERM` is its clean shutdown, with a checkpoint. After
 * `limit` ms it is killed, which costs a recovery at the next start but no acknowledged write.
 *
 * @returns whether it went cleanly
 */
export async function stop(mongod: ProcessMark, limit = 10_000): Promise<boolean> {
  if (!signal(mongod, 'SIGTERM')) return true
  const until = Date.now() + limit
  while (isAlive(mongod) && Date.now() < until) await pause(15)
  if (!signal(mongod, 'SIGKILL')) return true
  while (isAlive(mongod)) await pause(15)
  return false
}

/** Sends a signal to exactly that process, not to another one that has got its pid since. */
export function signal(mongod: ProcessMark, name: NodeJS.Signals): boolean {
  if (!isAlive(mongod)) return false
  try {
    process.kill(mongod.pid, name)
    return true
  } catch {
    return false
  }
}
