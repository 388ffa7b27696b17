/** Random analyses against a naive recount; `QUERIES=2000 npx vitest run test/query/analyses.test.ts` asks more of them. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildBlocks } from '../../collector/columns/index.ts'
import { type Analysis, createQueries, type Queries } from '../../collector/query/index.ts'
import { carriedFrom, type Goal, readGoal } from '../../collector/sites/index.ts'
import { dayOf } from '../../collector/zone.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { startThreads } from '../fixtures/threads.ts'
import {
  type PlainBody,
  percent,
  plainAttribution,
  plainCtr,
  plainFunnel,
  plainJourneys,
  plainRetention,
} from './analyses-recount.ts'
import { makeEvents, NAMES, PATHS, type RecordedSite, record } from './recorded.ts'
import { type PlainEvent, type PlainGoal, withGoals } from './recount.ts'

const QUERIES = Number(process.env.QUERIES ?? 150)
const DAY = 86_400_000
const SITES: RecordedSite[] = [
  ['utc', 'UTC', '2026-10-22'],
  ['berlin', 'Europe/Berlin', '2026-10-23'],
  ['york', 'America/New_York', '2026-03-06'],
].map(([key = '', timezone = '', first = '']) => {
  const from = Date.parse(`${first}T00:00:00Z`)
  return { key, timezone, from, to: from + 5 * DAY }
})

/** Made later than most events came; of the first site some days are built with them. */
const GOALS: readonly PlainGoal[] = [
  { name: 'Signup', event: 'signup', value: { amount: '12.50', currency: 'EUR' } },
  { name: 'Order', page: '/shoes*', where: [{ property: 'plan', is: ['pro', '5'] }] },
  { name: 'ünï goal', event: 'click', where: [{ property: 'größe', compare: '>', to: 0 }] },
]
const goalsOf = ({ from, to }: RecordedSite): Goal[] =>
  GOALS.map((goal, i) => readGoal(goal, new Date(i === 1 ? from + 2.5 * DAY : to)))

let database: FreshDatabase
let queries: Queries
const recorded = new Map<string, PlainEvent[]>()
beforeAll(async () => {
  database = await freshDatabase()
  const { client, db } = database
  for (const [i, site] of SITES.entries()) recorded.set(site.key, oddly(makeEvents(site, 300 + i)))
  await db
    .collection<{ _id: string; timezone: string }>('sites')
    .insertMany(SITES.map(({ key, timezone }) => ({ _id: key, timezone })))
  const block = async (site: RecordedSite) => {
    const { key, timezone, from, to } = site
    for (let at = from; at < to; at = dayOf(at, timezone).end) {
      const { start, end } = dayOf(at, timezone)
      const goals = key === 'utc' && start < from + 2 * DAY ? goalsOf(site) : undefined
      await buildBlocks(db, { site: key, from: start, to: end, properties: ['plan'], goals }, 0, undefined, 60)
    }
  }
  // Of the first site all days are blocks that hold, of the second some do not, of the third there are none.
  let isBuilt = false
  await record(
    db,
    [...recorded.values()],
    key => SITES.find(site => site.key === key)?.timezone,
    async settled => {
      if (isBuilt || settled < 0.9) return
      isBuilt = true
      await block(SITES[1] as RecordedSite)
    },
  )
  await block(SITES[0] as RecordedSite)
  const last = Math.max(...SITES.map(({ to }) => to))
  queries = createQueries({ client, db, clock: () => last + 4 * DAY, threads })
})
afterAll(async () => {
  await threads.close()
  await database.drop()
})

const threads = startThreads()

/** Some happen in the same ms as another one of their session: not such that tell how it began or ended, which would be open. */
function oddly(events: PlainEvent[]): PlainEvent[] {
  const last = new Map<string, number>()
  const viewed = new Map<string, number>()
  for (const event of events) {
    const { session, name } = event
    if (session === undefined || event.consent === 'l') continue
    const before = last.get(session) ?? Number.NEGATIVE_INFINITY
    if (name !== 'pageview' && before > (viewed.get(session) ?? Number.POSITIVE_INFINITY)) event.ts = before
    else if (name === 'pageview') viewed.set(session, viewed.get(session) ?? event.ts)
    last.set(session, event.ts)
  }
  return events
}

