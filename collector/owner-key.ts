/** The key that opens everything. On a loopback address without a configured one it is made and kept in the data folder. */
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const keyFile = (home: string): string => join(home, 'owner-key')

/** The key that a collector on a loopback address made for itself; `undefined` when there is none. */
export const readOwnerKey = (home: string): Promise<string | undefined> =>
  readFile(keyFile(home), 'utf8').then(
    text => text.trim() || undefined,
    () => undefined,
  )

/**
 * The same, made when there is none; readable by its owner only. The file appears whole or not at all: it is written under
 * another name and linked, and where another process was first, that one's key counts.
 */
export async function ensureOwnerKey(home: string): Promise<string> {
  const held = await readOwnerKey(home)
  if (held) return held
  const key = randomBytes(24).toString('base64url')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const draft = `${keyFile(home)}.${process.pid}`
  await writeFile(draft, `${key}\n`, { mode: 0o600 })
  // An empty file is what a full disk left.
  if ((await readFile(keyFile(home), 'utf8').catch(() => 'none')).trim() === '') await rm(keyFile(home))
  await link(draft, keyFile(home)).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
  await rm(draft)
  return (await readOwnerKey(home)) ?? key
}
