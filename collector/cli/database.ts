import type { Db, MongoClient } from 'mongodb'
import { pino } from 'pino'
import { readConfig } from '../config.ts'
import { ensureSites } from '../sites/index.ts'
import { connect, ensureCollections, openMongod } from '../store/index.ts'
import { fail } from './fail.ts'

/**
 * Works on the database of the running collector of this folder, or starts its mongod for the moment.
 * @param code with which the command ends when it can't
 */
export async function withDatabase(work: (db: Db, client: MongoClient) => Promise<void>, code = 1): Promise<void> {
  try {
    const config = readConfig({}, { ...process.env, HOST: '' })
    const log = pino({ level: 'warn' }, pino.destination(2))
    const env = { ...process.env, MONGODB_URI: config.mongodbUri }
    const mongod = await openMongod({
      home: config.home,
      env,
      log,
      onProgress: text => process.stderr.write(`${text}\n`),
    })
    try {
      const client = await connect(mongod.uri, { appName: 'livetag-cli' })
      try {
        const db = client.db(config.database)
        await ensureCollections(db)
        await ensureSites(db)
        await work(db, client)
      } finally {
        await client.close()
      }
    } finally {
      await mongod.close()
    }
  } catch (error) {
    fail(error, code)
  }
}
