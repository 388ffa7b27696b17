/** Declared properties: what hours answer of them, and what they leave to the scan, with the same answer. */
import fc from 'fast-check'
import { UUID } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HOUR_COUNTERS, OTHER, propertyText } from '../../collector/journal/index.ts'
import { eventText } from '../../collector/query/expressions.ts'
import { createHours } from '../../collector/query/hours.ts'
import { createQueries, type Queries, type QueryAnswer } from '../../collector/query/index.ts'
import { packRows } from '../../collector/rollup/columns.ts'
import { createCloser, createFolder, type RollupDocument } from '../../collector/rollup/index.ts'
import type { Site } from '../../collector/sites/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { record } from './recorded.ts'
import type { PlainEvent } from './recount.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const FIRST = Date.parse('2026-10-23T00:00:00Z')
const NOW = FIRST + 7.5 * DAY
/** `plan` from the first event on, `size` from the third day on. */
const PROPERTIES = [
  { name: 'plan', since: new Date(FIRST) },
  { name: 'size', since: new Date(FIRST + 2 * DAY) },
]
const SITE: Site = { key: 'shop', timezone: 'UTC', domain: 'shop.example', consent: 'none', properties: PROPERTIES }
const EVENT = { host: '', path: '/', ref: '', source: 'direct', channel: 'direct', device: '', browser: '', os: '' }

/** An event every half an hour of five days; each tenth is a bot's, each third has no property. */
const events = (site: string, change: (n: number) => Partial<PlainEvent> = () => ({})): PlainEvent[] =>
  Array.from({ length: 5 * 48 }, (_, n) => {
    const ts = FIRST + (n * HOUR) / 2
    const declared = PROPERTIES.filter(({ since }) => +since <= ts).map(({ name }) => name)
    const props = n % 3 === 0 ? undefined : { plan: ['pro', 'free', 7][n % 4] ?? null, size: n % 5 }
    const own = { ts, name: n % 2 ? 'pageview' : 'signup', session: `${site}${n % 40}`, consent: 'x' as const }
    const bot = n % 10 === 0 ? 'Googlebot' : undefined
    return { ...EVENT, site, id: `${site}${n}`, ...own, bot, props, declared, ...change(n) }
  })

let database: FreshDatabase
let quick: Queries
let slow: Queries
beforeAll(async () => {
  database = await freshDatabase()
  const { client, db } = database
  const long = { plan: 'x'.repeat(201), size: 1 }
  const stale = (n: number) => (n === 151 ? { declared: ['size'] } : {})
  await record(
    db,
    [
      events('shop'),
      // One that a collector took which did not know yet.
      events('stale', stale),
      events('long', n => (n === 150 ? { props: long, bot: undefined } : {})),
    ],
    () => 'UTC',
  )
  const clock = () => NOW
  quick = createQueries({ client, db, clock, engines: [createHours(db, clock)] })
  slow = createQueries({ client, db, clock, engines: [] })
})
afterAll(() => database.drop())

const put = async (queries: Queries, query: object, site: Site): Promise<QueryAnswer> => {
  const body = {
    site_id: site.key,
    metrics: ['events', 'pageviews'],
    date_range: ['2026-10-25', '2026-10-27'],
    ...query,
  }
  const answer = await queries.ask(body, site, AbortSignal.timeout(20_000))
  if ('code' in answer) throw new Error(answer.detail)
  return answer
}
/** Where the answer comes from, and that it is the scan's. */
const sourceOf = async (query: object, site = SITE): Promise<string> => {
  const answer = await put(quick, query, site)
  const { results } = await put(slow, query, site)
  expect(answer.results).toEqual(results)
  return answer.meta.source
}
const BY_PLAN = { dimensions: ['event:props:plan'] }
const BY_SIZE = { dimensions: ['event:props:size'] }

describe('hours answer', () => {
  test('values of a property, and what has none, without bots', async () => {
    expect(await sourceOf(BY_PLAN)).toBe('rollups')
    const { results } = await put(quick, { ...BY_PLAN, date_range: ['2026-10-23', '2026-10-27'] }, SITE)
    const all = events('shop').filter(({ bot }) => bot === undefined)
    const count = (of: (event: PlainEvent) => boolean) => all.filter(of).length
    expect(Object.fromEntries(results.map(({ dimensions: [name], metrics: [n] }) => [name, n]))).toEqual({
      pro: count(({ props }) => props?.plan === 'pro'),
      free: count(({ props }) => props?.plan === 'free'),
      7: count(({ props }) => props?.plan === 7),
      '(none)': count(({ props }) => (props?.plan ?? null) === null),
    })
  })

  test.each<[string, object]>([
    ['days of it', { dimensions: ['event:props:plan', 'time:day'] }],
    ['hours of it', { dimensions: ['time:hour', 'event:props:plan'], date_range: ['2026-10-25', '2026-10-25'] }],
    ['a filter', { filters: [['is', 'event:props:plan', ['pro', '7']]] }],
    ['the absence of it', { filters: [['is', 'event:props:plan', ['(none)']]] }],
    ['patterns, in its own values', { ...BY_PLAN, filters: [['matches_not', 'event:props:plan', ['^p']]] }],
    ['a page of the rows', { ...BY_PLAN, pagination: { limit: 1, offset: 1 }, include: { total_rows: true } }],
    ['what was declared later, from then on', BY_SIZE],
    [
      'a comparison',
      { ...BY_PLAN, date_range: ['2026-10-26', '2026-10-27'], include: { comparisons: { mode: 'previous_period' } } },
    ],
  ])('%s', async (_, query) => {
    expect(await sourceOf(query)).toBe('rollups')
  })

  test('a range without events from before it was declared', async () => {
    expect(await sourceOf({ ...BY_PLAN, date_range: ['2026-10-01', '2026-10-27'] })).toBe('rollups')
  })
})

