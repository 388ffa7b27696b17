import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { RollupDocument } from '../../collector/rollup/index.ts'
import type { Session } from '../../collector/settle/index.ts'
import { verify } from '../../collector/verify/index.ts'
import { startLoad } from '../crash/load.ts'
import { recount } from '../crash/recount.ts'
import { seeded } from '../crash/seeded.ts'
import { startCollector, type TestCollector } from '../fixtures/collector.ts'

let it: TestCollector
beforeEach(async () => {
  it = await startCollector()
})
afterEach(() => it.close())

const look = (repair = false) => verify({ client: it.client, db: it.db, began: Date.now(), repair })
/** Slow: a look takes longer the more there is, and a fast one would outrun it. */
const load = () => startLoad({ url: it.url, site: 'shop', random: seeded(7), clients: 6, batch: 2, twice: 0.1 })

test('a system at work gives no false alarm', async () => {
  const running = load()
  let looks = 0
  try {
    await vi.waitFor(() => expect(running.acknowledged.size).toBeGreaterThan(500), { timeout: 20_000 })
    for (; looks < 6; looks++) {
      const before = running.acknowledged.size
      const { ok, found } = await look()
      expect([ok, found]).toEqual([true, []])
      expect(running.acknowledged.size).toBeGreaterThan(before)
    }
  } finally {
    await running.finish()
  }
  await it.folded()
  const { checked, found } = await look()
  expect([checked.events, found]).toEqual([running.acknowledged.size, []])
}, 90_000)

test('what is repaired while a folder holds the wrong numbers stays repaired', async () => {
  const rollups = it.db.collection<RollupDocument>('rollups')
  const sessions = it.db.collection<Session>('sessions')
  const running = load()
  try {
    await vi.waitFor(async () => expect(await rollups.countDocuments({ dim: 'total' })).toBeGreaterThan(0), {
      timeout: 20_000,
    })
    for (let round = 0; round < 3; round++) {
      const [wrong] = await rollups.find({ site: 'shop', dim: 'total' }).sort({ at: -1 }).limit(1).toArray()
      // With a position that no folder knows: it drops its memory, and holds the wrong numbers from then on.
      const counters = wrong?.counters.buffer.slice()
      counters?.fill(0, 0, 8)
      await rollups.updateOne({ _id: wrong?._id ?? '' }, [
        { $set: { counters: { $literal: counters }, upto: { $add: ['$upto', 0.25] } } },
      ])
      await sessions.updateOne({ site: 'shop' }, { $inc: { views: 3 } })
      const settled = it.collector.settled()
      await vi.waitFor(() => expect(it.collector.settled()).toBeGreaterThan(settled + 200), { timeout: 30_000 })
      await vi.waitFor(async () => expect((await look(true)).ok).toBe(true), { timeout: 20_000 })
    }
  } finally {
    await running.finish()
  }
  await vi.waitFor(async () => expect(await it.db.collection('journal').countDocuments({ foldedAt: null })).toBe(0), {
    timeout: 40_000,
    interval: 200,
  })
  expect(await look()).toMatchObject({ ok: true, found: [] })
  expect(await it.db.collection('audit').countDocuments({ kind: /^rollup-/ })).toBeGreaterThan(0)
  const { total, ids } = await recount(it.db, 'shop')
  expect([total.events, ids.size]).toEqual([running.acknowledged.size, running.acknowledged.size])
}, 180_000)
