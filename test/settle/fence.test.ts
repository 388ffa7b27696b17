import { BSON, ObjectId } from 'mongodb'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { settleBatch } from '../../collector/settle/batch.ts'
import { type Fence, NUMBERS } from '../../collector/settle/fence.ts'
import { LaneLost, type RaiseFence, raiseFence, refreshFences, startSettler } from '../../collector/settle/index.ts'
import { lanes, readopt } from '../../collector/settle/lane.ts'
import { claim } from '../../collector/settle/seen.ts'
import { startCuttingProxy } from '../fixtures/cutting-proxy.ts'
import { IDS, useHolders } from '../fixtures/holders.ts'
import { commandWithoutSession } from '../fixtures/test-mongod.ts'

// Records of sessions that the server has forgotten are removed at once, not half an hour later.
const it = useHolders('TransactionRecordMinimumLifetimeMinutes=0')

const raw = (id: string) =>
  BSON.serialize({ _id: new ObjectId(), ts: new Date(), meta: { site: 'shop', name: 'click' }, id })

/** A fence whose inserts wait to be let go: of a collector that is stopped just before one. */
function stoppedBefore(fence: Fence) {
  let [arrive, go] = [() => {}, () => {}]
  const reached = new Promise<void>(resolve => {
    arrive = resolve
  })
  const gone = new Promise<void>(resolve => {
    go = resolve
  })
  const prepare: Fence['prepare'] = events => {
    const insert = fence.prepare(events)
    return async () => {
      arrive()
      await gone
      await insert()
    }
  }
  return { fence: { ...fence, prepare }, reached, go }
}

describe('a collector that slept past its lease', () => {
  test('can store nothing any more, and what it was about to store is there once', async () => {
    const sleeper = await it.adopt()
    const page = await it.plant(sleeper.lane)
    const { fence, reached, go } = stoppedBefore(sleeper.fence)
    const late = settleBatch({ ...sleeper, fence, pages: [page] })
    await reached
    const next = await it.adopt()
    expect(await settleBatch({ ...next, pages: [page] })).toBe(IDS.length)
    go()
    await expect(late).rejects.toBeInstanceOf(LaneLost)
    expect(await it.stored()).toEqual(IDS)
  })

  test('stops settling, and tells that the lane is lost', async () => {
    const { db, lane } = await it.lease()
    const page = await it.plant(lane)
    let stopped: ReturnType<typeof stoppedBefore> | undefined
    const raise: RaiseFence = async (db, lane) => {
      stopped = stoppedBefore(await raiseFence(db, lane))
      return stopped.fence
    }
    const [failed, lost] = [vi.fn(), vi.fn()]
    const settler = startSettler({ db, lane, raise, failed, lost })
    await vi.waitUntil(() => stopped)
    await stopped?.reached
    const next = await it.adopt()
    await settleBatch({ ...next, pages: [page] })
    stopped?.go()
    await settler.close()
    expect(lost).toHaveBeenCalledExactlyOnceWith(expect.any(LaneLost))
    expect([settler.settled, failed.mock.calls]).toEqual([0, []])
    expect(await it.stored()).toEqual(IDS)
  })

  test('is refused from the moment at which the next fence stands, also after a kill -9 of mongod', async () => {
    const sleeper = await it.adopt()
    await sleeper.fence.prepare([raw('a')])()
    const next = await it.adopt()
    process.kill(it.mongod.pid ?? 0, 'SIGKILL')
    await vi.waitFor(() => it.db.command({ ping: 1 }), { timeout: 20_000 })
    await expect(sleeper.fence.prepare([raw('b')])()).rejects.toBeInstanceOf(LaneLost)
    await next.fence.prepare([raw('c')])()
    expect(await it.stored()).toEqual(['a', 'c'])
  })

  test('can not raise its own fence, nor one for an epoch that is no longer its', async () => {
    const sleeper = await it.lease()
    await it.adopt()
    await expect(raiseFence(sleeper.db, sleeper.lane)).rejects.toBeInstanceOf(LaneLost)
    const { lane } = await it.lease()
    await lanes(it.db).updateOne({ _id: lane.id }, { $set: { holder: 'other' } })
    await expect(raiseFence(it.db, lane)).rejects.toBeInstanceOf(LaneLost)
  })
})

