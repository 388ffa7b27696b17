import { afterAll, beforeAll, expect, test } from 'vitest'
import { type JournalEvent, type StoredPage, toStored } from '../../collector/journal/index.ts'
import { lanes } from '../../collector/settle/lane.ts'
import { recount } from '../crash/recount.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector()
})
afterAll(() => it.close())

test.each([0, 1])(
  'a running collector sets aside what can not be stored, counts the rest of its page, and goes on (epoch −%i)',
  async older => {
    const name = `n${older}`
    const { _id: lane = 0, epoch = 0 } = (await lanes(it.db).findOne()) ?? {}
    const bad = { ...journalEvent({ id: `bad${older}`, name }), ts: 'x' } as unknown as JournalEvent
    const good = ['a', 'b', 'c'].map(id => journalEvent({ id: `${id}${older}`, name }))
    const page = openPage([...good, bad], { lane, epoch: epoch - older })
    await it.db.collection<StoredPage>('journal').insertOne(toStored(page))
    for (let i = 0; i < 20; i++) await it.deliver(envelope([{ n: name }]))
    await it.folded()
    const parked = await it.db.collection('parked').find({ page: page._id }).toArray()
    expect(parked.map(({ event }) => JSON.parse(event).id)).toEqual([`bad${older}`])
    const { byName, rolledUp } = await recount(it.db, 'shop')
    expect([byName.get(name), rolledUp.get(name)]).toEqual([23, 23])
  },
)
