import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  HOUR_DIMENSIONS,
  type HourDimension,
  type JournalEvent,
  type StoredPage,
  toStored,
} from '../../collector/journal/index.ts'
import { createFolder, readHours } from '../../collector/rollup/index.ts'
import { settleBatch } from '../../collector/settle/batch.ts'
import type { Fence } from '../../collector/settle/fence.ts'
import { type Lane, leaseLane, raiseFence } from '../../collector/settle/index.ts'
import { addSite } from '../../collector/sites/index.ts'
import { ensureCollections } from '../../collector/store/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent, openPage } from '../fixtures/events.ts'

const MINUTE = 60_000
/** Zones, and a moment at which something may happen to their hours: a change of the clock, in some by half an hour. */
const ZONES: [zone: string, moment: string][] = [
  ['UTC', '2026-03-01T23:30:00Z'],
  ['Asia/Kolkata', '2026-03-01T18:40:00Z'],
  ['Asia/Kathmandu', '2026-03-01T18:20:00Z'],
  ['Europe/Berlin', '2026-03-29T00:40:00Z'],
  ['Europe/Berlin', '2026-10-25T00:40:00Z'],
  ['America/St_Johns', '2026-11-01T04:10:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T14:40:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:10:00Z'],
]

let database: FreshDatabase
let lanes: { lane: Lane; fence: Fence }[]
beforeAll(async () => {
  database = await freshDatabase()
  const { db } = database
  await ensureCollections(db)
  for (const [i, [timezone]] of ZONES.entries())
    await addSite(db, { key: `zone${i}`, domain: 'shop.example', consent: 'none', timezone })
  lanes = []
  for (const name of ['one', 'two']) {
    const lane = await leaseLane(db, name)
    lanes.push({ lane, fence: await raiseFence(db, lane) })
  }
})
afterAll(() => database.drop())

const maybe = <T>(...values: T[]) => fc.constantFrom(undefined, ...values)
/** Sessions of devices, days of cookieless visitors, and none. */
const WHO = [
  { session: 's1', visitor: 'v1', consent: 'g' },
  { session: 's2', visitor: 'v1', consent: 'g' },
  { session: 's3', consent: 'x' },
  { session: '~a', visitor: '~a', consent: 'l' },
  { session: '~b', visitor: '~b', consent: 'l' },
  { consent: 'x' },
] as const

/** What an event may have of each attribute; also nothing. */
const attributes = fc.record({
  path: fc.constantFrom('/', '/a', '/b', ''),
  host: fc.constantFrom('shop.example', 'blog.example', ''),
  ref: fc.constantFrom('', 'https://news.example/a'),
  source: fc.constantFrom('direct', 'news'),
  channel: fc.constantFrom('direct', 'referral'),
  utm: maybe('news'),
  medium: maybe('cpc', 'email'),
  campaign: maybe('spring'),
  term: maybe('shoes'),
  content: maybe('top'),
  language: maybe('de', 'en-GB'),
  width: maybe(0, 320, 575, 576, 991, 992, 1439, 1440, 3000),
  device: fc.constantFrom('', 'mobile', 'desktop'),
  browser: fc.constantFrom('', 'Firefox'),
  version: maybe('147'),
  os: fc.constantFrom('', 'Linux'),
  country: maybe('DE', 'US'),
  region: maybe('DE-BY'),
  city: maybe('London'),
})

interface Drawn {
  who: number
  minute: number
  name: string
  ms: number
  bot: string | undefined
  goals: string[] | undefined
  declared: string[] | undefined
  plan: unknown
  money: [number, string] | undefined
  attributes: Partial<JournalEvent>
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  who: fc.nat({ max: WHO.length - 1 }),
  minute: fc.integer({ min: -200, max: 200 }),
  name: fc.constantFrom('pageview', 'pageview', 'click', 'engagement'),
  ms: fc.constantFrom(0, 1, 12_345, 86_400_000, 86_400_001),
  bot: fc.constantFrom(undefined, undefined, undefined, undefined, 'curl', 'bot'),
  goals: maybe(['Order'], ['Order', 'a goal'], ['a goal']),
  declared: maybe(['plan'], ['plan', 'a key'], ['plan', 'ms']),
  plan: maybe<unknown>('pro', 'a.b', '', null, 5, 0.5, true, ['x'], 'x'.repeat(201), 1e21),
  money: maybe<[number, string]>([4_900, 'EUR'], [-5, 'EUR'], [0, 'JPY'], [1e12, 'JPY']),
  attributes,
})

/** Events in the order in which they arrive, cut into pages that are taken by two lanes, some folded at once. */
const scenario = fc.record({
  place: fc.nat({ max: ZONES.length - 1 }),
  events: fc.array(drawn, { minLength: 1, maxLength: 40 }),
  size: fc.integer({ min: 1, max: 10 }),
  lanes: fc.array(fc.nat({ max: 1 }), { minLength: 40, maxLength: 40 }),
  folded: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
})

