import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COUNTERS, type JournalEvent, type StoredPage, toStored } from '../../collector/journal/index.ts'
import { settleBatch } from '../../collector/settle/batch.ts'
import { MINUTE_MS, sumDeltas } from '../../collector/settle/deltas.ts'
import { type Lane, leaseLane, raiseFence, type Session } from '../../collector/settle/index.ts'
import { applyEvent, draftOf, openSession, sessionKey } from '../../collector/settle/sessions.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

const T0 = Date.parse('2026-03-01T00:00:00Z')
const GAP = 30 * MINUTE_MS
const VISITOR = '~AAAAAAAAAAAAAAAAAAAAAA'

const event = (id: string, minutes: number, name = 'pageview', visitor = VISITOR): JournalEvent =>
  journalEvent({ id, name, ts: new Date(T0 + minutes * MINUTE_MS), consent: 'l', visitor, session: visitor })

/** A day of one visitor: moments near to and far from each other, also exactly half an hour apart. */
const someDay = fc
  .array(
    fc.record({
      minutes: fc.oneof(
        fc.integer({ min: 0, max: 48 }).map(n => n * 30),
        fc.integer({ min: 0, max: 1_439 }),
      ),
      name: fc.constantFrom('pageview', 'click'),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map(list => list.map(({ minutes, name }, i) => event(`e${i}`, minutes, name)))

/** The same events in another order, divided into pages. */
const inAnyOrder = someDay.chain(events =>
  fc.record({
    events: fc.constant(events),
    shuffled: fc.shuffledSubarray(events, { minLength: events.length }),
    size: fc.integer({ min: 1, max: 8 }),
  }),
)

/** Settles pages one after another, with sessions in a map; gives back the day and the sums of all deltas. */
function settle(pages: JournalEvent[][]): { day: Session | undefined; sums: Map<string, number[]> } {
  const sums = new Map<string, number[]>()
  let day: Session | undefined
  for (const events of pages) {
    const sum = sumDeltas()
    let draft: Session | undefined
    for (const event of events) {
      sum.event(event)
      draft ??= day ? draftOf(day) : openSession(event, sessionKey(event) ?? '')
      applyEvent(draft, event)
    }
    if (draft) sum.session(day, draft)
    day = draft
    for (const { dim, at, counters } of sum.deltas()) if (dim === 'total') add(sums, at, counters[0] ?? [])
  }
  return { day, sums: new Map([...sums].filter(([, row]) => row.some(n => n !== 0)).sort()) }
}

function add(sums: Map<string, number[]>, at: number, change: number[]): void {
  const row = sums.get(`${at}`) ?? COUNTERS.map(() => 0)
  sums.set(
    `${at}`,
    row.map((n, c) => n + (change[c] ?? 0)),
  )
}

/** In the plainest way: in order of time, a new visit after each gap of more than half an hour. */
function recount(events: JournalEvent[]): { visits: JournalEvent[][]; sums: Map<string, number[]> } {
  const sums = new Map<string, number[]>()
  const visits: JournalEvent[][] = []
  for (const event of events.toSorted((a, b) => +a.ts - +b.ts)) {
    const visit = visits.at(-1)
    const last = visit?.at(-1)
    if (visit && last && +event.ts - +last.ts <= GAP) visit.push(event)
    else visits.push([event])
    add(sums, +event.ts, [1, event.name === 'pageview' ? 1 : 0, 0, 0, 0, 0])
  }
  for (const visit of visits) {
    const [start, end] = [+(visit[0]?.ts ?? 0), +(visit.at(-1)?.ts ?? 0)]
    const views = visit.filter(({ name }) => name === 'pageview').length
    add(sums, start, [0, 0, 1, views <= 1 ? 1 : 0, end - start, 0])
  }
  return { visits, sums: new Map([...sums].sort()) }
}

describe('the day of a cookieless visitor, whatever the order in which its events arrive', () => {
  test('is divided where nothing happened for more than half an hour, and nowhere else', () => {
    fc.assert(
      fc.property(inAnyOrder, ({ events, shuffled, size }) => {
        const pages = Array.from({ length: Math.ceil(shuffled.length / size) }, (_, i) =>
          shuffled.slice(i * size, (i + 1) * size),
        )
        const { day, sums } = settle(pages)
        const should = recount(events)
        expect(day?.visits).toEqual(
          should.visits.map(visit => ({
            start: visit[0]?.ts,
            end: visit.at(-1)?.ts,
            views: visit.filter(({ name }) => name === 'pageview').length,
            events: visit.length,
          })),
        )
        // Sessions, bounces and duration of all visits, each in the minute in which it begins.
        expect(sums).toEqual(should.sums)
      }),
      { numRuns: 500 },
    )
  })

  test('an event between two visits makes one of them, and takes back what the second had counted', () => {
    const { day, sums } = settle([[event('a', 0)], [event('c', 60)], [event('b', 30, 'click')]])
    expect(day?.visits).toEqual([{ start: new Date(T0), end: new Date(T0 + 2 * GAP), views: 2, events: 3 }])
    expect(sums.get(`${T0}`)).toEqual([1, 1, 1, 0, 2 * GAP, 0])
    expect(sums.get(`${T0 + 2 * GAP}`)).toEqual([1, 1, 0, 0, 0, 0])
  })

  test('a session of a device is never divided, however long it pauses', () => {
    const named = (id: string, minutes: number) => ({ ...event(id, minutes), consent: 'g' as const, session: 's' })
    const { day, sums } = settle([[named('a', 0)], [named('b', 600)]])
    expect(day).not.toHaveProperty('visits')
    expect(sums.get(`${T0}`)).toEqual([1, 1, 1, 0, 600 * MINUTE_MS, 0])
  })

  test('a draft is a copy: the visits of which it was made stay as they were', () => {
    const { day } = settle([[event('a', 0)]])
    if (!day) throw new Error('there is no day')
    const before = structuredClone(day)
    applyEvent(draftOf(day), event('b', 10))
    expect(day).toEqual(before)
  })
})

describe('in the database', () => {
  let database: FreshDatabase
  let lanes: Lane[]
  beforeAll(async () => {
    database = await freshDatabase()
    await ensureCollections(database.db)
    lanes = [await leaseLane(database.db, 'one'), await leaseLane(database.db, 'two')]
  })
  afterAll(() => database.drop())

  test('two lanes that settle one visitor’s day at once count each visit once', async () => {
    const { db } = database
    const journal = db.collection<StoredPage>('journal')
    const events = Array.from({ length: 60 }, (_, i) => event(`e${i}`, (i % 6) * 61 + Math.floor(i / 6)))
    await Promise.all(
      lanes.map(async (lane, i) => {
        const fence = await raiseFence(db, lane)
        const own = events.filter((_, e) => e % 2 === i)
        for (let at = 0; at < own.length; at += 5) {
          const page = openPage(own.slice(at, at + 5), { lane: lane.id, epoch: lane.epoch })
          await journal.insertOne(toStored(page))
          await settleBatch({ db, lane, fence, pages: [page] })
        }
        await fence.end()
      }),
    )
    const deltas = (await journal.find().toArray()).flatMap(({ deltas = [] }) => deltas)
    const sums = new Map<string, number[]>()
    for (const { dim, at, counters } of deltas) if (dim === 'total') add(sums, at, counters[0] ?? [])
    expect(new Map([...sums].sort())).toEqual(recount(events).sums)
    const days = await db.collection<Session>('sessions').find().toArray()
    expect(days).toHaveLength(1)
    expect(days[0]?.visits?.map(({ events }) => events)).toEqual([10, 10, 10, 10, 10, 10])
  })
})
