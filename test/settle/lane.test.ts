/** Who may adopt a lane, and when: a lease has 10 s, which nobody has to wait for where the holder is known to be gone. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type StoredPage, toStored } from '../../collector/journal/index.ts'
import { PLACE } from '../../collector/settle/holder.ts'
import { lanes, leaseLane, leaseOrphan, raiseFence } from '../../collector/settle/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

let database: Awaited<ReturnType<typeof freshDatabase>>
beforeAll(async () => {
  database = await freshDatabase()
  await ensureCollections(database.db)
})
afterAll(() => database.drop())
afterEach(async () => {
  await lanes(database.db).deleteMany({})
})

/** Of a process that has ended, or of one that runs as long as this one. */
async function processId(ended: boolean): Promise<number> {
  const script = ended ? '' : 'process.stdin.resume()'
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'ignore', 'ignore'] })
  if (ended) await once(child, 'exit')
  return child.pid as number
}

const holderOf = (pid: number) => `${hostname()}:${pid}:${Date.now().toString(36)}`

describe.runIf(PLACE)('a lane whose lease has not expired', () => {
  test('is free when the process that held it has ended', async () => {
    const first = await leaseLane(database.db, holderOf(await processId(true)))
    expect(await leaseLane(database.db, 'next')).toMatchObject({ id: first.id, epoch: first.epoch + 1 })
  })

  test('is adopted at once where its pages are not settled', async () => {
    const { id: lane, epoch } = await leaseLane(database.db, holderOf(await processId(true)))
    expect(await leaseOrphan(database.db, 'next')).toBeUndefined()
    const page = toStored(openPage([journalEvent({ id: 'a' })], { lane, epoch }))
    await database.db.collection<StoredPage>('journal').insertOne(page)
    expect(await leaseOrphan(database.db, 'next')).toMatchObject({ id: lane })
  })

  test.each<[string, () => Promise<{ holder: string; place?: string }>]>([
    ['whose holder runs', async () => ({ holder: holderOf(await processId(false)) })],
    ['that this process holds', async () => ({ holder: holderOf(process.pid) })],
    ['of another machine', async () => ({ holder: holderOf(await processId(true)), place: 'another' })],
    ['of a machine that could not be told', async () => ({ holder: holderOf(await processId(true)), place: '' })],
    ['whose holder names no process', async () => ({ holder: 'somebody' })],
  ])('is not free: one %s', async (_name, heldBy) => {
    const { holder, place = PLACE } = await heldBy()
    const first = await leaseLane(database.db, holder)
    await lanes(database.db).updateOne({ _id: first.id }, { $set: { place } })
    expect((await leaseLane(database.db, 'next')).id).toBe(first.id + 1)
  })
})

// A mongod ends it after `transactionLifetimeLimitSeconds`, 20 at least; the test has less.
test('a transaction that the last holder left open is ended, and keeps nobody waiting', {
  timeout: 10_000,
}, async () => {
  const { db } = database
  const killed = await leaseLane(db, 'killed')
  const { transactions, end } = await raiseFence(db, killed)
  await lanes(db).updateOne({ _id: killed.id }, { $set: { expires: new Date(0) } })
  transactions.startTransaction()
  await lanes(db).updateOne({ _id: killed.id }, { $inc: { settled: 1 } }, { session: transactions })
  expect(await leaseLane(db, 'next')).toMatchObject({ id: killed.id, settled: killed.settled })
  await expect(transactions.commitTransaction()).rejects.toMatchObject({ codeName: 'NoSuchTransaction' })
  await end()
})
