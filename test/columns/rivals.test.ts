/** Several build the same days, some are killed while they do, events are late, and readers see one version or the other. */
import { fork } from 'node:child_process'
import { once as event } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ManifestDocument, manifests } from '../../collector/columns/documents.ts'
import { buildBlocks, createBlockBuilder, createBlocks } from '../../collector/columns/index.ts'
import { beginSharing, endSharing } from '../../collector/store/index.ts'
import { compareBlocks } from '../crash/blocks.ts'
import { countLeft } from '../crash/blocks-left.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { makeEvents, record, seeded } from '../query/recorded.ts'

const DAY = 86_400_000
const FROM = Date.parse('2026-10-20')
const SITE = { key: 'shop', timezone: 'UTC', from: FROM, to: FROM + 4 * DAY }
const NOW = SITE.to + DAY
const CHILD = fileURLToPath(new URL('builder.mjs', import.meta.url))
const POINTS = ['writing', 'swapping', 'removing'] as const

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
  const sites = database.db.collection<{ _id: string; timezone: string; properties: { name: string }[] }>('sites')
  await sites.insertOne({ _id: SITE.key, timezone: 'UTC', properties: [{ name: 'plan' }] })
})
afterAll(() => database.drop())

const builder = (abandoned?: number) =>
  createBlockBuilder({ db: database.db, now: () => NOW, pace: { every: 0, first: 0, later: 0, all: 0 } }, abandoned)
const blocks = () => createBlocks(database.db)
const look = (by = blocks()) =>
  database.client.withSession({ snapshot: true }, session => compareBlocks(database.db, by, SITE.key, session, SITE))

/** Starts a builder and kills it at one of these points, as often as it comes, until it is told to end. */
function killed(seed: number, stop: AbortSignal) {
  const random = seeded(seed)
  const kills = { writing: 0, swapping: 0, removing: 0 }
  const run = async (): Promise<typeof kills> => {
    while (!stop.aborted) {
      const child = fork(CHILD, [database.uri, String(NOW)], { execArgv: [] })
      const point = POINTS[Math.floor(random() * POINTS.length)] ?? 'writing'
      child.on('message', said => {
        if (said !== point || child.killed) return
        kills[point]++
        child.kill('SIGKILL')
      })
      const end = () => child.kill('SIGKILL')
      stop.addEventListener('abort', end, { once: true })
      await event(child, 'exit')
      stop.removeEventListener('abort', end)
    }
    return kills
  }
  return run()
}

test('rivals that are killed, late events and readers: what holds is right, and at the end all does', async () => {
  const stop = new AbortController()
  const looks = { all: 0, held: 0 }
  const read = async (): Promise<void> => {
    const held = blocks()
    while (!stop.signal.aborted) {
      const looked = await look(held)
      expect(looked.faults).toEqual([])
      looks.all++
      looks.held += looked.held
    }
  }
  const rival = async (): Promise<number> => {
    const pass = builder()
    let built = 0
    while (!stop.signal.aborted) built += await pass()
    return built
  }
  /** They begin when all collections are there. */
  const begin = () => ({
    children: [1, 2].map(seed => killed(seed, stop.signal)),
    rivals: [rival(), rival()],
    reader: read(),
  })
  let pages = 0
  let running: ReturnType<typeof begin> | undefined
  const events = [1, 2].map(seed =>
    makeEvents(SITE, seed).map(event => ({
      ...event,
      id: `${seed} ${event.id}`,
      ...(event.session && !event.visitor?.startsWith('~') && { session: `${seed} ${event.session}` }),
    })),
  )
  try {
    await record(
      database.db,
      events,
      () => 'UTC',
      async () => {
        running ??= begin()
        // Every third page comes when something held meanwhile.
        if (pages++ % 3 > 0) return
        const { held } = looks
        const isHeld = expect.poll(() => looks.held, { timeout: 60_000, interval: 20 }).toBeGreaterThan(held)
        await Promise.race([isHeld, running.reader])
      },
    )
  } finally {
    stop.abort()
  }
  if (!running) throw new Error('nothing was recorded')
  await running.reader
  const kills = await Promise.all(running.children)
  const built = await Promise.all(running.rivals)
  expect(built.every(n => n > 0)).toBe(true)
  expect(
    kills.reduce((sum, { writing, swapping, removing }) => sum + writing + swapping + removing, 0),
  ).toBeGreaterThan(1)
  await builder(0)()
  expect(await look()).toEqual({ faults: [], held: 4, stale: [] })
  expect(await countLeft(database.db)).toEqual({ days: 4, orphans: 0, damaged: 0 })
}, 240_000)

