import { readFileSync } from 'node:fs'

/** A process that can be recognized later: a pid alone is given out again, after a restart of the machine very soon. */
export interface ProcessMark {
  pid: number
  /** when it was started, as the system tells it; empty where the system has no `/proc` */
  born: string
}

/** The mark of a running process; `undefined` when there is none with that pid. */
export function markOf(pid: number): ProcessMark | undefined {
  const born = bornAt(pid)
  return born === undefined ? undefined : { pid, born }
}

/** The mark of this process. */
export function self(): ProcessMark {
  return markOf(process.pid) ?? { pid: process.pid, born: '' }
}

/** Whether that very process still runs. A zombie (ended, but nobody has asked how) counts as ended. */
export function isAlive(mark: ProcessMark): boolean {
  return bornAt(mark.pid) === mark.born
}

function bornAt(pid: number): string | undefined {
  if (process.platform !== 'linux') return accepts(pid) ? '' : undefined
  try {
    // proc_pid_stat(5): the name in parentheses may hold spaces and parentheses itself, so count from the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, threads, started] = [fields[0], fields[17], fields[19]]
    // A program of many threads is a zombie as soon as its first has ended: the others still hold its port and files.
    const ended = state === 'X' || (state === 'Z' && Number(threads) <= 1)
    return ended ? undefined : `${bootId()}/${started}`
  } catch {
    return undefined
  }
}

let boot: string | undefined
function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  return boot
}

function accepts(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
