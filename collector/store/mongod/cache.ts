import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { markOf } from './alive.ts'
import { binaryVersion } from './version.ts'

/** The folder for binaries, one a user: `$XDG_CACHE_HOME/livetag` or `~/.cache/livetag`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'livetag')
}

/** The mongods in the cache, newest first; none when there is no cache yet. */
export async function cached(cacheDir: string): Promise<string[]> {
  const names = await readdir(cacheDir).catch((): string[] => [])
  const versions = names.filter(name => /^mongod-\d+\.\d+\.\d+$/.test(name))
  versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  return versions.map(name => join(cacheDir, name))
}

/**
 * Runs `download` with a temporary folder inside the cache, puts the mongod it returns into the cache and removes the
 * rest, also when it fails. The rename is atomic: a cache never holds half a binary.
 *
 * @returns the path in the cache
 */
export async function intoCache(cacheDir: string, download: (folder: string) => Promise<string>): Promise<string> {
  await mkdir(cacheDir, { recursive: true })
  await sweep(cacheDir)
  const folder = await mkdtemp(join(cacheDir, `download-${process.pid}-`))
  try {
    const binary = await download(folder)
    if (!binary.startsWith(folder)) return binary // it was there already, in a cache of somebody else's
    await chmod(binary, 0o755)
    const place = join(cacheDir, `mongod-${await binaryVersion(binary)}`)
    await rename(binary, place)
    return place
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Removes what downloads left whose process was killed. */
async function sweep(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const pid = Number(/^download-(\d+)-/.exec(name)?.[1])
    if (pid && markOf(pid) === undefined) await rm(join(cacheDir, name), { recursive: true, force: true })
  }
}