const text = (ms: number) => new Date(ms).toISOString().replace('.000', '')
const leaf = fc.oneof(
  fc.tuple(fc.constant('is'), fc.constant('event:page'), fc.subarray(PATHS, { minLength: 1, maxLength: 3 })),
  fc.tuple(fc.constant('is'), fc.constant('event:name'), fc.subarray(NAMES, { minLength: 1, maxLength: 2 })),
  fc.tuple(fc.constant('is'), fc.constant('event:goal'), fc.subarray(['Signup', 'Order'], { minLength: 1 })),
  fc.tuple(fc.constant('contains'), fc.constant('event:page'), fc.constant(['shoes'])),
  fc.tuple(fc.constantFrom('is', 'is_not'), fc.constant('event:props:plan'), fc.constantFrom(['pro'], ['5', 'free'])),
)
const ofVisits = fc.oneof(
  fc.tuple(fc.constantFrom('is', 'is_not'), fc.constant('visit:source'), fc.constantFrom(['google.com'], ['direct'])),
  fc.tuple(fc.constant('is'), fc.constant('visit:device'), fc.constantFrom(['mobile'], ['desktop', '(none)'])),
  fc.tuple(fc.constantFrom('has_done', 'has_not_done'), leaf),
)
const steps = fc.array(fc.record({ filters: fc.array(leaf, { minLength: 1, maxLength: 1 }) }), {
  minLength: 2,
  maxLength: 4,
})
const ofKind: Record<Analysis, fc.Arbitrary<object>> = {
  funnel: fc.record(
    {
      steps,
      by: fc.constantFrom('session', 'visitor'),
      window_seconds: fc.constantFrom(1, 600, 3_600, 86_400, 3 * 86_400),
    },
    { requiredKeys: ['steps', 'by'] },
  ),
  attribution: fc.record({
    goal: fc.constantFrom('Signup', 'Order', 'ünï goal'),
    model: fc.constantFrom('last_click', 'first', 'linear', 'position', 'time_decay'),
    dimension: fc.constantFrom('visit:source', 'visit:utm_campaign', 'visit:channel', 'visit:country_name'),
    lookback_days: fc.constantFrom(0, 1, 3, 30),
    half_life_days: fc.constantFrom(0.5, 7),
  }),
  retention: fc.record({ period: fc.constantFrom('day', 'week', 'month') }),
  ctr: fc.record({
    dimension: fc.constantFrom('event:page', 'event:props:plan', 'event:hostname', 'event:props:odd'),
    impression: fc.constantFrom('pageview', 'signup'),
    click: fc.constantFrom('click', 'engagement', 'pageview'),
  }),
  journeys: fc.record({ page: fc.constantFrom(...PATHS), direction: fc.constantFrom('next', 'previous') }),
}
const one = fc
  .tuple(fc.constantFrom(...SITES), fc.constantFrom(...(Object.keys(ofKind) as Analysis[])))
  .chain(([site, analysis]) =>
    fc.record({
      site: fc.constant(site),
      hasGoals: fc.boolean(),
      analysis: fc.constant(analysis),
      body: fc
        .record({
          range: fc.tuple(fc.integer({ min: -20, max: 110 }), fc.integer({ min: 1, max: 130 })),
          filters: fc.array(analysis === 'retention' ? ofVisits : fc.oneof(ofVisits, leaf), { maxLength: 2 }),
          bots: fc.boolean(),
          own: ofKind[analysis],
        })
        .map(({ range: [hour, more], filters, bots, own }): PlainBody => {
          const begin = site.from + hour * 3_600_000
          return {
            date_range: [text(begin), text(begin + more * 3_600_000 - 1_000)],
            filters,
            include: { bots },
            ...own,
          }
        }),
    }),
  )

let counted = 0
const sources = new Map<string, number>()

