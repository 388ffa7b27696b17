import { afterAll, beforeAll, expect, test } from 'vitest'
import { type JournalEvent, type StoredPage, toStored } from '../../collector/journal/index.ts'
import { settleBatch } from '../../collector/settle/batch.ts'
import type { Fence } from '../../collector/settle/fence.ts'
import { type Lane, leaseLane, raiseFence, type Session } from '../../collector/settle/index.ts'
import { readopt } from '../../collector/settle/lane.ts'
import { ensureCollections, KEPT } from '../../collector/store/index.ts'
import type { ConsentRecord } from '../../consent/record.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

const VIEW = 'abcdefghijklmnop'

let database: FreshDatabase
let lane: Lane
let fence: Fence
beforeAll(async () => {
  database = await freshDatabase()
  await ensureCollections(database.db)
  lane = await leaseLane(database.db, 'me')
  fence = await raiseFence(database.db, lane)
})
afterAll(async () => {
  await fence.end()
  await database.drop()
})

const decision = (id: string, change: Partial<JournalEvent> = {}): JournalEvent =>
  journalEvent({
    id,
    name: 'consent',
    consent: 'g',
    visitor: 'v1',
    session: 's1',
    props: { purposes: ['measure', 'identify'], signal: 'klaro', version: 7 },
    ...change,
  })
const plant = async (events: JournalEvent[]) => {
  const page = openPage(events, { lane: lane.id, epoch: lane.epoch })
  await database.db.collection<StoredPage>('journal').insertOne(toStored(page))
  return page
}
const settle = async (...pages: Awaited<ReturnType<typeof plant>>[]) =>
  settleBatch({ db: database.db, lane, fence, pages })
const proofs = () => database.db.collection<ConsentRecord>('consents')
const proofOf = (id: string) => proofs().findOne({ _id: `shop:${id}` })

test('a decision leaves a record with what ISO/IEC TS 27560 asks for', async () => {
  const event = decision(`${VIEW}.3`)
  const page = await plant([event])
  await settle(page)
  expect(await proofOf(`${VIEW}.3`)).toEqual({
    _id: `shop:${VIEW}.3`,
    schema: 1,
    site: 'shop',
    visitor: 'v1',
    view: VIEW,
    decided: event.ts,
    received: page.at,
    granted: ['measure', 'identify'],
    refused: ['share'],
    signal: 'klaro',
    version: '7',
    method: 'platform',
    jurisdiction: 'unknown',
    expires: new Date(+event.ts + KEPT.consents),
  })
})

test('the same event leaves one, however often and in whatever pages it comes, also when its claim has expired', async () => {
  const event = decision('repeated.0')
  await settle(await plant([event, event]), await plant([event]))
  await settle(await plant([event]))
  await database.db.collection<{ _id: string }>('seen').deleteOne({ _id: 'shop:repeated.0' })
  await settle(await plant([{ ...event, props: { purposes: [], signal: 'forged' } }]))
  expect(
    await proofs()
      .find({ _id: /repeated/ })
      .toArray(),
  ).toMatchObject([{ signal: 'klaro' }])
})

test('a page whose transaction fails leaves none, and when it is settled after all, one', async () => {
  const page = await plant([decision('failed.0')])
  const other = { ...lane, epoch: lane.epoch + 1 }
  await expect(settleBatch({ db: database.db, lane: other, fence, pages: [page] })).rejects.toThrow('another holder')
  expect(await proofOf('failed.0')).toBeNull()
  await readopt(database.db, lane)
  await fence.end()
  fence = await raiseFence(database.db, lane)
  await settle(page)
  expect(await proofOf('failed.0')).toMatchObject({ visitor: 'v1' })
})

test('a decision that the raw record can’t take is set aside there, and its proof is kept all the same', async () => {
  const bad = decision('bad.0', { props: { purposes: ['measure'], signal: 'api', _bsontype: 'Nothing' } })
  const page = openPage([bad], { lane: lane.id, epoch: lane.epoch })
  const { events: _, ...rest } = page
  await database.db.collection<StoredPage>('journal').insertOne({ ...rest, envelopes: [] })
  await settle(page)
  expect(await database.db.collection('parked').countDocuments({ _id: /bad/ as never })).toBe(1)
  expect(await proofOf('bad.0')).toMatchObject({ granted: ['measure'] })
})

test('a withdrawal names nobody and grants nothing, whatever it says', async () => {
  const said = { purposes: ['measure'], signal: 'api' }
  await settle(await plant([decision('over.1', { consent: 'd', visitor: undefined, session: undefined, props: said })]))
  const record = await proofOf('over.1')
  expect(record).toMatchObject({ granted: [], refused: ['measure', 'identify', 'share'], view: 'over' })
  expect(record).not.toHaveProperty('visitor')
})

test('the record of a cookieless decision does not name its visitor, whose name is to last a day only', async () => {
  await settle(await plant([decision('less.0', { consent: 'l', visitor: '~day', session: '~day' })]))
  expect(await proofOf('less.0')).not.toHaveProperty('visitor')
  expect(await database.db.collection<Session>('sessions').findOne({ _id: 'shop:~day' })).not.toBeNull()
})

test('an event `consent` that names no purposes is no decision: it is counted, and proves nothing', async () => {
  const before = await proofs().countDocuments()
  await settle(
    await plant([decision('vague.0', { props: { purposes: 'all' } }), decision('none.0', { props: undefined })]),
  )
  expect(await proofs().countDocuments()).toBe(before)
})
