/**
 * Settle by itself: a journal full of open pages of 500 events, worked through by a collector that has nothing else to do.
 * The median of {@link ROUNDS}: each takes some eight seconds, in which a shared machine may do something else.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { MongoClient } from 'mongodb'
import { envelope } from './batches.mjs'
import { measureNaive } from './naive.mjs'

/** A round of a few batches would be mostly their beginning and end: three of 8,000 events are at work at once. */
const EVENTS = 240_000
const ROUNDS = 5

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
    /** Asks by the index that settle uses: to count would have mongod read the whole journal, at the cost of what is measured. */
    async settled() {
      const lanes = await client.db('livetag').collection('lanes').distinct('_id')
      const open = { lane: { $in: lanes }, state: 'open' }
      while (await journal.findOne(open, { projection: { _id: 1 } })) await pause(20)
    },
    close: () => client.close(),
  }
}

export async function measureSettle({ url }, { db, journal, settled, mongodSeconds }) {
  const page = await recordedPage(url, journal, settled)
  const rounds = []
  for (let round = 0; round < ROUNDS; round++) {
    await journal.insertMany(pagesLike(page, round))
    const [started, used] = [performance.now(), mongodSeconds()]
    await journal.updateMany({ state: 'waiting' }, { $set: { state: 'open' } })
    await settled()
    const seconds = (performance.now() - started) / 1000
    rounds.push({ seconds, eventsPerSecond: EVENTS / seconds, mongodShare: (mongodSeconds() - used) / seconds })
  }
  const median = rounds.toSorted((a, b) => a.seconds - b.seconds)[ROUNDS >> 1]
  const naivePerSecond = await measureNaive(db, eventsOf(pagesLike(page, 'naive')[0]))
  return { events: EVENTS, ...median, rounds, naivePerSecond, timesNaive: median.eventsPerSecond / naivePerSecond }
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

/** A page as intake makes it. */
async function recordedPage(url, journal, settled) {
  await fetch(`${url}/e`, {
    method: 'POST',
    body: envelope(),
    headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0' },
  })
  await settled()
  const [page] = await journal.find({ n: 20 }).sort({ _id: -1 }).limit(1).toArray()
  const { _id, settled: _1, deltas: _2, foldedAt: _3, ...head } = page
  return head
}

/** Full pages of the same events with ids of their own, 20 a session, as a visit has. */
function pagesLike(page, round) {
  const [shared] = page.envelopes
  return Array.from({ length: EVENTS / 500 }, (_, n) => ({
    ...page,
    at: new Date(),
    // Opened together, when all are there: the rate is that of settle alone.
    state: 'waiting',
    n: 500,
    envelopes: Array.from({ length: 25 }, (_, visit) => {
      const name = `bench${round}-${n}-${visit}`
      return {
        ...shared,
        session: name,
        visitor: name,
        path: `/p/${(n * 7 + visit) % 60}`,
        events: shared.events.map((event, i) => ({ ...event, id: `${name}.${i}` })),
      }
    }),
  }))
}
