import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { claim } from '../../collector/settle/seen.ts'
import { freePort } from '../../collector/store/mongod/port.ts'
import { type Link, startLink } from '../crash/link.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

let database: FreshDatabase
let link: Link
let client: MongoClient
beforeAll(async () => {
  database = await freshDatabase()
  const [host] = database.client.options.hosts
  link = await startLink(await freePort(), host?.port ?? 27_017)
  const uri = `mongodb://127.0.0.1:${link.port}/?directConnection=true`
  client = await MongoClient.connect(uri, { monitorCommands: true })
})
afterAll(async () => {
  await client.close()
  link.close()
  await database.drop()
})

it('keeps no event whose claim could not be sent: another page may own it', async () => {
  const owner = openPage([journalEvent({ id: 'a' })])
  const other = openPage([journalEvent({ id: 'a' })])
  expect(await claim(database.db, [owner])).toEqual({ kept: [owner.events], tried: new Set() })
  // No insert gets through, its retry neither; the read after it would.
  client.on('commandStarted', ({ commandName }) => commandName === 'insert' && link.cut('refused'))
  client.on('commandFailed', ({ commandName }) => commandName === 'insert' && link.mend())
  await expect(claim(client.db(database.name), [other])).rejects.toThrow()
  client.removeAllListeners('commandStarted')
  expect(await claim(client.db(database.name), [other])).toEqual({ kept: [[]], tried: new Set() })
})
