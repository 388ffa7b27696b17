/**
 * The space on the disk of a mongod of one's own. A mongod that can't write aborts at once, with no word in a log that
 * it can't write either; its data is safe, but each start would end the same way. So events are refused before that,
 * and while there is less than it needs to start, it is not started.
 */
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Less than this counts as full, bytes. A start makes log files of 100 MB each; what was accepted has still to be
 * settled, and the oplog grows to 990 MB.
 */
export const LEAST_FREE = 256 * 1024 ** 2

/** Bytes that are left where the folder is, or will be made; `undefined` where the system does not tell. */
export async function freeSpace(folder: string): Promise<number | undefined> {
  let there = folder
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there)
  try {
    const { bavail, bsize } = await statfs(there)
    return bavail * bsize
  } catch {
    return undefined
  }
}

/** A mongod would not start, or soon abort. */
export class DiskFullError extends Error {
  override name = 'DiskFullError'
}

/** @throws DiskFullError that says how much is missing, and where */
export async function checkSpace(folder: string): Promise<void> {
  const free = await freeSpace(folder)
  if (free !== undefined && free < LEAST_FREE) throw new DiskFullError(fullText(folder, free))
}

export const fullText = (folder: string, free: number): string =>
  `the disk of ${folder} is nearly full: ${inMiB(free)} are left, mongod needs ${inMiB(LEAST_FREE)}. ` +
  'Free some space, or put LIVETAG_HOME on another disk. A collector that runs goes on by itself; nothing acknowledged is lost'

const inMiB = (bytes: number): string => `${Math.floor(bytes / 1024 ** 2)} MiB`
