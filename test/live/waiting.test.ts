import { pino } from 'pino'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type StoredPage, toStored } from '../../collector/journal/index.ts'
import { createHub, type Hub } from '../../collector/live/hub.ts'
import { connect } from '../../collector/store/connect.ts'
import { ensureCollections, type Mongod } from '../../collector/store/index.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'
import { startTestMongod } from '../fixtures/test-mongod.ts'

let mongod: Mongod
let client: Awaited<ReturnType<typeof connect>>
let hub: Hub
let now = Date.now()
beforeAll(async () => {
  mongod = await startTestMongod()
  client = await connect(mongod.uri, { appName: 'test' })
  await ensureCollections(client.db('test'))
  hub = createHub(client, client.db('test'), pino({ level: 'silent' }), () => now)
})
afterAll(async () => {
  await hub.close()
  await client.close()
  await mongod.close()
})

test('a viewer who waited long for the snapshot, as of a server that was away, hears what comes after it', async () => {
  const data = { failCommands: ['find'], blockConnection: true, blockTimeMS: 500 }
  await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data })
  const heard: string[] = []
  const site = { key: 'shop', domain: 'shop.example', consent: 'required', timezone: 'UTC' } as const
  const joining = hub.join(site, { send: event => void heard.push(event), end: () => void heard.push('end') })
  // A room without viewers is let go half a minute after the last one left.
  now += 60_000
  const leave = await joining
  expect(heard).toEqual(['snapshot'])
  const page = toStored(openPage([journalEvent({ id: 'a' })], { lane: 0, epoch: 1 }))
  await client.db('test').collection<StoredPage>('journal').insertOne(page)
  await vi.waitFor(() => expect(heard).toEqual(['snapshot', 'tick']), 5_000)
  leave()
})
