/** Whether the holder of a lane still runs, as far as a process of the same machine can tell. */
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Names a collector among those of a deployment: `<host>:<process id>:<time>`. */
export const createHolder = (): string => `${hostname()}:${process.pid}:${Date.now().toString(36)}`

/**
 * Where process ids mean the same: this start of the machine, and this namespace of process ids, as each container has its
 * own. Empty but on Linux (proc(5), `random/boot_id` and `ns/pid`).
 */
export const PLACE = readPlace()

/** Whether the process that `holder` names has ended. @param holder of this {@link PLACE} */
export function hasEnded(holder: string): boolean {
  const pid = Number(/:(\d+):\w+$/.exec(holder)?.[1])
  if (!pid) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function readPlace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}