type Sums = Record<string, number[]>
const add = (sums: Sums, key: string, change: number[]): void => {
  sums[key] = change.map((n, c) => n + (sums[key]?.[c] ?? 0))
}
const withoutZeros = (sums: Sums): Sums =>
  Object.fromEntries(Object.entries(sums).filter(([, row]) => row.some(n => n !== 0)))

/** Where the hour of the clock on the wall began, found by going back minute by minute. */
function hourOf(ts: number, zone: string): number {
  const clock = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'long',
    hourCycle: 'h23',
  })
  const hour = (at: number) => clock.format(at).replace(/:\d\d:\d\d/, '')
  let at = Math.floor(ts / MINUTE) * MINUTE
  while (hour(at - MINUTE) === hour(ts)) at -= MINUTE
  return at
}

/** Counts anew from the events alone, in the plainest way. */
function recount(events: JournalEvent[], zone: string): Sums {
  const sums: Sums = {}
  const hours = new Map<number, number>()
  const at = (ts: Date): number => {
    const minute = Math.floor(+ts / MINUTE)
    const known = hours.get(minute) ?? hourOf(+ts, zone)
    hours.set(minute, known)
    return known
  }
  for (const {
    ts,
    name,
    path,
    host,
    consent,
    bot,
    goals = [],
    revenue = 0,
    currency,
    declared = [],
    props,
  } of events) {
    const row = [1, name === 'pageview' ? 1 : 0, 0, 0, 0, 0, 0, 0]
    const values = bot === undefined ? { total: '', name, page: path, host, consent } : { bot }
    for (const [dim, value] of Object.entries(values))
      add(sums, `${dim} ${at(ts)} ${value || (dim === 'total' ? '' : '(none)')}`, row)
    if (bot !== undefined) continue
    for (const goal of goals) add(sums, `goal ${at(ts)} ${goal}`, row)
    for (const one of declared) {
      const value = props?.[one] ?? '(none)'
      const isPlain = typeof value !== 'object' && String(value).length <= 200 && value !== 1e21
      const text = typeof value === 'object' ? '(object)' : isPlain ? value : '(other)'
      add(sums, `property ${at(ts)} ${one}.${text}`, row)
    }
    for (const goal of currency ? ['', ...goals] : [])
      add(sums, `revenue ${at(ts)} ${currency} ${goal}`, row.with(7, revenue))
  }
  for (const session of new Set(events.map(event => event.session))) {
    if (session === undefined) continue
    const own = events.filter(event => event.session === session).sort((a, b) => +a.ts - +b.ts)
    const views = own.filter(({ name }) => name === 'pageview')
    const first = views[0] ?? own[0]
    const exit = (views.at(-1) ?? own.at(-1))?.path
    if (!first || first.bot !== undefined) continue
    const { path: entry, width, ...has } = first
    const screen = !width ? '' : width < 576 ? 'mobile' : width < 992 ? 'tablet' : width < 1440 ? 'laptop' : 'desktop'
    const visits: JournalEvent[][] = [[]]
    for (const event of own) {
      const visit = visits.at(-1) ?? []
      const last = visit.at(-1)
      if (first.consent === 'l' && last && +event.ts - +last.ts > 30 * MINUTE) visits.push([event])
      else visit.push(event)
    }
    for (const visit of visits) {
      const [start, end] = [visit[0]?.ts ?? new Date(0), visit.at(-1)?.ts ?? new Date(0)]
      const seen = visit.filter(({ name }) => name === 'pageview').length
      const engaged = visit
        .filter(({ name }) => name === 'engagement')
        .map(({ props }) => Number(props?.ms))
        .filter(ms => ms <= 86_400_000)
      const conversions = visit.flatMap(({ goals = [] }) => goals).length
      const row = [
        visit.length,
        seen,
        1,
        seen > 1 ? 0 : 1,
        +end - +start,
        engaged.reduce((a, b) => a + b, 0),
        conversions,
        0,
      ]
      add(sums, `visits ${at(start)} `, row)
      const all: Record<string, unknown> = { ...has, entry, exit, screen }
      for (const dim of HOUR_DIMENSIONS.slice(HOUR_DIMENSIONS.indexOf('entry')))
        add(sums, `${dim} ${at(start)} ${all[dim] || '(none)'}`, row)
    }
  }
  return withoutZeros(sums)
}

async function read(site: string, dims: readonly HourDimension[] = HOUR_DIMENSIONS): Promise<Sums> {
  const range = { site, dims, from: 0, to: 4e12 }
  const hours = await database.client.withSession({ snapshot: true }, session => readHours(database.db, range, session))
  const sums: Sums = {}
  for (const [dim, byHour] of hours)
    for (const [at, rows] of byHour) for (const [value, row] of rows) add(sums, `${dim} ${at} ${value}`, row)
  return sums
}

const forget = (): Promise<unknown> =>
  Promise.all(['journal', 'sessions', 'rollups', 'seen'].map(name => database.db.collection(name).deleteMany({})))

