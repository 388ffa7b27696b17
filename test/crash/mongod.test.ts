import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { createCollector } from '../../collector/server.ts'
import { addSite } from '../../collector/sites/index.ts'
import { connect } from '../../collector/store/connect.ts'
import { startLoad } from './load.ts'
import { recount, settledAndFolded } from './recount.ts'
import { seeded } from './seeded.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

it('keeps every acknowledged event once and counts it once when mongod is killed under load', async () => {
  const home = await mkdtemp(join(tmpdir(), 'livetag-crash-'))
  ends.push(() => rm(home, { recursive: true, force: true }))
  const collector = await createCollector(
    { home, host: '127.0.0.1', port: 0, ownerKey: 'k'.repeat(32), logLevel: 'silent' },
    { PATH: process.env.PATH, HOME: process.env.HOME, ...searchOf(process.env) },
  )
  ends.push(() => collector.close())
  const { url } = await collector.listen()
  const lock = JSON.parse(readFileSync(join(home, 'mongod/lock.json'), 'utf8')) as {
    mongod: { pid: number }
    port: number
  }
  const client = await connect(`mongodb://127.0.0.1:${lock.port}/?replicaSet=livetag`, { appName: 'livetag-test' })
  ends.push(() => client.close())
  const db = client.db('livetag')
  await addSite(db, { key: 'crash', domain: 'shop.example', consent: 'none', timezone: 'UTC' })
  await vi.waitFor(async () => expect((await fetch(`${url}/t/crash.js`)).status).toBe(200), { timeout: 5_000 })

  const load = startLoad({ url, site: 'crash', random: seeded(1), clients: 8, batch: 20, twice: 0.05 })
  await vi.waitFor(() => expect(load.acknowledged.size).toBeGreaterThan(1_000), { timeout: 20_000 })
  process.kill(lock.mongod.pid, 'SIGKILL')
  const before = load.acknowledged.size
  await vi.waitFor(() => expect(load.acknowledged.size).toBeGreaterThan(before + 1_000), { timeout: 30_000 })
  await load.finish()
  await vi.waitFor(async () => expect(await settledAndFolded(db)).toBe(true), { timeout: 30_000, interval: 200 })

  const { ids, byName, rolledUp, total, sessions } = await recount(db, 'crash')
  expect([...load.acknowledged].filter(id => ids.get(id) !== 1)).toEqual([])
  expect([...ids].filter(([, times]) => times !== 1)).toEqual([])
  expect([...ids.keys()].filter(id => !load.sent.has(id))).toEqual([])
  expect(rolledUp).toEqual(byName)
  expect(total).toEqual({ events: ids.size, views: byName.get('pageview'), sessions: sessions.sessions })
  expect(sessions).toMatchObject({ events: total.events, views: total.views })
  expect([...load.statuses.keys()].filter(status => ![0, 204, 503].includes(status))).toEqual([])
  console.log(
    `acknowledged ${load.acknowledged.size}, stored ${ids.size}, answers ${JSON.stringify([...load.statuses])}`,
  )
}, 120_000)

/** What the search for a mongod reads; not `MONGODB_URI`: this test kills the one that it started. */
function searchOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { LIVETAG_MONGOD, XDG_CACHE_HOME } = env
  return { ...(LIVETAG_MONGOD && { LIVETAG_MONGOD }), ...(XDG_CACHE_HOME && { XDG_CACHE_HOME }) }
}
