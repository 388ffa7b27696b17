import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { MongoClient } from 'mongodb'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addSite } from '../../collector/sites/index.ts'
import { connect, ensureCollections, type Mongod, openMongod } from '../../collector/store/index.ts'

const COMMAND = fileURLToPath(new URL('../../collector/cli/livetag.mjs', import.meta.url))
const DAY = 86_400_000

let mongod: Mongod
let client: MongoClient
let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'livetag-cli-'))
  const { MONGODB_URI: _, ...env } = process.env
  mongod = await openMongod({ home, env, log: pino({ level: 'silent' }) })
  client = await connect(mongod.uri, { appName: 'livetag-test' })
  await ensureCollections(client.db('livetag'))
  await addSite(client.db('livetag'), { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC' })
})
afterAll(async () => {
  await client.close()
  await mongod.close()
  await rm(home, { recursive: true, force: true })
})

const run = async (...args: string[]): Promise<string> => {
  const { MONGODB_URI: _, ...rest } = process.env
  const env = { ...rest, LIVETAG_HOME: home }
  return (await promisify(execFile)(process.execPath, [COMMAND, 'goal', ...args], { env })).stdout
}

test('a goal is made, with a value or without one, and its backfill is told', { timeout: 120_000 }, async () => {
  const day = new Date(Math.floor(Date.now() / DAY) * DAY - 3 * DAY)
  await client
    .db('livetag')
    .collection('revisions')
    .insertOne({ site: 'shop', day, lane: 0, events: { 5: 3 }, expires: new Date(Date.now() + DAY) })
  expect(await run('add', 'shop', 'Purchase', '--event', 'purchase')).toContain('Made the goal "Purchase"')
  await run('add', 'shop', 'Order', '--event', 'order', '--value-of', 'total', '--currency', 'EUR')
  const list = await run('list', 'shop')
  expect(list).toMatch(/^Purchase +event purchase .* 0 of 1 days$/m)
  expect(list).toMatch(/^Order +event order +total, EUR .* 0 of 1 days$/m)
  expect(JSON.parse(await run('list', 'shop', '--json'))).toMatchObject({
    goals: [{ name: 'Purchase', backfill: { days: 1, done: 0 } }, { name: 'Order' }],
  })
  await expect(run('list', 'nowhere')).rejects.toThrow('there is no site "nowhere"')
})
