/**
 * Builds the blocks of all sites again and again, in a process of its own, and says when columns are on their way to the
 * server, so that it can be killed then. The address comes as the first argument, what is now as the second.
 */
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import { runnerImport } from 'vite'

const [uri, now] = process.argv.slice(2)
process.on('disconnect', () => process.exit(1))
const room = fileURLToPath(new URL('../../collector/columns/index.ts', import.meta.url))
const { createBlockBuilder } = (await runnerImport(room)).module
const client = await MongoClient.connect(uri, { monitorCommands: true })
client.on('commandStarted', ({ command }) => {
  if (command.insert === 'blocks') process.send('writing')
  if (command.update === 'manifest') process.send('swapping')
  if (command.delete === 'blocks') process.send('removing')
})
const pass = createBlockBuilder({
  db: client.db(),
  now: () => Number(now),
  pace: { every: 0, first: 0, later: 0, all: 0 },
})
for (;;) await pass()
