import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { connect } from '../../collector/store/connect.ts'
import { type Mongod, openMongod } from '../../collector/store/embedded.ts'
import { markOf } from '../../collector/store/mongod/alive.ts'

const { MONGODB_URI: _, ...env } = process.env
const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }

/** A process of its own that opens a mongod, tells of it in a line of JSON, and closes it when told to. */
const PROGRAM = `
  import { openMongod } from './embedded.js'
  const log = { info() {}, warn(_, text) { console.log(JSON.stringify({ text })) }, error: console.error }
  const mongod = await openMongod({ home: process.argv[1], env: process.env, log })
  const { uri, started, pid } = mongod
  console.log(JSON.stringify({ uri, started, pid }))
  process.stdin.on('data', order => {
    if (String(order) === 'exit') process.exit(3)
    mongod.close().then(() => process.exit(0))
  })
`

interface Opener {
  process: ChildProcess
  uri: string
  started: boolean
  pid: number
  /** texts that it logged as warnings since it opened */
  warnings: string[]
  tell(order: 'close' | 'exit'): Promise<number | null>
  kill(): Promise<number | null>
}

let built: string
let home: string
const children: ChildProcess[] = []
const opened: Mongod[] = []

beforeAll(async () => {
  // Inside node_modules, so that the built file finds the packages that it imports.
  const cache = resolve('node_modules/.cache')
  await mkdir(cache, { recursive: true })
  built = await mkdtemp(join(cache, 'livetag-test-'))
  await build({
    configFile: false,
    logLevel: 'silent',
    build: { ssr: 'collector/store/embedded.ts', outDir: built, emptyOutDir: true, target: 'node20' },
  })
})
afterAll(() => rm(built, { recursive: true, force: true }))

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'livetag-processes-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  for (const mongod of opened.splice(0)) await mongod.close()
  await rm(home, { recursive: true, force: true })
  vi.clearAllMocks()
})

function begin() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, home], {
    cwd: built,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  children.push(child)
  return child
}

async function opener(): Promise<Opener> {
  const child = begin()
  const ended = new Promise<number | null>(done => child.once('exit', done))
  const warnings: string[] = []
  const first = new Promise<Pick<Opener, 'uri' | 'started' | 'pid'>>((done, fail) => {
    createInterface({ input: child.stdout }).on('line', line => {
      const said = JSON.parse(line)
      if ('uri' in said) done(said)
      else warnings.push(said.text)
    })
    ended.then(code => fail(new Error(`it ended with ${code}`)))
  })
  return {
    ...(await first),
    process: child,
    warnings,
    tell(order) {
      child.stdin.write(order)
      return ended
    },
    kill() {
      child.kill('SIGKILL')
      return ended
    },
  }
}

async function here(): Promise<Mongod> {
  const mongod = await openMongod({ home, env, log })
  opened.push(mongod)
  return mongod
}

const runs = (pid: number | undefined): boolean => pid !== undefined && markOf(pid) !== undefined

test('two processes that open at the same moment start one; it outlives its starter; the other restarts it', async () => {
  const both = await Promise.all([opener(), opener()])
  const [starter, joiner] = both[0].started ? both : [both[1], both[0]]
  expect([starter.started, joiner.started]).toEqual([true, false])
  expect(joiner).toMatchObject({ uri: starter.uri, pid: starter.pid })

  expect(await starter.tell('close')).toBe(0)
  expect(runs(joiner.pid)).toBe(true)
  const client = await connect(joiner.uri, { appName: 'test' })
  const numbers = client.db('t').collection<{ _id: number }>('c')
  await numbers.insertOne({ _id: 1 })
  process.kill(joiner.pid, 'SIGKILL')
  await numbers.insertOne({ _id: 2 })
  expect(await numbers.countDocuments()).toBe(2)
  await client.close()
  await vi.waitUntil(() => joiner.warnings.includes('mongod died and was started again'), {
    timeout: 10_000,
  })

  const third = await here()
  expect(third.started).toBe(false)
  const { pid } = third
  await third.close()
  expect(runs(pid)).toBe(true)
  expect(await joiner.tell('close')).toBe(0)
  expect(runs(pid), 'nothing is left running').toBe(false)
  expect((await readdir(join(home, 'mongod'))).sort()).toEqual(['data', 'data.json', 'mongod.log', 'users'])
})

test('kill -9 of the only user: mongod keeps running, the next user joins it and is the last', async () => {
  const killed = await opener()
  await killed.kill()
  expect(runs(killed.pid)).toBe(true)
  const next = await here()
  expect(next).toMatchObject({ started: false, pid: killed.pid, uri: killed.uri })
  await next.close()
  expect(runs(killed.pid)).toBe(false)
})

test('kill -9 of the starter between the start of mongod and its first election: the next user finishes it', async () => {
  const child = begin()
  await vi.waitUntil(() => existsSync(join(home, 'mongod', 'lock.json')), { interval: 5, timeout: 10_000 })
  child.kill('SIGKILL')
  const next = await here()
  expect(next.started, 'it is not started twice').toBe(false)
  const client = await connect(next.uri, { appName: 'test' })
  await client.db('t').collection('c').insertOne({})
  await client.close()
  const { pid } = next
  await next.close()
  expect(runs(pid)).toBe(false)
})

test('a process that exits without closing takes its mongod with it, unless another uses it', async () => {
  const [first, second] = [await opener(), await opener()]
  expect(await first.tell('exit')).toBe(3)
  expect(runs(first.pid)).toBe(true)
  const client = await connect(second.uri, { appName: 'test' })
  await client.db('t').collection('c').insertOne({})
  await client.close()
  expect(await second.tell('exit')).toBe(3)
  await vi.waitUntil(() => !runs(second.pid), { timeout: 10_000 })
})
