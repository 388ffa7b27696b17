import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Db, MongoClient } from 'mongodb'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { SeedReport } from '../../collector/seed/index.ts'
import { addSite } from '../../collector/sites/index.ts'
import { connect, ensureCollections, type Mongod, openMongod } from '../../collector/store/index.ts'

const COMMAND = fileURLToPath(new URL('../../collector/cli/livetag.mjs', import.meta.url))

let mongod: Mongod
let home: string
let client: MongoClient
let db: Db
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'livetag-cli-'))
  const { MONGODB_URI: _, ...env } = process.env
  mongod = await openMongod({ home, env, log: pino({ level: 'silent' }) })
  client = await connect(mongod.uri, { appName: 'livetag-test' })
  db = client.db('livetag')
  await ensureCollections(db)
  for (const key of ['shop', 'other']) await addSite(db, { key, domain: 's.example', consent: 'none', timezone: 'UTC' })
})
afterAll(async () => {
  await client.close()
  await mongod.close()
  await rm(home, { recursive: true, force: true })
})

/** The command in the folder of this test, where a mongod runs; never against one that somebody has set for this run. */
function start(args: string[]): { child: ChildProcess; ended: Promise<{ code: number; out: string; err: string }> } {
  const { MONGODB_URI: _, ...rest } = process.env
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...rest, LIVETAG_HOME: home } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return { child, ended: once(child, 'close').then(([code]) => ({ code, out, err })) }
}
const run = (...args: readonly string[]) => start([...args]).ended

test('`seed` writes a history, prints its totals, and refuses what can not be without a stack trace', async () => {
  const written = await run('seed', '--site', 'shop', '--events', '3e3', '--days', '2', '--json')
  expect(written.code, written.err).toBe(0)
  const report = JSON.parse(written.out) as SeedReport
  expect(report).toMatchObject({ site: 'shop', seed: 1, interrupted: false, stored: { events: 3_000 } })
  expect(await db.collection('events').countDocuments()).toBe(3_000)

  const more = await run('seed', '--site', 'shop', '--events', '500', '--days', '1', '--seed', '2', '--add')
  expect(more.code, more.err).toBe(0)
  expect(more.out).toMatch(/^shop: .* \(.* events\/s\)\nstored 500 events/)
  expect(more.out).toMatch(/^ +without bots +all$/m)
  expect(more.out).toMatch(/^\/ +\d+$/m)
  expect(more.out).toMatch(/^direct +\d+$/m)

  for (const [args, message] of [
    [['--site', 'nobody', '--events', '10'], 'there is no site "nobody"'],
    [['--site', 'shop', '--events', '10'], 'has events already'],
    [['--site', 'other', '--events', 'many'], 'events is a whole number from 1 to 1,000,000,000, not NaN'],
    [['--site', 'other', '--events', '10', '--days', '0'], 'days is a whole number'],
  ] as const) {
    const { code, out, err } = await run('seed', ...args)
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(message)
    expect(err).not.toMatch(/^\s+at /m)
  }
  expect(await db.collection('events').countDocuments({ 'meta.site': 'other' })).toBe(0)
}, 120_000)

test('Ctrl+C ends it with a whole history, and it says how to remove that', async () => {
  const { child, ended } = start(['seed', '--site', 'other', '--events', '1e7', '--json'])
  const sessions = db.collection('sessions')
  await vi.waitFor(async () => expect(await sessions.countDocuments({ site: 'other' })).toBeGreaterThan(0), 30_000)
  child.kill('SIGINT')
  const { code, out, err } = await ended
  expect(code, err).toBe(130)
  const report = JSON.parse(out) as SeedReport
  expect(report.interrupted).toBe(true)
  expect(report.all.events).toBeGreaterThan(0)
  const site = { 'meta.site': 'other' }
  expect(await db.collection('events').countDocuments(site)).toBe(report.all.events)
  expect(err).toContain(`ended early: what is there is whole, up to ${report.last}`)
  expect(err).toContain('db.events.deleteMany({ "meta.site": "other" })')
  await db.collection('events').deleteMany(site)
  expect(await db.collection('events').countDocuments()).toBe(3_500)
}, 90_000)

test('`export` writes what is there to stdout, in each format, and says what it does not take', async () => {
  const stored = await db.collection('events').countDocuments({ 'meta.site': 'shop' })
  expect(stored).toBeGreaterThan(3_000)
  const ndjson = await run('export', 'events', '--site', 'shop', '--range', 'all')
  expect(ndjson.code, ndjson.err).toBe(0)
  expect(new Set(ndjson.out.split('\n').flatMap(line => (line ? [JSON.parse(line).id] : []))).size).toBe(stored)
  const csv = await run('export', 'sessions', '--site', 'shop', '--range', 'all', '--format', 'csv')
  expect(csv.out).toMatch(/^start,id,visitor,/)
  expect(csv.out.split('\r\n')).toHaveLength(2 + (await db.collection('sessions').countDocuments({ site: 'shop' })))
  for (const [wrong, said] of [
    [['export', 'clicks', '--site', 'shop'], /events, sessions/],
    [['export', 'events', '--site', 'nowhere'], /there is no site "nowhere"/],
    [['export', 'events', '--site', 'shop', '--format', 'xml'], /--format: one of/],
    [['export', 'events', '--site', 'shop', '--range', 'soon'], /--range/],
  ] as const) {
    const refused = await run(...wrong)
    expect([refused.code, refused.out]).toEqual([1, ''])
    expect(refused.err).toMatch(said)
    expect(refused.err).not.toMatch(/\n\s+at /)
  }
})
