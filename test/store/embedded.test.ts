import { once } from 'node:events'
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { connect } from '../../collector/store/connect.ts'
import { type Mongod, openMongod } from '../../collector/store/embedded.ts'
import { isAlive, markOf } from '../../collector/store/mongod/alive.ts'
import { makeFolder } from '../../collector/store/mongod/folder.ts'
import { boundLog, LOG_LIMIT } from '../../collector/store/mongod/log.ts'
import { inTurn } from '../../collector/store/mongod/turn.ts'

// The same binary as the rest of this run found; another server of the run's owner is not asked.
const { MONGODB_URI: _, ...env } = process.env
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }

const homes: string[] = []
const opened: Mongod[] = []
let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'livetag-embedded-'))
  homes.push(home)
})
afterEach(async () => {
  vi.clearAllMocks()
  for (const mongod of opened.splice(0)) await mongod.close()
})
afterAll(async () => {
  for (const folder of homes) await rm(folder, { recursive: true, force: true })
})

async function open(): Promise<Mongod> {
  const mongod = await openMongod({ home, env, log })
  opened.push(mongod)
  return mongod
}

const runs = (pid: number | undefined): boolean => pid !== undefined && markOf(pid) !== undefined
const readJson = async (name: string) => JSON.parse(await readFile(join(home, 'mongod', name), 'utf8'))

/** Connects anew each time, as another process would. */
async function write(mongod: Mongod, _id: number): Promise<void> {
  const client = await connect(mongod.uri, { appName: 'test' })
  await client.db('t').collection<{ _id: number }>('c').insertOne({ _id })
  await client.close()
}

async function written(mongod: Mongod): Promise<number[]> {
  const client = await connect(mongod.uri, { appName: 'test' })
  const found = await client.db('t').collection<{ _id: number }>('c').find().sort({ _id: 1 }).toArray()
  await client.close()
  return found.map(({ _id }) => _id)
}

