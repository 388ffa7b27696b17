/**
 * What links need, as files in the data folder, so that they lead on after a restart without a database: one for each key and
 * mailing, written whole or not at all. Several collectors may share the folder: they write the same.
 */
import { createSecretKey } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Policy } from './mailings.ts'
import type { SigningKey } from './token.ts'

/** Of a mailing what its tokens are for. */
export interface HeldMailing {
  number: number
  site: string
  name: string
  policy: Policy
  links: readonly string[]
}

export interface EmailFolder {
  /** what is there; a file that can not be read is left out */
  read(): Promise<{ keys: SigningKey[]; mailings: HeldMailing[] }>
  writeKey(key: SigningKey): Promise<void>
  writeMailing(mailing: HeldMailing): Promise<void>
}

interface KeyFile extends Omit<SigningKey, 'secret'> {
  secret: string
}

export const emailPath = (home: string): string => join(home, 'email')

/** @param home data folder */
export function emailFolder(home: string): EmailFolder {
  const path = emailPath(home)
  return {
    async read() {
      const names = await readdir(path).catch(() => [])
      const all = async <T>(pattern: RegExp): Promise<T[]> => {
        const found: T[] = []
        // One after the other: there may be more than can be open at once.
        for (const name of names.filter(name => pattern.test(name)))
          found.push(...parse<T>(await readFile(join(path, name), 'utf8').catch(() => '')))
        return found
      }
      const keys = await all<KeyFile>(/^key-\d+\.json$/)
      return {
        keys: keys.map(key => ({ ...key, secret: createSecretKey(key.secret, 'base64url') })),
        mailings: await all<HeldMailing>(/^mailing-\d+\.json$/),
      }
    },
    writeKey: ({ secret, ...key }) =>
      writeWhole(path, `key-${key.number}.json`, { ...key, secret: secret.export().toString('base64url') }),
    writeMailing: mailing => writeWhole(path, `mailing-${mailing.number}.json`, mailing),
  }
}

const parse = <T>(text: string): T[] => {
  try {
    return [JSON.parse(text) as T]
  } catch {
    return []
  }
}

/** On disk before it has its name: a crash leaves the file of before. */
export async function writeWhole(folder: string, name: string, content: object): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const draft = join(folder, `.${name}.${process.pid}`)
  try {
    const file = await open(draft, 'w', 0o600)
    try {
      await file.writeFile(JSON.stringify(content))
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(draft, join(folder, name))
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