const dayAt = (n: number) => ({ site: SITE.key, from: FROM + n * DAY, to: FROM + (n + 1) * DAY, properties: ['plan'] })

test('of several that build a day at the same time one wins, and nothing of the others is left', async () => {
  for (let round = 0; round < 3; round++) {
    if (round === 2) await manifests(database.db).deleteMany({})
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => buildBlocks(database.db, dayAt(1), NOW)))
    expect(outcomes.toSorted()).toEqual(['built', 'overtaken', 'overtaken', 'overtaken'])
  }
  await builder(0)()
  expect(await countLeft(database.db)).toEqual({ days: 4, orphans: 0, damaged: 0 })
})

test('who began before a manifest went and came again does not take the place of the new one', async () => {
  const first = async () => (await manifests(database.db).findOne({ at: new Date(FROM) })) as ManifestDocument
  await manifests(database.db).deleteOne({ _id: (await first())._id })
  expect(await buildBlocks(database.db, dayAt(0), NOW)).toBe('built')
  const old = await first()
  const slow = buildBlocks(database.db, dayAt(0), NOW)
  // While that reads, it goes and comes again, as often built.
  await manifests(database.db).deleteOne({ _id: old._id })
  const again = await buildBlocks(database.db, dayAt(0), NOW)
  const outcomes = [await slow, again]
  expect(outcomes.filter(outcome => outcome === 'built').length).toBeGreaterThan(0)
  expect(await countLeft(database.db)).toMatchObject({ damaged: 0 })
  await builder(0)()
  expect(await countLeft(database.db)).toEqual({ days: 4, orphans: 0, damaged: 0 })
})

test('who has asked at a moment reads its version to the end, though it was built anew and removed meanwhile', async () => {
  const by = blocks()
  const asked = { site: SITE.key, from: FROM, to: SITE.to, names: ['event.name', 'who.hash'] as const }
  await database.client.withSession({ snapshot: true }, async session => {
    beginSharing(session)
    const [one, other] = await Promise.all([by.find(asked, { session }), by.find(asked, { session })])
    if (!one || !other) throw new Error('there is too much')
    expect([one.days.length, other.days.length]).toEqual([4, 4])
    const read = one.blocks()
    const first = await read.next()
    for (let n = 0; n < 4; n++) expect(await buildBlocks(database.db, dayAt(n), NOW)).toBe('built')
    expect(await countLeft(database.db)).toMatchObject({ orphans: 0 })
    const ids = [first.value?.id]
    for await (const block of read) ids.push(block.id)
    const again: (string | undefined)[] = []
    for await (const block of other.blocks()) again.push(block.id)
    expect(again).toEqual(ids)
    expect(new Set(ids).size).toBe(4)
    endSharing(session)
  })
  expect((await look(by)).faults).toEqual([])
})

test('blocks have a name while all that is asked for is kept, and another one when a day was built anew', async () => {
  const by = blocks()
  const asked = { site: SITE.key, from: FROM, to: FROM + 4 * DAY, names: ['event.name', 'who.id'] as const }
  const name = () =>
    database.client.withSession({ snapshot: true }, async session => (await by.find(asked, { session }))?.name)
  const first = await name()
  expect(first).toMatch(/./)
  expect(await name()).toBe(first)
  expect(await buildBlocks(database.db, dayAt(1), NOW)).toBe('built')
  const second = await name()
  expect(second).toMatch(/./)
  expect(second).not.toBe(first)
  // Now its events are read for one question.
  await manifests(database.db).deleteOne({ at: new Date(FROM) })
  expect(await name()).toBeUndefined()
  await builder(0)()
})