test('data persists, the port and the version stay, and after close nothing runs', async () => {
  const first = await open()
  const { pid } = first
  expect(first).toMatchObject({ started: true, version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
  expect(runs(pid)).toBe(true)
  expect(await readJson('lock.json')).toMatchObject({
    mongod: { pid },
    owner: { pid: process.pid },
    version: first.version,
    port: Number(/:(\d+)\//.exec(first.uri)?.[1]),
  })
  await write(first, 1)
  await first.close()
  await first.close()
  expect(runs(pid)).toBe(false)
  expect((await readdir(join(home, 'mongod'))).sort()).toEqual(['data', 'data.json', 'mongod.log', 'users'])
  expect(await readdir(join(home, 'mongod', 'users'))).toEqual([])
  expect(await readJson('data.json')).toMatchObject({ version: first.version, format: expect.any(String) })
  expect(log.warn, 'it went down by itself').not.toHaveBeenCalled()

  const second = await open()
  expect(second.uri).toBe(first.uri)
  expect(await written(second)).toEqual([1])
})

test('it listens on loopback only, and its data is for its owner only', async () => {
  const mongod = await open()
  const client = await connect(mongod.uri, { appName: 'test' })
  const { parsed } = await client.db('admin').command({ getCmdLineOpts: 1 })
  await client.close()
  expect(parsed.net).toMatchObject({ bindIp: '127.0.0.1', unixDomainSocket: { enabled: false } })
  expect((await stat(join(home, 'mongod'))).mode & 0o077).toBe(0)
})

test('its log stays bounded, over starts and while it runs', async () => {
  const folder = await makeFolder(home)
  const size = async (name: string): Promise<number> => (await stat(join(home, 'mongod', name))).size
  await writeFile(folder.log, 'x'.repeat(LOG_LIMIT + 1))
  const mongod = await open()
  expect(await size('mongod.log.1')).toBe(LOG_LIMIT + 1)
  expect(await size('mongod.log')).toBeLessThan(LOG_LIMIT)
  await appendFile(folder.log, 'x'.repeat(LOG_LIMIT + 2))
  const mark = markOf(mongod.pid ?? 0)
  if (mark) boundLog(folder, mark)
  await vi.waitUntil(() => size('mongod.log').catch(() => 0), { timeout: 10_000 })
  expect(await size('mongod.log.1')).toBeGreaterThan(LOG_LIMIT + 1)
  expect(await size('mongod.log')).toBeLessThan(LOG_LIMIT)
})

test('kill -9 of mongod: it is back on the same port and data, and an open client carries on', async () => {
  const mongod = await open()
  const { uri, pid } = mongod
  const client = await connect(uri, { appName: 'test' })
  const numbers = client.db('t').collection<{ _id: number }>('c')
  await numbers.insertOne({ _id: 1 })
  process.kill(pid ?? 0, 'SIGKILL')
  await numbers.insertOne({ _id: 2 })
  await client.close()
  await vi.waitUntil(() => log.warn.mock.calls.length === 1, { timeout: 10_000 })
  expect(runs(pid)).toBe(false)
  expect(runs(mongod.pid)).toBe(true)
  expect(await written(mongod)).toEqual([1, 2])
  expect(log.warn).toHaveBeenCalledWith(expect.objectContaining({ died: pid }), 'mongod died and was started again')

  // Once more within the minute: now it waits, and says why.
  process.kill(mongod.pid ?? 0, 'SIGKILL')
  await vi.waitUntil(() => log.warn.mock.calls.length === 2, { timeout: 10_000 })
  expect(log.error).toHaveBeenCalledWith(
    expect.objectContaining({ deaths: 2, wait: 500 }),
    'mongod keeps dying, waiting before the next start',
  )
  expect(await written(mongod)).toEqual([1, 2])
})

test('a second opener joins; the first closes and the second still works, and restarts it', async () => {
  const first = await open()
  const second = await open()
  expect(second).toMatchObject({ started: false, uri: first.uri, pid: first.pid, version: first.version })
  await first.close()
  await write(second, 1)
  const { pid } = second
  process.kill(pid ?? 0, 'SIGKILL')
  await vi.waitUntil(() => log.warn.mock.calls.length > 0, { timeout: 10_000 })
  expect(second.pid).not.toBe(pid)
  expect(await written(second)).toEqual([1])
  expect(log.warn, 'only the one who still uses it restarted it').toHaveBeenCalledTimes(1)
  const last = second.pid
  await second.close()
  expect(runs(last)).toBe(false)
})

test('what a dead process left is cleared; a port that is taken meanwhile is exchanged', async () => {
  const before = await open()
  await write(before, 1)
  const lock = await readFile(join(home, 'mongod', 'lock.json'))
  await before.close()
  // As after a power cut: a lock, a turn and a user of processes that are no more. The pid of the turn runs again, as
  // another process.
  const dead = { pid: process.pid, born: 'long ago', token: 'x' }
  await writeFile(join(home, 'mongod', 'lock.json'), lock)
  await writeFile(join(home, 'mongod', 'turn'), JSON.stringify(dead))
  await writeFile(join(home, 'mongod', 'users', '1-x.json'), JSON.stringify(dead))
  const { port } = JSON.parse(lock.toString())
  const squatter = createServer(socket => socket.destroy()).listen(port, '127.0.0.1')
  await once(squatter, 'listening')
  try {
    const after = await open()
    expect(after.started).toBe(true)
    expect(after.uri).not.toBe(before.uri)
    expect(await written(after)).toEqual([1])
    const { pid } = after
    await after.close()
    expect(runs(pid), 'the dead user does not keep it').toBe(false)
  } finally {
    squatter.close()
  }
})

describe('a turn', () => {
  test('is held by one at a time, also when the holder before was killed', async () => {
    const folder = join(home, 'turns')
    await inTurn(folder, async () => undefined)
    await writeFile(join(folder, 'turn'), JSON.stringify({ pid: process.pid, born: 'long ago', token: 'x' }))
    let inside = 0
    const done = Array.from({ length: 20 }, (_, at) =>
      inTurn(folder, async () => {
        expect(++inside).toBe(1)
        await new Promise(resolve => setImmediate(resolve))
        inside--
        if (at === 7) throw new Error('seven')
        return at
      }),
    )
    const results = await Promise.allSettled(done)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(19)
    expect(results[7]).toMatchObject({ reason: new Error('seven') })
    expect(await readdir(folder)).toEqual([])
  })

  test('a mark tells a process from another one with its pid', () => {
    const mark = markOf(process.pid)
    expect(mark && isAlive(mark)).toBe(true)
    expect(isAlive({ pid: process.pid, born: 'long ago' })).toBe(false)
    expect(markOf(2 ** 30)).toBeUndefined()
  })
})
