import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, type ProcessMark, self } from './alive.ts'
import { type Folder, readJson } from './folder.ts'

/** One use of a mongod: a process may hold several. */
export interface User {
  /** Gives the use up; says whether it was the last. Synchronous, for a process that is about to exit. */
  leave(): { last: boolean }
}

/** Registers a use in the folder. The mongod is to run as long as there is one whose process lives. */
export async function enter(folder: Folder): Promise<User> {
  const file = join(folder.users, `${process.pid}-${randomUUID()}.json`)
  await writeFile(file, JSON.stringify(self()))
  return {
    leave() {
      rmSync(file, { force: true })
      return { last: remaining(folder) === 0 }
    },
  }
}

/** How many uses there are, after those of processes that died without leaving have been removed. */
function remaining(folder: Folder): number {
  let count = 0
  // The whole folder may be gone, removed while it was used.
  for (const name of existsSync(folder.users) ? readdirSync(folder.users) : []) {
    const file = join(folder.users, name)
    const mark = readJson<ProcessMark>(file)
    if (mark && isAlive(mark)) count++
    else rmSync(file, { force: true })
  }
  return count
}
