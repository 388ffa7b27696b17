import { UUID } from 'mongodb'
import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { COUNTERS, emptyRow } from '../../collector/journal/index.ts'
import { createQueries } from '../../collector/query/index.ts'
import { fromDocument, type RollupDocument } from '../../collector/rollup/index.ts'
import { SeedError, type SeedParts, type SeedReport, seed } from '../../collector/seed/index.ts'
import { lanes, type Session } from '../../collector/settle/index.ts'
import { addSite, type Goal, listSites, type Site } from '../../collector/sites/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { verify } from '../../collector/verify/index.ts'
import { envelope, startCollector } from '../fixtures/collector.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'

const DAY = 86_400_000

/** Counted again from the collections. */
async function recount({ db }: Pick<FreshDatabase, 'db'>) {
  const events = db.collection('events')
  const noBot = { bot: { $exists: false } }
  const sessions = await db.collection<Session>('sessions').find(noBot).toArray()
  const visits = sessions.flatMap(({ visits, ...session }) => visits ?? [session])
  const pages = await events
    .aggregate<{ _id: string; n: number }>([
      { $match: { 'meta.name': 'pageview', ...noBot } },
      { $group: { _id: '$path', n: { $sum: 1 } } },
      { $sort: { n: -1, _id: 1 } },
      { $limit: 10 },
    ])
    .toArray()
  return {
    people: {
      events: await events.countDocuments(noBot),
      pageviews: await events.countDocuments({ 'meta.name': 'pageview', ...noBot }),
      visits: visits.length,
      bounces: visits.filter(({ views }) => views <= 1).length,
      visitors: new Set(sessions.map(({ visitor }) => visitor)).size,
      duration: visits.reduce((sum, { start, end }) => sum + +end - +start, 0),
    },
    pages: pages.map(({ _id, n }) => [_id, n]),
  }
}

/** All minutes together. */
async function counted({ db }: Pick<FreshDatabase, 'db'>): Promise<Record<string, number>> {
  const sum = emptyRow()
  const totals = db.collection<RollupDocument>('rollups').find({ grain: 'minute', dim: 'total' })
  for await (const document of totals)
    for (const row of fromDocument(document).rows.values())
      for (const [c, n] of row.entries()) sum[c] = (sum[c] ?? 0) + n
  return Object.fromEntries(COUNTERS.map((name, c) => [name, sum[c] ?? 0]))
}

async function agree(it: Pick<FreshDatabase, 'db'>, report: SeedReport): Promise<void> {
  const { people, pages } = await recount(it)
  expect(report).toMatchObject({ people, pages })
  expect(await counted(it)).toMatchObject({
    events: report.all.events,
    views: report.all.pageviews,
    sessions: report.all.visits,
    bounces: report.all.bounces,
    bots: report.all.events - report.people.events,
  })
  for (const name of ['events', 'sessions', 'rollups'] as const)
    expect(await it.db.collection(name).countDocuments()).toBe(report.stored[name])
}

