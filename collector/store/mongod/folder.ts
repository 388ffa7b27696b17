import { readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive, type ProcessMark } from './alive.ts'

/** Where things lie in `<home>/mongod`. */
export interface Folder {
  root: string
  /** what mongod itself writes */
  data: string
  /** mongod's own log */
  log: string
  /** `Lock` of the mongod that runs, absent when none does */
  lock: string
  /** `DataRecord` */
  record: string
  /** one file for each that uses the mongod */
  users: string
}

/** The mongod that runs on a folder. */
export interface Lock {
  mongod: ProcessMark
  port: number
  /** of the binary, as 6.0.5 */
  version: string
  binary: string
  /** the process that started it; it may have left since */
  owner: ProcessMark
}

/** What is known of the data when no mongod runs. */
export interface DataRecord {
  /** binary that wrote last, as 6.0.5 */
  version: string
  /** the format of the files ("featureCompatibilityVersion"), as 6.0 */
  format: string
  /** kept from start to start: the replica set knows its only member by it */
  port: number
}

export function folderOf(home: string): Folder {
  const root = join(home, 'mongod')
  return {
    root,
    data: join(root, 'data'),
    log: join(root, 'mongod.log'),
    lock: join(root, 'lock.json'),
    record: join(root, 'data.json'),
    users: join(root, 'users'),
  }
}

/** Makes the folders of `<home>/mongod`, readable by their owner only: the data is personal. */
export async function makeFolder(home: string): Promise<Folder> {
  const folder = folderOf(home)
  await mkdir(folder.data, { recursive: true, mode: 0o700 })
  await mkdir(folder.users, { recursive: true, mode: 0o700 })
  return folder
}

/** The lock of a mongod that runs; `undefined` when there is none, or only what a dead one left. */
export function liveLock(folder: Folder): Lock | undefined {
  const lock = readJson<Lock>(folder.lock)
  return lock && isAlive(lock.mongod) ? lock : undefined
}

export const writeLock = (folder: Folder, lock: Lock): Promise<void> => writeJson(folder.lock, lock)
export const removeLock = (folder: Folder): Promise<void> => rm(folder.lock, { force: true })
export const readRecord = (folder: Folder): DataRecord | undefined => readJson<DataRecord>(folder.record)
export const writeRecord = (folder: Folder, record: DataRecord): Promise<void> => writeJson(folder.record, record)

/** Reads a JSON file whole or not at all; a file that is absent or broken is `undefined`. */
export function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    return undefined
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`)
  await rename(draft, file)
}
