/** Settle by itself: a journal full of open pages of 500 events, worked through by a collector that has nothing else to do. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { envelope } from './batches.mjs'

const EVENTS = 60_000

/** The journal of the mongod that runs in a home. */
export async function openJournal(home) {
  const { port } = JSON.parse(readFileSync(join(home, 'mongod/lock.json'), 'utf8'))
  const client = await MongoClient.connect(`mongodb://127.0.0.1:${port}/?replicaSet=livetag`)
  const journal = client.db('livetag').collection('journal')
  return {
    journal,
    async settled() {
      while ((await journal.countDocuments({ state: 'open' })) > 0) await pause(20)
    },
    close: () => client.close(),
  }
}

export async function measureSettle({ url }, { journal, settled }) {
  const pages = await recordedPages(url, journal, settled)
  const started = performance.now()
  await journal.insertMany(pages)
  await settled()
  const seconds = (performance.now() - started) / 1000
  return { events: EVENTS, seconds, eventsPerSecond: EVENTS / seconds }
}

/** Pages as intake makes them: one real page is taken from the journal and given new ids. */
async function recordedPages(url, journal, settled) {
  await fetch(`${url}/e`, {
    method: 'POST',
    body: envelope(),
    headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0' },
  })
  await settled()
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
        session: `bench${n}-${Math.floor(i / 20)}`,
        visitor: `bench${n}-${Math.floor(i / 20)}`,
        path: `/p/${(n * 7 + i) % 60}`,
      }
    }),
  }))
}
