import { readFileSync, renameSync, statSync } from 'node:fs'
import type { ProcessMark } from './alive.ts'
import type { Folder } from './folder.ts'
import { signal } from './stop.ts'

/** mongod's log is set aside at a start, and while running, when it is larger than this, bytes. */
export const LOG_LIMIT = 8 * 1024 * 1024

/** Before a start: keeps one older log beside the current one, so that both together stay bounded. */
export function setLogAside(folder: Folder): boolean {
  if (logSize(folder) <= LOG_LIMIT) return false
  renameSync(folder.log, `${folder.log}.1`)
  return true
}

/** The same while mongod runs: the signal makes it begin a new file, as `--logRotate reopen` says. */
export function boundLog(folder: Folder, mongod: ProcessMark): void {
  if (setLogAside(folder)) signal(mongod, 'SIGUSR1')
}

/** Bytes; 0 when there is none. */
export function logSize(folder: Folder): number {
  return statSync(folder.log, { throwIfNoEntry: false })?.size ?? 0
}

/** The last lines of mongod's log that tell of trouble, as text. */
export function lastWords(folder: Folder): string {
  try {
    const lines = readFileSync(folder.log, 'utf8').trimEnd().split('\n').slice(-60)
    const bad = lines.flatMap(line => {
      const entry = JSON.parse(line) as { s: string; msg: string; attr?: { error?: unknown } }
      return 'FE'.includes(entry.s) ? [`${entry.msg}${entry.attr ? ` ${JSON.stringify(entry.attr)}` : ''}`] : []
    })
    return `${bad.slice(-2).join('; ') || 'it gave no reason'} (see ${folder.log})`
  } catch {
    return `see ${folder.log}`
  }
}
