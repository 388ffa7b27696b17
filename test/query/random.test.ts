/**
 * Random queries against a naive recount. `QUERIES=2000 npx vitest run test/query/random.test.ts` asks more of them; a failure
 * prints the query.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createQueries, type Queries } from '../../collector/query/index.ts'
import { openSession } from '../../collector/settle/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { journalEvent } from '../fixtures/events.ts'
import { makeEvents, NAMES, PATHS, type RecordedSite, record } from './recorded.ts'
import { type PlainEvent, type PlainQuery, recount, VISIT } from './recount.ts'

const QUERIES = Number(process.env.QUERIES ?? 200)
const NOW = Date.parse('2026-11-10T12:00:00Z')
const HOUR = 3_600_000

/** Each around a change of its clocks, where it has one. */
const SITES: RecordedSite[] = [
  ['utc', 'UTC', '2026-10-22'],
  ['berlin', 'Europe/Berlin', '2026-10-23'],
  ['york', 'America/New_York', '2026-03-06'],
  ['sao', 'America/Sao_Paulo', '2018-11-02'],
  ['nepal', 'Asia/Kathmandu', '2026-10-28'],
].map(([key = '', timezone = '', first = '']) => {
  const from = Date.parse(`${first}T00:00:00Z`)
  return { key, timezone, from, to: from + 5 * 24 * HOUR }
})

let database: FreshDatabase
let queries: Queries
const recorded = new Map<string, PlainEvent[]>()
beforeAll(async () => {
  database = await freshDatabase()
  const { client, db } = database
  for (const [i, site] of SITES.entries()) recorded.set(site.key, makeEvents(site, 100 + i))
  await record(db, [...recorded.values()])
  queries = createQueries({ client, db, clock: () => NOW })
})
afterAll(() => database.drop())

const session = openSession(journalEvent({ id: 'x', session: 's' }), 's')
/** Fields that sessions do not have (yet) are `(none)` in every answer. */
const ALWAYS = ['entry', 'exit', 'source', 'device', 'browser', 'os']
const isKept = (field: string) => ALWAYS.includes(field) || 'channel' in session

const VISIT_DIMENSIONS = Object.keys(VISIT)
const EVENT_DIMENSIONS = [
  'event:name',
  'event:page',
  'event:hostname',
  'event:consent',
  'event:props:plan',
  'event:props:a key',
]
const TIMES = ['time:minute', 'time:hour', 'time:day', 'time:week', 'time:month']
const METRICS = [
  'visitors',
  'visits',
  'pageviews',
  'events',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'percentage',
]
const OF_VISITS = ['views_per_visit', 'bounce_rate', 'visit_duration']

const text = fc.constantFrom(
  ...PATHS,
  ...NAMES,
  ...['shop.example', 'google.com', 'direct', '(none)', 'pro', '5', '0.5', 'true', 'x', 'l', 'mobile', 'Linux'],
  ...['SHOES', 'o', 'e', 'Ü', '.', 'email'],
)
const values = fc.array(text, { minLength: 1, maxLength: 3 })
const leaf = (names: string[]) =>
  fc.oneof(
    fc.tuple(fc.constantFrom('is', 'is_not', 'contains', 'contains_not'), fc.constantFrom(...names), values),
    fc.tuple(
      fc.constantFrom('is', 'is_not', 'contains', 'contains_not'),
      fc.constantFrom(...names),
      values,
      fc.record({ case_sensitive: fc.boolean() }),
    ),
    fc.tuple(
      fc.constantFrom('matches', 'matches_not'),
      fc.constantFrom(...names),
      fc.array(fc.constantFrom('^/s', 'e$', '^(click|signup)$', '[aeiou]{2}', '.', '^$'), {
        minLength: 1,
        maxLength: 2,
      }),
    ),
    fc.tuple(
      fc.constantFrom('matches_wildcard', 'matches_wildcard_not'),
      fc.constantFrom(...names),
      fc.array(fc.constantFrom('/shoes*', '*e', '/blog/*.b', '*', '**o*'), { minLength: 1, maxLength: 2 }),
    ),
  )
const treeOf = (names: string[], hasDone: boolean) =>
  fc.letrec<{ tree: unknown }>(tie => ({
    tree: fc.oneof(
      { maxDepth: 2, depthIdentifier: names.join() },
      leaf(names),
      fc.tuple(fc.constantFrom('and', 'or'), fc.array(tie('tree'), { minLength: 1, maxLength: 2 })),
      fc.tuple(fc.constant('not'), tie('tree')),
      ...(hasDone ? [fc.tuple(fc.constantFrom('has_done', 'has_not_done'), leaf(EVENT_DIMENSIONS))] : []),
    ),
  })).tree

