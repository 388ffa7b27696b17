import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { type StoredPage, toStored } from '../../collector/journal/index.ts'
import { createHub, type Hub } from '../../collector/live/hub.ts'
import type { LiveSnapshot, LiveTick } from '../../collector/live/messages.ts'
import { createLog } from '../../collector/log.ts'
import { connect } from '../../collector/store/connect.ts'
import { ensureCollections, type Mongod } from '../../collector/store/index.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'
import { startTestMongod } from '../fixtures/test-mongod.ts'

let mongod: Mongod
let client: Awaited<ReturnType<typeof connect>>
let hub: Hub
beforeAll(async () => {
  mongod = await startTestMongod()
  client = await connect(mongod.uri, { appName: 'test' })
  await ensureCollections(client.db('test'))
})
beforeEach(() => {
  hub = createHub({ client, db: client.db('test'), log: createLog('warn', { write() {} }) })
  return () => hub.close()
})
afterAll(async () => {
  await client.close()
  await mongod.close()
})

const failPoint = (configureFailPoint: string, mode: unknown, data = {}) =>
  client.db('admin').command({ configureFailPoint, mode, data })
const store = (site: string, id: string, w: 1 | 'majority' = 'majority') =>
  client
    .db('test')
    .collection<StoredPage>('journal')
    .insertOne(toStored(openPage([journalEvent({ id, site })], { lane: 0, epoch: 1 })), { writeConcern: { w } })

/** What a viewer of the site has seen come in, by id. */
async function watch(site: string): Promise<{ ids: string[]; messages: string[] }> {
  const seen = { ids: [] as string[], messages: [] as string[] }
  const send = (event: string, _: string, data: string) => {
    const message = JSON.parse(data) as LiveSnapshot | LiveTick
    seen.messages.push(event)
    seen.ids.push(...('recent' in message ? message.recent : message.events).map(({ id }) => id))
  }
  const view = { key: site, domain: 'shop.example', consent: 'none', timezone: 'UTC' } as const
  await hub.join(view, { send, end: () => void seen.messages.push('end') })
  return seen
}

test('a viewer sees once what was stored, but not yet at a majority, when the view was opened', async () => {
  // A single node's majority is itself at once; here it comes to know of nothing new, as where others lag behind.
  await failPoint('disableSnapshotting', 'alwaysOn')
  onTestFinished(async () => void (await failPoint('disableSnapshotting', 'off')))
  await store('lagging', 'a', 1)
  await store('lagging', 'b', 1)
  const joining = watch('lagging')
  await expect(Promise.race([joining, new Promise(done => setTimeout(done, 500, 'waits'))])).resolves.toBe('waits')
  await failPoint('disableSnapshotting', 'off')
  await store('lagging', 'c')
  const { ids } = await joining
  await vi.waitFor(() => expect(ids).toContain('c'), 5_000)
  expect(ids).toEqual(['a', 'b', 'c'])
})

test('a viewer sees once what the stream tells only after the snapshot that had it', async () => {
  const before = await watch('other')
  await store('other', 'x')
  await vi.waitFor(() => expect(before.ids).toEqual(['x']), 5_000)
  await failPoint(
    'failCommand',
    { times: 1 },
    {
      failCommands: ['getMore'],
      namespace: 'test.journal',
      blockConnection: true,
      blockTimeMS: 2_000,
    },
  )
  // Wakes the stream, whose next question then waits.
  await store('other', 'y')
  await vi.waitFor(() => expect(before.ids).toEqual(['x', 'y']), 5_000)
  await store('late', 'a')
  const { ids } = await watch('late')
  expect(ids).toEqual(['a'])
  await store('late', 'b')
  await vi.waitFor(() => expect(ids).toContain('b'), 5_000)
  expect(ids).toEqual(['a', 'b'])
})
