import { existsSync } from 'node:fs'
import { MongoClient } from 'mongodb'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLog } from '../collector/log.ts'
import { type FreshDatabase, freshDatabase } from './fixtures/database.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

test('an error of the driver is logged with its name, code and place, without the documents it was about', async () => {
  const documents = Array.from({ length: 50 }, (_, i) => ({
    _id: `shop:secret-${i % 40}`,
    url: 'https://shop.example/me',
  }))
  const error = await database.db
    .collection<{ _id: string }>('things')
    .insertMany(documents, { ordered: false })
    .then(
      () => undefined,
      (reason: unknown) => reason,
    )
  expect(JSON.stringify(error)).toContain('shop.example')
  const lines: string[] = []
  createLog('warn', { write: line => void lines.push(line) }).warn({ err: error }, 'a step failed')
  const [line = ''] = lines
  expect(JSON.parse(line).err).toMatchObject({ type: 'MongoBulkWriteError', code: 11000 })
  expect(line).toContain('log.test.ts')
  expect(line).not.toMatch(/secret|shop\.example/)
  expect(line.length).toBeLessThan(3_000)
})

test('of a server that is away the message is logged, not the place: it is said again and again', async () => {
  const away = new MongoClient('mongodb://127.0.0.1:1/', { serverSelectionTimeoutMS: 20 })
  const error: unknown = await away.connect().catch(reason => reason)
  const lines: string[] = []
  createLog('warn', { write: line => void lines.push(line) }).warn({ err: error }, 'a step failed')
  expect(JSON.parse(lines.join()).err).toEqual({
    type: 'MongoServerSelectionError',
    message: expect.stringContaining('ECONNREFUSED'),
  })
})

test.skipIf(!existsSync('/dev/full'))('a log whose disk is full ends nothing', () => {
  const log = createLog('warn', pino.destination({ dest: '/dev/full', sync: true }))
  for (let line = 0; line < 3; line++) log.warn('a step failed')
})

test.each([undefined, 'a text', { url: 'https://shop.example/me' }])(
  'what is no error (%j) is named by its type',
  thing => {
    const lines: string[] = []
    createLog('warn', { write: line => void lines.push(line) }).warn({ err: thing }, 'a step failed')
    expect(lines.join()).not.toContain('shop.example')
    expect(lines).toHaveLength(1)
  },
)