/** Visits only, events only, both, nothing: each kind of question often enough. */
const KINDS: string[][] = [[], VISIT_DIMENSIONS, EVENT_DIMENSIONS, [...VISIT_DIMENSIONS, ...EVENT_DIMENSIONS]]

const rangeIn = ({ from }: RecordedSite) =>
  fc.oneof(
    fc.tuple(fc.integer({ min: -1, max: 5 }), fc.integer({ min: 0, max: 6 })).map(([first, more]) => {
      const date = (day: number) => new Date(from + day * 24 * HOUR).toISOString().slice(0, 10)
      return [date(first), date(first + more)] as [string, string]
    }),
    fc
      .tuple(fc.integer({ min: -60, max: 7_000 }), fc.integer({ min: 1, max: 4_000 }), fc.constantFrom(0, 1, 17))
      .map(([minute, more, second]) => {
        const time = (ms: number) => new Date(ms).toISOString().replace('.000', '')
        const begin = from + minute * 60_000 + second * 1_000
        return [time(begin), time(begin + more * 60_000 - 1_000)] as [string, string]
      }),
  )

const query = fc.constantFrom(...SITES).chain(site =>
  fc.constantFrom<string[]>(...KINDS, []).chain(names =>
    fc
      .record({
        metrics: fc.oneof(
          { weight: 4, arbitrary: fc.uniqueArray(fc.constantFrom(...METRICS), { minLength: 1, maxLength: 8 }) },
          { weight: 1, arbitrary: fc.constantFrom<string[]>(['events'], ['pageviews', 'events']) },
        ),
        date_range: rangeIn(site),
        values:
          names.length > 0 ? fc.uniqueArray(fc.constantFrom(...names), { maxLength: 2 }) : fc.constant<string[]>([]),
        bot: fc.integer({ min: 0, max: 15 }),
        time: fc.option(fc.constantFrom(...TIMES)),
        timeFirst: fc.boolean(),
        filters: names.length > 0 ? fc.array(treeOf(names, true), { maxLength: 2 }) : fc.constant([]),
        order: fc.option(fc.array(fc.tuple(fc.nat(), fc.constantFrom('asc', 'desc')), { minLength: 1, maxLength: 3 })),
        pagination: fc.oneof(
          fc.constant({ limit: 10_000, offset: 0 }),
          fc.record({ limit: fc.integer({ min: 1, max: 12 }), offset: fc.integer({ min: 0, max: 12 }) }),
        ),
        include: fc.record({ bots: fc.boolean(), total_rows: fc.boolean() }),
      })
      .map(({ values: some, time, timeFirst, bot, order, metrics: asked, ...rest }) => {
        const attributes: string[] = bot === 0 && names.length > 0 ? ['event:bot', ...some] : some
        const dimensions: string[] = time ? (timeFirst ? [time, ...attributes] : [...attributes, time]) : attributes
        const isRefused = (metric: string) =>
          (metric === 'percentage' && dimensions.length === 0) ||
          (OF_VISITS.includes(metric) && dimensions.some(name => name.startsWith('event:')))
        const left = asked.filter(metric => !isRefused(metric))
        const metrics = left.length > 0 ? left : ['visitors']
        const known = [...metrics, ...dimensions]
        const order_by = order?.map(([n, direction]) => [known[n % known.length], direction] as [string, string])
        return { site, query: { ...rest, metrics, dimensions, ...(order_by && { order_by }) } as PlainQuery }
      }),
  ),
)

const made = new Map<string, number>()

test(`${QUERIES} random queries are answered as a recount in plain JavaScript does`, {
  timeout: 1_800_000,
}, async () => {
  let asked = 0
  let rows = 0
  await fc.assert(
    fc.asyncProperty(query, async ({ site, query: one }) => {
      const domain = 'shop.example'
      const held = { key: site.key, timezone: site.timezone, domain, consent: 'none' as const }
      const answer = await queries.ask({ site_id: site.key, ...one }, held, new AbortController().signal)
      if ('code' in answer) throw new Error(`${answer.code}: ${answer.detail}`)
      const expected = recount(recorded.get(site.key) ?? [], site.timezone, one, isKept)
      expect(answer.results).toEqual(expected.results)
      if (one.include.total_rows) expect(answer.meta.total_rows).toBe(expected.total)
      expect(answer.meta.exact).toBe(true)
      asked++
      rows += answer.results.length
      made.set(answer.meta.source, (made.get(answer.meta.source) ?? 0) + 1)
    }),
    { numRuns: QUERIES, ...(process.env.SEED && { seed: Number(process.env.SEED) }) },
  )
  const sources = [...made].map(([source, n]) => `${source} ${n}`).join(', ')
  process.stderr.write(`${asked} random queries, ${rows} rows, all as recounted (${sources})\n`)
})