describe('hours leave to the scan', () => {
  test.each<[string, object]>([
    ['a property that is not declared', { dimensions: ['event:props:color'] }],
    ['two properties', { dimensions: ['event:props:plan', 'event:props:size'] }],
    ['a property and a name', { ...BY_PLAN, filters: [['is', 'event:name', ['signup']]] }],
    ['visitors', { ...BY_PLAN, metrics: ['visitors', 'events'] }],
    ['bots and all others', { ...BY_PLAN, include: { bots: true } }],
    ['a range that begins before it was declared', { ...BY_SIZE, date_range: ['2026-10-24', '2026-10-27'] }],
  ])('%s', async (_, query) => {
    expect(await sourceOf(query)).toBe('events')
  })

  test('a range in which a collector did not know of it yet, even if only by one event', async () => {
    const site = { ...SITE, key: 'stale' }
    expect(await sourceOf(BY_PLAN, site)).toBe('events')
    expect(await sourceOf(BY_SIZE, site)).toBe('rollups')
    expect(await sourceOf({ ...BY_PLAN, date_range: ['2026-10-27', '2026-10-27'] }, site)).toBe('rollups')
  })

  test('hours that had more values than they hold, of this property alone', async () => {
    const rollups = database.db.collection<RollupDocument>('rollups')
    const held = await rollups.findOne({ site: 'shop', grain: 'hour', dim: 'property', at: new Date(FIRST + 3 * DAY) })
    if (!held) throw new Error('nothing is folded')
    const row = HOUR_COUNTERS.map((_, c) => (c === 0 ? 1 : 0))
    const lumped = ['plan.(other)', 'size.0']
    const change = { values: lumped, counters: packRows([row, row], HOUR_COUNTERS.length) }
    await rollups.updateOne({ _id: held._id }, { $set: change })
    expect(await sourceOf(BY_PLAN)).toBe('events')
    expect(await sourceOf({ filters: [['is', 'event:props:plan', ['pro']]] })).toBe('events')
    await rollups.updateOne({ _id: held._id }, { $set: { values: held.values, counters: held.counters } })
    expect(await sourceOf(BY_PLAN)).toBe('rollups')
  })

  test('a text that is too long, also once the day is closed; the other property is answered', async () => {
    const site = { ...SITE, key: 'long' }
    expect(await sourceOf(BY_PLAN, site)).toBe('events')
    expect(await sourceOf(BY_SIZE, site)).toBe('rollups')
    const { db } = database
    await db.collection<{ _id: string }>('sites').insertOne({ _id: 'long', timezone: 'UTC' } as never)
    const folder = createFolder(db, {
      id: 0,
      holder: 'me',
      sid: new UUID(),
      epoch: 1,
      settled: 0,
    })
    while ((await folder.fold()) > 0);
    const closed = await createCloser({ db, now: () => NOW, pace: { every: 0, first: 0, later: 0 } })()
    expect(closed).toBeGreaterThan(4)
    expect(await db.collection('rollups').countDocuments({ site: 'long', grain: 'day', dim: 'property' })).toBe(5)
    // What hours hold does not matter any more.
    await db.collection('rollups').deleteMany({ site: 'long', grain: 'hour', dim: 'property' })
    expect(await sourceOf(BY_SIZE, site)).toBe('rollups')
    expect(await sourceOf(BY_PLAN, site)).toBe('events')
    expect(await sourceOf({ ...BY_PLAN, date_range: ['2026-10-27', '2026-10-27'] }, site)).toBe('rollups')
  })
})

test('a text is what mongod makes of the value, or is left to it', async () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constantFrom(null, [1], { a: 1 }, -0, 0.1 + 0.2, 8.2, 49.9, 1e21, 1e-7, 0.000123, 5_000_000_001, 2 ** 53),
    fc.double({ noNaN: true }),
    fc.tuple(fc.integer(), fc.integer({ min: 0, max: 6 })).map(([n, digits]) => n / 10 ** digits),
  )
  const values = fc.sample(value, { numRuns: 3_000, seed: 5 }).filter(one => typeof one !== 'string' || !/\0/.test(one))
  const documents = [...values.map(value => ({ props: { value } })), { props: {} }, {}]
  const stages = [{ $documents: { $literal: documents } }, { $project: { text: eventText('event:props:value') } }]
  const texts = await database.db.aggregate<{ text: string }>(stages).toArray()
  let own = 0
  for (const [i, { props }] of (documents as { props?: Record<string, unknown> }[]).entries()) {
    const text = propertyText(props, 'value')
    if (text !== OTHER) own++
    expect([props?.value, text === OTHER ? texts[i]?.text : text]).toEqual([props?.value, texts[i]?.text])
  }
  expect(own).toBeGreaterThan(documents.length / 2)
  expect(propertyText({}, 'constructor')).toBe('(none)')
  for (const price of [49.9, 8.2, 1_234_567.5, 5_000_000_001]) expect(propertyText({ price }, 'price')).toBe(`${price}`)
})
