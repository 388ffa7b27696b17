/**
 * The naive way to count events, as a reference for settle: one document an event and one upsert a counter, each durable
 * at a majority, by a driver with 32 requests at a time. The counters are those that settle keeps: the minute in total, by
 * name and by page, and the session.
 */
const SECONDS = 5
const AT_ONCE = 32

/** @param events as in the journal @returns events a second */
export async function measureNaive(db, events) {
  const DURABLE = { writeConcern: { w: 'majority', journal: true } }
  const raw = db.collection('bench_naive_events')
  const counters = db.collection('bench_naive_counters')
  const until = performance.now() + SECONDS * 1000
  const started = performance.now()
  let count = 0
  const one = async ({ _id, ...event }) => {
    const minute = Math.floor(+event.ts / 60_000)
    const by = [
      ['total', ''],
      ['name', event.name],
      ['page', event.path],
      ['session', event.session],
    ]
    await raw.insertOne({ ...event }, DURABLE)
    for (const [dim, value] of by)
      await counters.updateOne(
        { _id: `${minute} ${dim} ${value}` },
        { $inc: { events: 1 } },
        { ...DURABLE, upsert: true },
      )
  }
  const run = async () => {
    while (performance.now() < until) await one(events[count++ % events.length])
  }
  await Promise.all(Array.from({ length: AT_ONCE }, run))
  const seconds = (performance.now() - started) / 1000
  await Promise.all([raw.drop(), counters.drop()])
  return count / seconds
}
