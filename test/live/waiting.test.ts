import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type StoredPage, toStored } from '../../collector/journal/index.ts'
import { createHub, type Hub } from '../../collector/live/hub.ts'
import type { LiveSnapshot } from '../../collector/live/messages.ts'
import { createLog } from '../../collector/log.ts'
import { connect } from '../../collector/store/connect.ts'
import { ensureCollections, type Mongod } from '../../collector/store/index.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'
import { startTestMongod } from '../fixtures/test-mongod.ts'

let mongod: Mongod
let client: Awaited<ReturnType<typeof connect>>
let hub: Hub
let now = Date.now()
const lines: string[] = []
beforeAll(async () => {
  mongod = await startTestMongod()
  client = await connect(mongod.uri, { appName: 'test' })
  await ensureCollections(client.db('test'))
})
beforeEach(() => {
  const log = createLog('warn', { write: line => void lines.push(line) })
  hub = createHub({ client, db: client.db('test'), log, clock: () => now })
})
afterEach(() => hub.close())
afterAll(async () => {
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

test('where the stream is interrupted again while the room is filled anew, no snapshot is empty', async () => {
  const admin = client.db('admin')
  /** Ended where the driver can't go on by itself. */
  const interrupt = async () => {
    const before = lines.length
    await vi.waitFor(
      async () => {
        const following = { currentOp: 1, op: 'getmore', ns: 'test.journal' }
        for (const { opid: op } of (await admin.command(following)).inprog) await admin.command({ killOp: 1, op })
        expect(lines.slice(before).join('')).toContain('was interrupted')
      },
      { timeout: 10_000, interval: 10 },
    )
  }
  const blocked = async (finds: number) => {
    const { inprog } = await admin.command({ currentOp: 1, 'command.find': 'lanes' })
    expect(inprog).toHaveLength(finds)
  }
  now = Date.now()
  const page = toStored(openPage([journalEvent({ id: 'b', site: 'twice' })], { lane: 0, epoch: 1 }))
  await client.db('test').collection<StoredPage>('journal').insertOne(page)
  const snapshots: LiveSnapshot[] = []
  const send = (event: string, _: string, data: string) => {
    if (event === 'snapshot') snapshots.push(JSON.parse(data) as LiveSnapshot)
  }
  const site = { key: 'twice', domain: 'twice.example', consent: 'none', timezone: 'UTC' } as const
  const leave = await hub.join(site, { send, end() {} })
  // Each filling begins with a find.
  const data = { failCommands: ['find'], blockConnection: true, blockTimeMS: 5_000 }
  await admin.command({ configureFailPoint: 'failCommand', mode: { times: 2 }, data })
  await interrupt()
  await vi.waitFor(() => blocked(1), { timeout: 5_000, interval: 10 })
  await interrupt()
  await vi.waitFor(() => blocked(2), { timeout: 5_000, interval: 10 })
  await vi.waitFor(() => blocked(0), { timeout: 10_000, interval: 10 })
  await vi.waitFor(() => expect(snapshots.length).toBeGreaterThan(1), { timeout: 10_000, interval: 10 })
  expect(snapshots.map(({ recent }) => recent.length)).toEqual(snapshots.map(() => 1))
  leave()
}, 60_000)
