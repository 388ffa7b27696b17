/** What is chosen of all blocks at once: answers are those of who looks at each block by itself. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EventRead, type SessionRead, startBlock } from '../../collector/columns/build.ts'
import type { Block, Column, ColumnName } from '../../collector/columns/index.ts'
import { startVisitors } from '../../collector/columns/visitors.ts'
import { hasWholeBlocks, tallyFor } from '../../collector/query/block-tallies.ts'
import type { Ask, Measure } from '../../collector/query/engine.ts'
import { type Counted, type Supply, scanHere } from '../../collector/query/scanning.ts'
import type { Site } from '../../collector/sites/index.ts'

const FROM = Date.parse('2026-03-10T00:00:00Z')
const DAY = 86_400_000
const DAYS = [0, 1, 2]
const RANGE = { from: FROM, to: FROM + DAYS.length * DAY, isDays: true }
const never = new AbortController().signal
const one = <T>(...of: T[]) => fc.constantFrom(...of)

const event = fc.record({
  path: fc.nat(60),
  name: one('pageview', 'pageview', 'click'),
  host: one('shop.example', 'www.shop.example'),
  // As of who lets us know later who it is.
  visitor: one(undefined, undefined, undefined, 'other', 'v1'),
  bot: one(undefined, undefined, undefined, undefined, 'Googlebot'),
})
const session = fc.record({
  day: one(...DAYS),
  visitor: one(undefined, ...Array.from({ length: 12 }, (_, i) => `v${i}`)),
  source: one('direct', 'google', 'bing'),
  isBot: one(false, false, false, false, true),
  isApart: one(false, false, true),
  /** reaches into the next day */
  isOpen: one(false, false, false, true),
  events: fc.array(event, { maxLength: 6 }),
})
const history = fc.record({
  sessions: fc.array(session, { minLength: 8, maxLength: 60 }),
  /** events without a session */
  others: fc.array(fc.record({ day: one(...DAYS), event }), { maxLength: 5 }),
})
type History = typeof history extends fc.Arbitrary<infer T> ? T : never

let histories = 0
function blocksOf({ sessions, others }: History): Block[] {
  const number = ++histories
  const visitors = startVisitors()
  return DAYS.map(day => {
    const from = FROM + day * DAY
    const builder = startBlock({ site: 'shop', from, to: from + DAY, properties: [], seed: [1, 2] })
    const add = ({ path, name, host, visitor, bot }: History['others'][number]['event'], at: number, of?: string) =>
      builder.addEvent({
        ...{ ts: new Date(from + at), meta: { site: 'shop', name }, path: `/${path}`, host },
        ...(of !== undefined && { session: of }),
        ...(visitor && { visitor }),
        ...(bot && { bot }),
      } as EventRead)
    for (const [i, { visitor, source, isBot, isApart, isOpen, events, day: first }] of sessions.entries()) {
      if (day !== first && !(isOpen && day === first + 1)) continue
      const start = FROM + first * DAY + (isOpen ? DAY - 10 : 10 * i)
      const views = events.filter(({ name }) => name === 'pageview').length
      const of = (after: number, to: number) => {
        const [begin, end] = [new Date(start + after), new Date(start + to)]
        return { start: begin, end, views, events: events.length }
      }
      builder.addSession({
        ...{ _id: `shop:${i}`, site: 'shop', ...of(0, isOpen ? 20 : 6), source, visitor },
        ...(isBot && { bot: 'Googlebot' }),
        ...(isApart && { visits: [of(0, 2), of(3, 6)] }),
      } as unknown as SessionRead)
      for (const [k, one] of events.entries()) add({ ...one, visitor: one.visitor ?? visitor }, 10 * i + k, `${i}`)
    }
    for (const { day: its, event } of others) if (its === day) add(event, 5)
    const block = builder.done()
    const id = `history ${number}, ${day}`
    const ids = visitors.idsOf((block.columns.get('who.hash') as Column).numbers, id)
    return { ...block, id, columns: new Map<ColumnName, Column>([...block.columns, ['who.id', ids]]) }
  })
}

const supplyOf = (blocks: readonly Block[], read: (names: readonly ColumnName[]) => void = () => {}): Supply => ({
  async *blocks(names) {
    read(names)
    yield* blocks
  },
  // As a database: meanwhile others have their turn.
  async fits({ values }, texts) {
    for (let i = 0; i < texts.length % 4; i++) await new Promise(resolve => setImmediate(resolve))
    return new Set(texts.filter(text => new RegExp(values[0] as string).test(text)))
  },
})

const asking = (more: Partial<Ask>): Ask => ({
  site: { key: 'shop', timezone: 'UTC' } as Site,
  range: RANGE,
  grid: undefined,
  over: 'visits',
  measures: ['visitors', 'visits'],
  dimensions: ['visit:source'],
  filters: [],
  bots: 'none',
  pagesOnly: false,
  exact: true,
  ...more,
})
const is = (attribute: string, ...values: string[]) =>
  ({ kind: 'is', attribute, values, exactCase: true }) as Ask['filters'][number]
