import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toStored } from '../../collector/journal/index.ts'
import { lanes } from '../../collector/settle/index.ts'
import { connect, type Mongod, openMongod } from '../../collector/store/index.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'
import { type Deployment, deploy, fill, one } from '../verify/deployment.ts'

const COMMAND = fileURLToPath(new URL('../../collector/cli/livetag.mjs', import.meta.url))

let it: Deployment
let mongod: Mongod
let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'livetag-cli-'))
  const { MONGODB_URI: _, ...env } = process.env
  mongod = await openMongod({ home, env, log: pino({ level: 'silent' }) })
  const client = await connect(mongod.uri, { appName: 'livetag-test' })
  it = await deploy({ client, db: client.db('livetag'), drop: () => client.close() })
  await fill(it, 'shop', 30)
})
afterAll(async () => {
  await it.drop()
  await mongod.close()
  await rm(home, { recursive: true, force: true })
})

/** The command in the folder of this test, where a mongod runs; never against one that somebody has set for this run. */
async function run(args: string[], env: NodeJS.ProcessEnv = {}) {
  const { MONGODB_URI: _, ...rest } = process.env
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...rest, LIVETAG_HOME: home, ...env } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

test('`verify` is well where all is well, finds what is wrong, says what mends it, and mends it', async () => {
  const well = await run(['verify', '--json'])
  expect(well.code, well.err).toBe(0)
  expect(JSON.parse(well.out)).toMatchObject({ ok: true, found: [], repaired: [] })
  expect(JSON.parse(well.out).checked.events).toBe(await it.events.countDocuments({ 'meta.site': 'shop' }))

  const { _id } = one(await it.rollups.findOne({ site: 'shop', dim: 'total' }))
  await it.rollups.deleteOne({ _id })
  const wrong = await run(['verify', '--site', 'shop'])
  expect(wrong.code).toBe(1)
  expect(wrong.out).toMatch(new RegExp(`^rollup-missing +shop +\\S+ +${_id} +is .*, should be .*"events"`, 'm'))
  expect(wrong.out).toContain('1 left: `livetag verify --repair` mends what it can.')
  expect(await it.rollups.countDocuments({ _id })).toBe(0)

  const mended = await run(['verify', '--repair'])
  expect([mended.code, mended.out]).toEqual([0, expect.stringMatching(/rollup-missing .* repaired\n/)])
  expect(mended.out).toContain('All is well.')
  expect(await it.rollups.countDocuments({ _id })).toBe(1)
})

test('`verify` that can not run ends with 2 and says why, on stderr only', async () => {
  const nobody = await run(['verify', '--site', 'nobody', '--json'])
  expect([nobody.code, nobody.out]).toEqual([2, ''])
  expect(nobody.err).toContain('there is no site "nobody"')
  const nowhere = await run(['verify'], { MONGODB_URI: 'nonsense://' })
  expect([nowhere.code, nowhere.out]).toEqual([2, ''])
  expect(nowhere.err).not.toMatch(/^\s+at /m)
})

test('`status` shows each lane, and ends with 1 where work waits for a collector that is gone', async () => {
  await lanes(it.db).updateMany({}, { $set: { expires: new Date(Date.now() + 3_600_000) } })
  const well = await run(['status'])
  expect(well.code, well.err).toBe(0)
  expect(well.out).toMatch(/^0 +one +1 +3[56]\d\d(\.\d)? s +\d+ +0 +0 +0 s +0$/m)
  await it.journal.insertOne(toStored(openPage([journalEvent({ id: 'waits' })], { lane: 1 })))
  await lanes(it.db).updateOne({ _id: 1 }, { $set: { expires: new Date(Date.now() - 60_000) } })
  const wrong = await run(['status', '--json'])
  const { ok, lanes: all } = JSON.parse(wrong.out)
  expect([wrong.code, ok, all[1].live, all[1].open.events]).toEqual([1, false, false, 1])
  expect((await run(['status'])).out).toContain('A lane has work and no live collector')
})
