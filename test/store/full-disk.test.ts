import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { open, readFile, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, expect, test, vi } from 'vitest'
import { type Collector, createCollector } from '../../collector/server.ts'
import { addSite } from '../../collector/sites/index.ts'
import { connect } from '../../collector/store/connect.ts'
import { openMongod } from '../../collector/store/embedded.ts'
import { isAlive } from '../../collector/store/mongod/alive.ts'
import { folderOf, type Lock } from '../../collector/store/mongod/folder.ts'
import { LEAST_FREE } from '../../collector/store/mongod/space.ts'
import { CHROME, envelope, OWNER_KEY } from '../fixtures/collector.ts'

const MIB = 1024 ** 2
const disk = mkdtempSync(join(tmpdir(), 'livetag-disk-'))
const ballast = join(disk, 'ballast')
const home = join(disk, 'home')
const { MONGODB_URI: _, ...env } = process.env

/** A real file system that is really full: only who may mount can have one. */
const mounted = (() => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=900m', 'livetag-test', disk], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

let collector: Collector | undefined
afterAll(async () => {
  await collector?.close()
  if (mounted) execFileSync('umount', [disk])
  await rm(disk, { recursive: true, force: true })
})

/** Writes until only so many bytes are left. */
async function fillUpTo(left: number): Promise<void> {
  const file = await open(ballast, 'a')
  try {
    for (;;) {
      const { bavail, bsize } = await statfs(disk)
      const more = Math.min(MIB, bavail * bsize - left)
      if (more <= 0) return
      await file.write(Buffer.alloc(more))
    }
  } finally {
    await file.close()
  }
}

const lock = async () => JSON.parse(await readFile(folderOf(home).lock, 'utf8')) as Lock

test.skipIf(!mounted)(
  'a disk that fills up: events are refused and what to do is said, mongod ends and is not started over and over, and all goes on once there is space',
  async () => {
    const lines: { level: number; msg: string }[] = []
    const said = (text: string) => lines.filter(({ msg }) => msg.includes(text)).length
    const log = pino({ base: null }, { write: line => void lines.push(JSON.parse(line)) })
    collector = await createCollector({ home, host: '127.0.0.1', port: 0, ownerKey: OWNER_KEY, log }, env)
    const { url } = await collector.listen()
    const { port, mongod } = await lock()
    const client = await connect(`mongodb://127.0.0.1:${port}/?replicaSet=livetag`, { appName: 'livetag-test' })
    const db = client.db('livetag')
    await addSite(db, { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC' })
    const send = () =>
      fetch(`${url}/e`, {
        method: 'POST',
        body: JSON.stringify(envelope([{}, {}])),
        headers: { 'content-type': 'text/plain', 'user-agent': CHROME },
      })
    const ready = async () => (await (await fetch(`${url}/readyz`)).json()) as { status: string; why?: string }
    await vi.waitFor(async () => expect((await send()).status).toBe(204), { timeout: 10_000 })

    await fillUpTo(LEAST_FREE / 2)
    await vi.waitFor(async () => expect((await ready()).why).toBe('disk-full'), { timeout: 5_000 })
    const refused = await send()
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
    expect(isAlive(mongod)).toBe(true)
    expect(said('is nearly full')).toBe(1)

    await fillUpTo(0)
    const text = 'x'.repeat(MIB)
    // What mongod itself still has to write ends it.
    await vi.waitFor(
      async () => {
        const insert = db.collection('ballast').insertOne({ text: text + Math.random() })
        await insert.catch(() => {})
        expect(isAlive(mongod)).toBe(false)
      },
      { timeout: 60_000, interval: 1 },
    )
    // As `livetag status` opens it.
    await expect(openMongod({ home, env, log })).rejects.toThrow(/is nearly full: .*Free some space/)
    const asked = performance.now()
    expect((await send()).status).toBe(503)
    expect(performance.now() - asked).toBeLessThan(1_000)
    expect((await ready()).why).toBe('disk-full')
    expect((await lock()).mongod, 'nobody has started another one').toEqual(mongod)
    expect([said('is nearly full'), said('keeps dying'), said('could not be started')]).toEqual([1, 0, 0])

    await rm(ballast)
    await vi.waitFor(async () => expect((await ready()).status).toBe('ready'), { timeout: 40_000, interval: 200 })
    expect(said('there is space on the disk again')).toBe(1)
    expect((await send()).status).toBe(204)
    await vi.waitFor(
      async () => expect(await db.collection('events').countDocuments({ 'meta.site': 'shop' })).toBe(4),
      {
        timeout: 20_000,
      },
    )
    await client.close()
  },
  120_000,
)