test('hours are a plain recount, whatever the zone, the order of arrival, the pages, lanes and what is folded', async () => {
  const { db } = database
  let run = 0
  await fc.assert(
    fc.asyncProperty(scenario, async ({ place, events: all, size, lanes: taken, folded }) => {
      await forget()
      const [zone = '', moment = ''] = ZONES[place] ?? []
      const site = `zone${place}`
      run++
      // Each at a moment of its own: events of the same ms have no order.
      const events = all.map(({ who, minute, name, ms, bot, goals, declared, plan, money, attributes }, i) =>
        journalEvent({
          id: `r${run}e${i}`,
          site,
          name,
          ts: new Date(Date.parse(moment) + minute * MINUTE + i),
          bot,
          props: { ms, plan },
          goals,
          declared,
          ...(money && { revenue: money[0], currency: money[1] }),
          ...attributes,
          ...WHO[who],
        }),
      )
      for (let i = 0; i * size < events.length; i++) {
        const { lane, fence } = lanes[taken[i] ?? 0] as (typeof lanes)[number]
        const page = openPage(events.slice(i * size, (i + 1) * size), { lane: lane.id, epoch: lane.epoch })
        await db.collection<StoredPage>('journal').insertOne(toStored(page))
        await settleBatch({ db, lane, fence, pages: [page] })
        if (folded[i]) await createFolder(db, lane).fold()
      }
      const expected = recount(events, zone)
      expect(await read(site)).toEqual(expected)
      for (const { lane } of lanes) while ((await createFolder(db, lane).fold()) > 0);
      expect(await read(site)).toEqual(expected)
    }),
    { numRuns: Number(process.env.RUNS ?? 25) },
  )
}, 180_000)

const settle = async (...events: JournalEvent[]): Promise<void> => {
  const { lane, fence } = lanes[0] as (typeof lanes)[number]
  const page = openPage(events, { lane: lane.id, epoch: lane.epoch })
  await database.db.collection<StoredPage>('journal').insertOne(toStored(page))
  await settleBatch({ db: database.db, lane, fence, pages: [page] })
}

test('a session of before hours were counted is in them as a whole from its next change on, and once', async () => {
  await forget()
  const event = (n: number) =>
    journalEvent({ id: `old${n}`, site: 'zone0', session: 'old', ts: new Date(7_200_000 + n), source: 'news' })
  await settle(event(1))
  // As a collector of before has left them.
  await database.db.collection('sessions').updateMany({}, { $unset: { host: 1, channel: 1, browser: 1 } })
  await database.db.collection('journal').deleteMany({})
  await settle(event(2))
  await settle(event(3))
  const sums = await read('zone0', ['visits', 'entry', 'source', 'channel'])
  const row = [3, 3, 1, 0, 2, 0, 0, 0]
  expect(sums).toEqual({
    'visits 7200000 ': row,
    'entry 7200000 /shoes': row,
    'source 7200000 news': row,
    'channel 7200000 (none)': row,
  })
})

test('where a zone was changed, what sessions add up to stays right', async () => {
  await forget()
  const sites = database.db.collection<{ _id: string }>('sites')
  const move = (timezone: string) => sites.updateOne({ _id: 'zone0' }, { $set: { timezone } })
  const event = (n: number) =>
    journalEvent({ id: `moved${n}`, site: 'zone0', session: 'm', ts: new Date(7_200_000 + n) })
  await settle(event(1))
  await move('Asia/Kolkata')
  await settle(event(2))
  const sums = await read('zone0', ['visits', 'total'])
  expect(sums).toEqual({
    'total 7200000 ': [1, 1, 0, 0, 0, 0, 0, 0],
    'total 5400000 ': [1, 1, 0, 0, 0, 0, 0, 0],
    'visits 7200000 ': [1, 1, 1, 1, 0, 0, 0, 0],
    'visits 5400000 ': [1, 1, 0, -1, 1, 0, 0, 0],
  })
  await move('UTC')
})

test('past 10,000 values of an hour new ones are (other), and what is late finds its row', async () => {
  await forget()
  const at = new Date(7_200_000)
  for (let page = 0; page < 24; page++) {
    const events = Array.from({ length: 500 }, (_, i) =>
      journalEvent({ id: `many${page}.${i}`, site: 'zone0', ts: at, path: `/${page * 500 + i}` }),
    )
    await settle(...events)
  }
  const { lane } = lanes[0] as (typeof lanes)[number]
  while ((await createFolder(database.db, lane).fold()) > 0);
  await settle(journalEvent({ id: 'late', site: 'zone0', ts: at, path: '/3', name: 'click' }))
  while ((await createFolder(database.db, lane).fold()) > 0);
  const sums = await read('zone0', ['page'])
  expect(Object.keys(sums)).toHaveLength(10_001)
  expect(sums['page 7200000 (other)']).toEqual([2_000, 2_000, 0, 0, 0, 0, 0, 0])
  expect(sums['page 7200000 /3']).toEqual([2, 1, 0, 0, 0, 0, 0, 0])
}, 60_000)
