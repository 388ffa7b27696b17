import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { ConnectError, connect, redact } from '../../collector/store/connect.ts'
import { accepts, freePort } from '../../collector/store/mongod/port.ts'
import { freshDatabase } from '../fixtures/database.ts'
import { anyMongod } from '../fixtures/test-mongod.ts'

const SECRET = 'pa55word'

async function refusal(uri: string): Promise<ConnectError> {
  const error: unknown = await connect(uri, { appName: 'test', timeout: 1_500 }).then(
    client => client.close(),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConnectError)
  expect((error as Error).message).not.toContain(SECRET)
  return error as ConnectError
}

test('a member of a replica set is accepted, and every write waits for a majority and the journal', async () => {
  const client = await connect(inject('mongoUri'), { appName: 'livetag-test-connect' })
  expect(client.options.retryWrites).toBe(true)
  expect(client.options.writeConcern).toMatchObject({ w: 'majority', journal: true })
  const { inprog } = await client.db('admin').command({ currentOp: 1, appName: 'livetag-test-connect' })
  expect(inprog.length).toBeGreaterThan(0)
  await client.close()
})

test('each fresh database is its own, and is gone after drop', async () => {
  const [one, two] = [await freshDatabase(), await freshDatabase()]
  expect(one.name).not.toBe(two.name)
  await one.db.collection('c').insertOne({})
  expect(await two.db.collection('c').countDocuments()).toBe(0)
  const client = await connect(one.uri, { appName: 'test' })
  expect(client.db().databaseName).toBe(one.name)
  await one.drop()
  const { databases } = await client.db('admin').command({ listDatabases: 1, nameOnly: true })
  expect(databases.map(({ name }: { name: string }) => name)).not.toContain(one.name)
  await client.close()
  await two.drop()
})

test('retryWrites=false is refused, whatever the server', async () => {
  const { message } = await refusal(`mongodb://me:${SECRET}@db.example/?retryWrites=false`)
  expect(message).toContain('retryWrites=false')
  expect(message).toContain('Take it out of the connection string')
})

test('a readConcernLevel is refused: the driver then makes no snapshot, and says nothing', async () => {
  const { message } = await refusal(`mongodb://me:${SECRET}@db.example/?readConcernLevel=majority`)
  expect(message).toContain('readConcernLevel=majority')
  expect(message).toContain('Take it out of the connection string')
})

test.each([
  ['http://db.example/', 'is not a MongoDB connection string'],
  [`mongodb://me:${SECRET}/@db.example:27017/`, 'is not a MongoDB connection string'],
  [`mongodb://me:x ${SECRET}@db.example/?a`, 'is not a MongoDB connection string'],
  [`mongodb://me:${SECRET}?@db.example/`, 'is not a MongoDB connection string'],
  [`mongodb://me:${SECRET}%@db.example/`, 'is not a MongoDB connection string'],
  [`mongodb://me:${SECRET}@127.0.0.1:0x/`, 'is not a MongoDB connection string'],
])('%s is no connection string', async (uri, said) => {
  expect((await refusal(uri)).message).toContain(said)
})

test('an unreachable server is named by its host, the password is not', async () => {
  const port = await freePort()
  const { message } = await refusal(`mongodb://me:${SECRET}@127.0.0.1:${port}/?replicaSet=rs0`)
  expect(message).toContain(`MongoDB at 127.0.0.1:${port} cannot be reached within 1.5 s`)
  expect(message).toContain('ECONNREFUSED')
  expect(message).toContain('Check that it runs')
})

test.each([
  [`x mongodb://me:${SECRET}@h/db y`, 'x mongodb://***@h/db y'],
  [`mongodb+srv://me:${SECRET}%40@h`, 'mongodb+srv://***@h'],
  [`mongodb://me:${SECRET}@@h/`, 'mongodb://***@h/'],
  [
    `mongodb://h/?tlsCertificateKeyFilePassword=${SECRET}&tls=true`,
    'mongodb://h/?tlsCertificateKeyFilePassword=***&tls=true',
  ],
  ['mongodb://h/?replicaSet=rs0', 'mongodb://h/?replicaSet=rs0'],
])('redact: %s', (text, expected) => {
  expect(redact(text)).toBe(expected)
})

describe.each([
  ['a stand-alone server', [], /is a stand-alone server.*replSetName: rs0.*--replSet rs0.*rs\.initiate\(\)/],
  ['a server that waits for rs.initiate()', ['--replSet', 'rs0'], /waits to be made a replica set.*rs\.initiate\(\)/],
])('%s', (_name, options, said) => {
  let folder: string
  let port: number
  let end: () => Promise<unknown>
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'livetag-alone-'))
    port = await freePort()
    const where = ['--dbpath', folder, '--logpath', join(folder, 'log'), '--port', String(port), '--nounixsocket']
    const mongod = spawn(await anyMongod(), [...where, '--bind_ip', '127.0.0.1', ...options], { stdio: 'ignore' })
    const ended = once(mongod, 'exit')
    end = () => {
      mongod.kill('SIGKILL')
      return ended
    }
    await vi.waitUntil(() => accepts(port), { timeout: 20_000 })
  })
  afterAll(async () => {
    await end()
    await rm(folder, { recursive: true, force: true })
  })

  test('is refused with the way to make it a replica set of one', async () => {
    expect((await refusal(`mongodb://127.0.0.1:${port}/`)).message).toMatch(said)
  })

  test('also where the connection string asks for a replica set', async () => {
    expect((await refusal(`mongodb://127.0.0.1:${port}/?replicaSet=rs0`)).message).toMatch(said)
  })
})
