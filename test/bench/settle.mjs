/** Settle by itself: a journal full of open pages of 500 events, worked through by a collector that has nothing else to do. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { envelope } from './batches.mjs'
import { measureNaive } from './naive.mjs'

const EVENTS = 60_000

/** The journal of the mongod that runs in a home. */
export async function openJournal(home) {
  const { port, mongod } = JSON.parse(readFileSync(join(home, 'mongod/lock.json'), 'utf8'))
  const client = await MongoClient.connect(`mongodb://127.0.0.1:${port}/?replicaSet=livetag`)
  const journal = client.db('livetag').collection('journal')
  return {
    journal,
    db: client.db('livetag'),
    /** what mongod has used of the processor so far, s; only Linux tells */
    mongodSeconds: () => processorSeconds(mongod.pid),
    async settled() {
      while ((await journal.countDocuments({ state: 'open' })) > 0) await pause(20)
    },
    close: () => client.close(),
  }
}

export async function measureSettle({ url }, { db, journal, settled, mongodSeconds }) {
  const pages = await recordedPages(url, journal, settled)
  await journal.insertMany(pages)
  const [started, used] = [performance.now(), mongodSeconds()]
  await journal.updateMany({ state: 'waiting' }, { $set: { state: 'open' } })
  await settled()
  const seconds = (performance.now() - started) / 1000
  const mongodShare = (mongodSeconds() - used) / seconds
  const naivePerSecond = await measureNaive(db, eventsOf(pages[0]))
  const eventsPerSecond = EVENTS / seconds
  return {
    events: EVENTS,
    seconds,
    eventsPerSecond,
    mongodShare,
    naivePerSecond,
    timesNaive: eventsPerSecond / naivePerSecond,
  }
}

const eventsOf = ({ envelopes }) =>
  envelopes.flatMap(({ events, ...shared }) => events.map(own => ({ ...shared, ...own })))

function processorSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    // user and system time, in ticks of 10 ms
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return Number.NaN
  }
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
  const [shared] = head.envelopes
  return Array.from({ length: EVENTS / 500 }, (_, n) => ({
    ...head,
    // Opened together, when all are there: the rate is that of settle alone.
    state: 'waiting',
    n: 500,
    // 20 events a session, as a visit has.
    envelopes: Array.from({ length: 25 }, (_, visit) => ({
      ...shared,
      session: `bench${n}-${visit}`,
      visitor: `bench${n}-${visit}`,
      path: `/p/${(n * 7 + visit) % 60}`,
      events: shared.events.map((event, i) => ({ ...event, id: `bench${n}x${visit}.${i}` })),
    })),
  }))
}