test(`${QUERIES} random analyses are answered as a recount in plain JavaScript does`, {
  timeout: 1_800_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(one, async ({ site, hasGoals, analysis, body }) => {
      const { key, timezone } = site
      const goals = hasGoals ? goalsOf(site) : undefined
      const held = { key, timezone, domain: 'shop.example', consent: 'none' as const, ...(goals && { goals }) }
      const signal = new AbortController().signal
      const answer = await queries.analyze(analysis, { site_id: key, ...body }, held, signal)
      if ('code' in answer) throw new Error(`${answer.code}: ${answer.detail}`)
      const carried = recorded.get(key) ?? []
      compare(analysis, answer, goals ? withGoals(carried, GOALS, goals.map(carriedFrom)) : carried, timezone, body)
      sources.set(answer.meta.source, (sources.get(answer.meta.source) ?? 0) + 1)
    }),
    { numRuns: QUERIES, ...(process.env.SEED && { seed: Number(process.env.SEED) }) },
  )
  process.stderr.write(`${QUERIES} analyses, ${counted} figures that are not 0, all as recounted\n`)
  process.stderr.write(`${[...sources].map(([source, n]) => `${source} ${n}`).join(', ')}\n`)
  expect(counted).toBeGreaterThan(QUERIES)
  expect(sources.size).toBe(2)
})

// biome-ignore lint/suspicious/noExplicitAny: each kind has results of its own
function compare(analysis: Analysis, answer: any, all: PlainEvent[], zone: string, body: PlainBody): void {
  const { results, total } = answer
  const note = (...numbers: number[]) => {
    counted += numbers.filter(n => n !== 0).length
  }
  if (analysis === 'funnel') {
    const expected = plainFunnel(all, zone, body)
    note(...expected)
    expect(results.map(({ reached }: { reached: number }) => reached)).toEqual(expected)
    for (const [i, { of_first, of_previous, dropped, seconds }] of results.entries()) {
      const before = expected[i - 1] ?? expected[0] ?? 0
      expect([of_first, of_previous, dropped]).toEqual([
        percent(expected[i] ?? 0, expected[0] ?? 0),
        percent(expected[i] ?? 0, before),
        before - (expected[i] ?? 0),
      ])
      expect(seconds.median === null).toBe(i === 0 || expected[i] === 0)
      if (seconds.median !== null) expect(seconds.median).toBeLessThanOrEqual(Number(body.window_seconds ?? 1e9))
    }
  } else if (analysis === 'attribution') {
    const expected = plainAttribution(all, zone, body)
    const shown = new Map(results.map((row: { value: string; conversions: number }) => [row.value, row.conversions]))
    expect([...shown.keys()].sort()).toEqual([...expected.keys()].sort())
    for (const [value, [conversions]] of expected) {
      note(conversions)
      expect(shown.get(value)).toBeCloseTo(conversions, 3)
    }
    const sum = [...expected.values()].reduce((n, [conversions]) => n + conversions, 0)
    expect(total.conversions).toBe(Math.round(sum))
  } else if (analysis === 'retention') {
    const labels = results.map(({ label }: { label: string }) => label)
    const expected = plainRetention(all, zone, body, labels)
    note(...[...expected.values()].flat())
    expect(new Map(results.map((row: { label: string; returned: number[] }) => [row.label, row.returned]))).toEqual(
      expected,
    )
  } else if (analysis === 'ctr') {
    const expected = plainCtr(all, zone, body)
    note(...[...expected.values()].flat())
    const shown = results.map((row: Record<string, number | string>) => [
      row.value,
      [row.impressions, row.clicks, row.viewers, row.clickers],
    ])
    expect(new Map(shown)).toEqual(expected)
  } else {
    const expected = plainJourneys(all, zone, body)
    note(...expected.values())
    expect(new Map(results.map((row: { page: string; views: number }) => [row.page, row.views]))).toEqual(expected)
    expect(total.views).toBe([...expected.values()].reduce((n, views) => n + views, 0))
  }
}
