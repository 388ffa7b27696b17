/** The owner's MMDB, read anew when its file is replaced: an update needs no restart. */
import { stat } from 'node:fs/promises'
import { type Mmdb, NOWHERE, type Place, readMmdb } from './mmdb.ts'

export interface Places {
  /** Where an address is. Never throws. @param address whole; it is not kept */
  find(address: string): Place
  /** The database as it is used now; `null` where the owner has none. */
  state(): PlacesState | null
  close(): void
}

export interface PlacesState {
  path: string
  /** as it names itself: `GeoLite2-City` */
  type: string
  /** when it was made, ISO 8601 */
  built: string
  /** what is wrong with the file that is there now: the one of before is used */
  fault?: string
}

/** A database, and which version of its file it was read from. */
export interface LoadedPlaces {
  path: string
  version: string
  mmdb: Mmdb
}

/** @throws MmdbError */
export async function loadPlaces(path: string): Promise<LoadedPlaces> {
  // Looked at first: what is replaced while it is read is read once more.
  const version = await versionOf(path)
  return { path, version, mmdb: await readMmdb(path) }
}

export interface PlacesListener {
  replaced(state: PlacesState): void
  /** told once for each version of the file */
  failed(error: Error): void
}

const LOOK_MS = 5_000

/** Of an owner without a database. */
export const noPlaces: Places = { find: () => NOWHERE, state: () => null, close() {} }

/**
 * Looks at the file now and then, as systems do not tell of every change of a mounted one. While it is gone, or copied and not
 * whole, the database of before is used.
 * @param every how often it is looked at, ms
 */
export function followPlaces(
  { path, version, mmdb }: LoadedPlaces,
  { replaced, failed }: PlacesListener,
  every = LOOK_MS,
): Places {
  let fault: string | undefined
  const state = (): PlacesState => ({
    path,
    type: mmdb.type,
    built: mmdb.built.toISOString(),
    ...(fault !== undefined && { fault }),
  })
  const look = async (): Promise<void> => {
    const now = await versionOf(path)
    if (now === version) return
    version = now
    try {
      mmdb = await readMmdb(path)
      fault = undefined
      replaced(state())
    } catch (error) {
      fault = (error as Error).message
      failed(error as Error)
    }
  }
  let looks = false
  const timer = setInterval(() => {
    if (looks) return
    looks = true
    void look().finally(() => {
      looks = false
    })
  }, every)
  timer.unref()
  return { find: address => mmdb.find(address), state, close: () => clearInterval(timer) }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path)
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    return 'away'
  }
}