describe('a history in a database', () => {
  let it: FreshDatabase
  beforeEach(async () => {
    it = await freshDatabase()
    await ensureCollections(it.db)
  })
  afterEach(() => it.drop())
  const make = (change: Partial<Site> = {}) =>
    addSite(it.db, { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC', ...change })
  const sow = (change: Partial<SeedParts> = {}) =>
    seed({ db: it.db, site: 'shop', events: 2_000, days: 2, now: Date.now(), ...change })
  const check = (began = Date.now()) => verify({ client: it.client, db: it.db, began })

  test('has its goals from its begin: by these it is counted from rollups', async () => {
    await make()
    const { from, to, goals } = await sow()
    const [site] = await listSites(it.db)
    if (!site) throw new Error('there is no site')
    const ask = async (shop: Site) => {
      const queries = createQueries({ ...it, clock: () => Date.now() })
      const dates = [from, new Date(Date.parse(to) - 1)].map(time => new Date(time).toISOString().slice(0, 10))
      const body = { site_id: 'shop', date_range: dates, metrics: ['events'], dimensions: ['event:goal'] }
      const answer = await queries.ask(body, shop, new AbortController().signal)
      if (!('results' in answer)) throw new Error(answer.detail)
      const counted = Object.fromEntries(answer.results.map(({ dimensions, metrics }) => [dimensions[0], metrics[0]]))
      return { source: answer.meta.source, counted }
    }
    const counted = Object.fromEntries(goals.filter(([, conversions]) => conversions > 0))
    expect(await ask(site)).toEqual({ source: 'rollups', counted })
    const later = site.goals?.map(({ carriedFrom: _, ...goal }): Goal => goal) ?? []
    expect(await ask({ ...site, goals: later })).toEqual({ source: 'events', counted })
  })

  test.each(['Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kathmandu'])(
    'of 20,000 events is what its totals say, and no fault is found: %s',
    async timezone => {
      // Around the zone's next change of the clock, where it has one: what is ahead does not expire meanwhile.
      const next = Temporal.Now.zonedDateTimeISO(timezone).getTimeZoneTransition('next')
      const now = (next?.epochMilliseconds ?? Date.now()) + 3 * DAY
      await make({ timezone, consent: 'cookieless', place: 'city' })
      const report = await sow({ events: 20_000, days: 4, now })
      expect(report).toMatchObject({ interrupted: false, all: { events: 20_000 }, stored: { events: 20_000 } })
      if (next) {
        const times = [report.from, next.toInstant().toString(), report.to]
        expect(times.toSorted((a, b) => +new Date(a) - +new Date(b))).toEqual(times)
      }
      await agree(it, report)
      expect(await check(now)).toMatchObject({ ok: true, found: [], checked: { ...report.stored, seen: 0 } })
    },
    120_000,
  )

  test('says the same for the same seed in another database', async () => {
    await make()
    const first = await sow()
    await it.drop()
    it = await freshDatabase()
    await ensureCollections(it.db)
    await make()
    const { seconds: _, ...second } = await sow()
    expect(first).toMatchObject(second)
  })

  test('without events has the same sessions and counters', async () => {
    await make()
    const report = await sow({ withoutEvents: true })
    expect(report).toMatchObject({ stored: { events: 0 }, all: { events: 2_000 } })
    expect(await it.db.collection('events').countDocuments()).toBe(0)
    expect(await counted(it)).toMatchObject({ events: 2_000, sessions: report.all.visits })
  })

  test('of long ago has no minutes that have expired', async () => {
    await make()
    const until = new Date(Date.now() - 33 * DAY).toISOString().slice(0, 10)
    const report = await sow({ days: 60, until })
    const oldest = async (grain: 'minute' | 'hour') =>
      +((await it.db.collection<RollupDocument>('rollups').find({ grain }).sort({ at: 1 }).limit(1).next())?.at ?? 0)
    expect(await oldest('minute')).toBeGreaterThan(Date.now() - 35 * DAY)
    // Hours are kept for longer.
    expect(await oldest('hour')).toBeLessThan(Date.now() - 80 * DAY)
    expect(report.stored.events).toBe(2_000)
    expect(await check()).toMatchObject({ ok: true, found: [] })
  })

  test('is refused where there is no such site, or where events are; with `add` it comes beside them, but not twice', async () => {
    await expect(sow()).rejects.toThrow(/^there is no site "shop": `livetag site list` shows them/)
    await make()
    const first = await sow()
    await expect(sow({ seed: 2 })).rejects.toThrow(/has events already: .* or say --add/)
    await expect(sow({ add: true })).rejects.toThrow(SeedError)
    await expect(sow({ add: true })).rejects.toThrow(/has this very history already: take another --seed/)
    expect(await it.db.collection('events').countDocuments()).toBe(2_000)
    const second = await sow({ seed: 2, add: true })
    // The lane of the first has rollups of these minutes.
    expect(second.lane).not.toBe(first.lane)
    expect(await counted(it)).toMatchObject({ events: 4_000, sessions: first.all.visits + second.all.visits })
    expect(await check()).toMatchObject({ ok: true, found: [] })
  })

  test('ended early is whole, and says so', async () => {
    await make()
    const stop = new AbortController()
    const report = await sow({
      signal: stop.signal,
      progress: made => made > 700 && stop.abort(),
    })
    expect(report.interrupted).toBe(true)
    expect(report.all.events).toBeLessThan(2_000)
    await agree(it, report)
    expect(await check()).toMatchObject({ ok: true, found: [] })
  })

  test('that breaks off says that it is not whole and how to remove it, and gives the lane back', async () => {
    await make()
    await it.db.command({ collMod: 'sessions', validator: { views: { $gt: 1 } }, validationLevel: 'strict' })
    const failure = await sow().catch((error: Error) => error)
    expect(String(failure)).toMatch(/HalfWritten.*\n.*is not whole\.\nTo remove it, .*\n +db\.events\.deleteMany/)
    expect(await lanes(it.db).countDocuments({ expires: { $gt: new Date() } })).toBe(0)
  })

  test('takes no lane in which pages wait', async () => {
    await make()
    await lanes(it.db).insertOne({
      _id: 0,
      holder: 'gone',
      epoch: 1,
      expires: new Date(0),
      sid: new UUID(),
      settled: 0,
    })
    await it.db.collection('journal').insertOne({ lane: 0, state: 'open', envelopes: [] })
    expect((await sow()).lane).toBe(1)
  })
})

test('beside a running collector, which goes on counting the same site right', async () => {
  const it = await startCollector()
  try {
    const count = async () => {
      const answer = await it.deliver([envelope([{}, { n: 'click' }], { k: `s${Math.random()}`.replace('.', '') })])
      expect(answer.accepted).toBe(2)
    }
    await count()
    await it.folded()
    let running = true
    const sending = (async () => {
      let sent = 2
      for (; running; sent += 2) await count()
      return sent
    })()
    const report = await seed({ db: it.db, site: 'shop', events: 4_000, days: 2, add: true, now: Date.now() })
    await count()
    running = false
    const sent = (await sending) + 2
    await it.folded()
    expect(await it.db.collection('events').countDocuments({ 'meta.site': 'shop' })).toBe(4_000 + sent)
    expect(await counted(it)).toMatchObject({
      events: 4_000 + sent,
      views: report.all.pageviews + sent / 2,
      sessions: report.all.visits + sent / 2,
    })
    const stats = (await (await it.ask('/api/v2/stats?site=shop&period=30d')).json()) as { totals: object }
    expect(stats.totals).toMatchObject({ events: 4_000 + sent, sessions: report.all.visits + sent / 2 })
    const found = await verify({ client: it.client, db: it.db, began: Date.now() })
    expect(found).toMatchObject({ ok: true, found: [] })
    // Its lane is free for the next collector, which counts on.
    expect(await lanes(it.db).findOne({ _id: report.lane })).toMatchObject({ settled: 1, expires: new Date(0) })
  } finally {
    await it.close()
  }
}, 60_000)