const like = (attribute: string, pattern: string) =>
  ({ kind: 'matches', attribute, values: [pattern], exactCase: true }) as Ask['filters'][number]
const GRID: Ask['grid'] = { unit: 'day', starts: DAYS.map(day => FROM + day * DAY), labels: [], partial: [] }
const OF_VISITS: Measure[] = ['visitors', 'visits', 'views', 'bounces', 'duration', 'events', 'pageviews']

const ofVisits = fc.record({
  dimensions: one<Ask['dimensions']>([], ['visit:source'], ['time:day'], ['time:day', 'visit:source']),
  filters: one<Ask['filters']>(
    [],
    [is('visit:source', 'google')],
    [like('visit:source', 'g')],
    [{ kind: 'not', of: is('visit:source', 'bing') }],
  ),
  measures: fc.oneof(one<Measure[]>(['visitors', 'visits'], ['visitors']), fc.subarray(OF_VISITS, { minLength: 1 })),
  bots: one<Ask['bots']>('none', 'none', 'all'),
  range: one(RANGE, RANGE, { ...RANGE, from: FROM + 70, to: FROM + 2 * DAY + 100 }),
})
const ofEvents = fc.record({
  over: fc.constant('matches' as const),
  dimensions: one<Ask['dimensions']>(
    ['event:page'],
    ['event:page'],
    ['event:name'],
    ['event:hostname'],
    ['visit:source', 'event:page'],
    ['time:day', 'event:page'],
  ),
  filters: one<Ask['filters']>(
    [],
    [is('visit:source', 'google')],
    [is('visit:source', 'google', '(none)')],
    [like('visit:source', '^[gd]')],
    [{ kind: 'not', of: is('visit:source', 'bing') }],
  ),
  measures: one<Measure[]>(
    ['visitors', 'pageviews'],
    ['visitors', 'events'],
    ['visitors', 'events', 'pageviews'],
    ['visitors', 'visits', 'bounces', 'events'],
  ),
  pagesOnly: fc.boolean(),
})

/** As a planner would. */
function planned(more: Partial<Ask>, limit: number, sampled: number | undefined): Ask {
  const hasTime = more.dimensions?.some(name => name === 'time:day')
  const isList = more.dimensions?.some(name => name !== 'time:day')
  const asked = asking({
    ...more,
    ...(hasTime && { grid: GRID }),
    ...(isList && {
      page: { order: [['visitors', -1]] as NonNullable<Ask['page']>['order'], limit, offset: 0, total: true },
    }),
    ...(sampled !== undefined && { sampled }),
  })
  const tally = tallyFor(asked)
  const days = DAYS.map(day => ({ from: FROM + day * DAY, to: FROM + (day + 1) * DAY }))
  return { ...asked, ...(tally && hasWholeBlocks(asked, { days, gaps: [] }) && { tallied: tally }) }
}

/** Without the error, which depends on the order of sessions where one has events of several visitors. */
const inOrder = ({ rows, error: _, ...rest }: Counted) => ({
  ...rest,
  rows: rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
})

test('the same is answered', async () => {
  let [rows, visitors] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      history,
      fc.array(fc.oneof(ofVisits, ofEvents), { minLength: 4, maxLength: 4 }),
      one(1, 2, 1_000),
      one(undefined, undefined, 32),
      async (happened, asked, limit, sampled) => {
        const blocks = blocksOf(happened)
        const supply = supplyOf(blocks)
        const asks = asked.map(more => planned(more, limit, sampled))
        // At once, so that they wait for each other, and once more.
        const ask = (one: Ask) =>
          scanHere({ of: 'rows', ask: { ...one, blocks: `history ${histories}` } }, supply, never)
        const chosen = await Promise.all([...asks, ...asks].map(ask))
        for (const [i, found] of chosen.entries()) {
          const plain = await scanHere({ of: 'rows', ask: asks[i % asks.length] as Ask }, supply, never)
          expect(inOrder(found)).toEqual(inOrder(plain))
          rows += plain.rows.length
          for (const { counts } of plain.rows) visitors += counts.visitors ?? 0
        }
      },
    ),
    { numRuns: 600 },
  )
  expect(rows).toBeGreaterThan(5_000)
  expect(visitors).toBeGreaterThan(10_000)
})