test('an insert in flight is waited for, so the next holder reads all of it and adds nothing', async () => {
  const hang = 'hangTimeseriesInsertBeforeCommit'
  const { count } = await it.admin.command({ configureFailPoint: hang, mode: 'alwaysOn' })
  const killed = await it.adopt()
  const page = await it.plant(killed.lane)
  const late = settleBatch({ ...killed, pages: [page] }).catch((error: unknown) => error)
  await it.admin.command({ waitForFailPoint: hang, timesEntered: count + 1, maxTimeMS: 10_000 })
  const next = await it.lease()
  const settled = raiseFence(next.db, next.lane).then(fence => settleBatch({ ...next, fence, pages: [page] }))
  await vi.waitFor(async () => {
    const { inprog } = await it.admin.command({ currentOp: 1, 'command.update': 'lanes' })
    expect(inprog).toHaveLength(1)
  }, 5_000)
  await it.admin.command({ configureFailPoint: hang, mode: 'off' })
  expect(await settled).toBe(IDS.length)
  expect(await late).toBeInstanceOf(LaneLost)
  expect(await it.stored()).toEqual(IDS)
})

test('what is there already is read at a majority, and after the fence', async () => {
  const older = await it.adopt()
  const page = await it.plant(older.lane)
  // As the older one leaves it that is killed before its transaction.
  await claim(it.db, [page])
  const next = await it.adopt()
  const raisedAt = next.fence.reading.session?.operationTime
  await it.db.command({ profile: 2 })
  await settleBatch({ ...next, pages: [page] })
  await it.db.command({ profile: 0 })
  const reads = { op: 'query', 'command.find': 'events' }
  const read = await it.db.collection('system.profile').findOne(reads)
  expect(read?.command.readConcern).toMatchObject({ level: 'majority' })
  expect(raisedAt?.greaterThan(read?.command.readConcern.afterClusterTime)).toBe(false)
})

test('what the driver sends again after a connection was cut is stored once', async () => {
  const proxy = await startCuttingProxy(Number(new URL(it.mongod.uri).port))
  onTestFinished(() => proxy.close())
  const { fence } = await it.adopt(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`)
  const ids = Array.from({ length: 50 }, (_, n) => `${n}`)
  proxy.cutAnswerTo('insert')
  await fence.prepare(ids.map(raw))()
  await fence.prepare([raw('next')])()
  expect(proxy.cuts).toBe(1)
  expect(await it.stored()).toEqual([...ids, 'next'].sort())
})

test('numbers of a lane where nothing happens are kept, as long as they are refreshed', async () => {
  const sleeper = await it.adopt()
  await it.adopt()
  await it.db.collection('lanes').updateOne({}, { $set: { other: 1 } })
  const records = it.admin.client.db('config').collection('transactions')
  const before = await records.countDocuments()
  await it.admin.command({ refreshLogicalSessionCacheNow: 1 })
  // What the server's own TTL does after half an hour.
  await it.admin.client.db('config').collection('system.sessions').deleteMany({})
  await refreshFences(it.db)
  await it.admin.command({ refreshLogicalSessionCacheNow: 1 })
  await commandWithoutSession(it.mongod.uri, { reapLogicalSessionCacheNow: 1 })
  expect(await records.countDocuments()).toBeLessThan(before)
  await expect(sleeper.fence.prepare([raw('late')])()).rejects.toBeInstanceOf(LaneLost)
})

describe('numbers', () => {
  test('of one epoch begin once: a second fence for it would have its inserts taken for repeats', async () => {
    const { lane } = await it.adopt()
    await expect(raiseFence(it.db, lane)).rejects.toThrow('adopt the lane anew')
    await readopt(it.db, lane)
    const fence = await raiseFence(it.db, lane)
    await fence.prepare([raw('a')])()
    expect(await it.stored()).toEqual(['a'])
  })

  test('are exact after a hundred million epochs', async () => {
    await it.adopt()
    await lanes(it.db).updateOne({}, { $set: { epoch: 100_000_000 } })
    const [older, newer] = [await it.adopt(), await it.adopt()]
    for (const id of IDS) await newer.fence.prepare([raw(id)])()
    await expect(older.fence.prepare([raw('late')])()).rejects.toBeInstanceOf(LaneLost)
    expect(await it.stored()).toEqual(IDS)
  })

  test('that are nearly used up: a new epoch begins, and everything is stored once', async () => {
    const { db, lane } = await it.lease()
    const pages = [await it.plant(lane)]
    const failed = vi.fn()
    const raise: RaiseFence = async (db, lane) => {
      const fence = await raiseFence(db, lane)
      const { session } = fence.reading
      if (session && lane.epoch === 1) session.serverSession.txnNumber = 2 * NUMBERS - 1
      return fence
    }
    const settler = startSettler({ db, lane, raise, failed, lost: failed })
    await settler.close()
    expect([settler.settled, lane.epoch, pages.length]).toEqual([IDS.length, 2, 1])
    expect(failed).not.toHaveBeenCalled()
    expect(await it.stored()).toEqual(IDS)
  })
})

test('a lane’s session never gets to anybody else', async () => {
  const { db, fence, lane } = await it.adopt()
  await fence.end()
  const { id } = db.client.startSession()
  expect(id?.id.toString('hex')).not.toBe(lane.sid.toString('hex'))
})
