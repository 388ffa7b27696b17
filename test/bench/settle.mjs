/** Settle by itself: a journal full of open pages of 500 events, worked through by a collector that has nothing else to do. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { envelope } from './batches.mjs'
import { startServer } from './servers.mjs'

const EVENTS = 60_000

export async function measureSettle(home) {
  // A burst that nobody settles meanwhile: the journal takes it faster than settle works it off.
  const server = await startServer('livetag', { LIVETAG_HOME: home })
  const { port } = JSON.parse(readFileSync(join(home, 'mongod/lock.json'), 'utf8'))
  const client = await MongoClient.connect(`mongodb://127.0.0.1:${port}/?replicaSet=livetag`)
  try {
    const journal = client.db('livetag').collection('journal')
    while ((await journal.countDocuments({ state: 'open' })) > 0) await pause(50)
    const pages = await recordedPages(server.url, journal)
    const started = performance.now()
    await journal.insertMany(pages)
    while ((await journal.countDocuments({ state: 'open' })) > 0) await pause(20)
    const seconds = (performance.now() - started) / 1000
    return { events: EVENTS, seconds, eventsPerSecond: EVENTS / seconds }
  } finally {
    await client.close()
    await server.stop()
  }
}

/** Pages as intake makes them: one real page is taken from the journal and given new ids. */
async function recordedPages(url, journal) {
  await fetch(`${url}/e`, {
    method: 'POST',
    body: envelope(),
    headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0' },
  })
  const [page] = await journal.find({ n: 20 }).sort({ _id: -1 }).limit(1).toArray()
  const { _id, settled: _1, deltas: _2, foldedAt: _3, ...head } = page
  return Array.from({ length: EVENTS / 500 }, (_, n) => ({
    ...head,
    state: 'open',
    n: 500,
    events: Array.from({ length: 500 }, (_, i) => {
      const event = page.events[i % page.events.length]
      const id = `bench${n}.${i}`
      // 20 events a session, as a visit has.
      return {
        ...event,
        id,
        key: `demo:${id}`,
        session: `bench${n}-${Math.floor(i / 20)}`,
        visitor: `bench${n}-${Math.floor(i / 20)}`,
        path: `/p/${(n * 7 + i) % 60}`,
      }
    }),
  }))
}