test('questions of other blocks, that wait for the database at the same time, are answered as one by one', async () => {
  await fc.assert(
    fc.asyncProperty(
      history,
      history,
      fc.array(ofEvents, { minLength: 2, maxLength: 2 }),
      async (one, other, asked) => {
        const both = [blocksOf(one), blocksOf(other)].map((blocks, i) => {
          const ask = planned({ ...asked[i], filters: [like('visit:source', '^[gd]')] }, 1_000, undefined)
          return () => scanHere({ of: 'rows', ask }, supplyOf(blocks), never)
        })
        const together = await Promise.all(both.map(ask => ask()))
        for (const [i, found] of together.entries())
          expect(inOrder(found)).toEqual(inOrder(await (both[i] as () => Promise<Counted>)()))
      },
    ),
    { numRuns: 200 },
  )
})

test('visitors are the same ones where there are more rows than these are noted in', async () => {
  const come = (name: string) => Array.from({ length: 600 }, (_, i) => `${name}${i}`)
  const visitors = come('v')
  const view = (path: number) => ({ path, name: 'pageview', host: 'shop.example', visitor: undefined, bot: undefined })
  // All see one page every day, and each day others beside that.
  const sessions = DAYS.flatMap(day =>
    // Others come once, so that numbers of those who come again are not the ones of all.
    [...(day === 0 ? come('once') : []), ...visitors].map((visitor, i) => ({
      ...{ day, visitor, source: 'direct', isBot: false, isApart: false, isOpen: false },
      events: [view(0), view(1 + 200 * day + (i % 200))],
    })),
  )
  const supply = supplyOf(blocksOf({ sessions, others: [] } as unknown as History))
  const ask = planned(
    { over: 'matches', dimensions: ['event:page'], measures: ['visitors', 'pageviews'] },
    10,
    undefined,
  )
  const { page: _, ...all } = ask
  for (const more of [{}, { blocks: `many rows ${histories}` }]) {
    const { rows } = await scanHere({ of: 'rows', ask: { ...all, ...more } }, supply, never)
    const counts = new Map(rows.map(({ values, counts }) => [values[0], counts]))
    expect(counts.size).toBe(1 + 3 * 200)
    expect(counts.get('/0')).toEqual({ visitors: 1_200, pageviews: 2_400 })
    expect(counts.get('/401')).toEqual({ visitors: 3, pageviews: 3 })
  }
})

describe('what is chosen', () => {
  const ONE = { path: 1, name: 'pageview', host: 'shop.example', visitor: undefined, bot: undefined } as const
  const sessions = Array.from({ length: 30 }, (_, i) => ({
    ...{ day: i % 3, visitor: `v${i % 20}`, source: 'direct', isBot: false, isApart: false, isOpen: false },
    events: [ONE],
  }))
  const happened = { sessions, others: [] } as unknown as History
  const lists = ['visit:source', 'visit:device', 'visit:browser'].map(name =>
    asking({ dimensions: [name as 'visit:source'] }),
  )
  const askAll = (asks: Ask[], supply: Supply, name: string) =>
    Promise.all(asks.map(ask => scanHere({ of: 'rows', ask: { ...ask, blocks: name } }, supply, never)))

  test('is chosen once for the questions of a dashboard', async () => {
    const blocks = blocksOf(happened)
    const read: number[] = []
    const supply = supplyOf(blocks, names => read.push(names.length))
    await askAll(lists, supply, `once ${histories}`)
    expect(read).toHaveLength(1 + lists.length)
    await askAll(lists, supply, `once ${histories}`)
    expect(read).toHaveLength(1 + 2 * lists.length)
  })

  test('is chosen anew where other blocks are among those of the question', async () => {
    const blocks = blocksOf(happened)
    // Of two days more visitors come once than of three.
    for (const some of [blocks, blocks.slice(0, 2)]) {
      const [found] = await askAll(lists, supplyOf(some), `${some.length} of ${histories}`)
      const all = new Set(sessions.filter(({ day }) => day < some.length).map(({ visitor }) => visitor))
      expect(found?.rows).toMatchObject([{ counts: { visitors: all.size } }])
    }
  })

  test('is not told where some is read for one question', async () => {
    const [first, second, { id: _, ...last }] = blocksOf(happened) as [Block, Block, Block]
    const supply = supplyOf([first, second, last])
    for (const found of await askAll(lists, supply, `raw ${histories}`))
      expect(found.rows).toMatchObject([{ counts: { visitors: 20, visits: 30 } }])
  })

  test('is chosen by others where the one who did has failed', async () => {
    const blocks = blocksOf(happened)
    const failing: Supply = {
      ...supplyOf(blocks),
      async *blocks() {
        await new Promise(resolve => setImmediate(resolve))
        throw new Error('gone')
      },
    }
    const [first, ...others] = lists as [Ask, ...Ask[]]
    const name = `failing ${histories}`
    const gone = askAll([first], failing, name)
    const found = askAll(others, supplyOf(blocks), name)
    await expect(gone).rejects.toThrow('gone')
    for (const { rows } of await found) expect(rows).toMatchObject([{ counts: { visitors: 20, visits: 30 } }])
  })
})
