/**
 * What a goal matches, and what that is worth, means the same in JavaScript and in MongoDB: random goals, and events of what
 * their conditions tell apart. `RUNS=20000 npx vitest run test/query/goal-expressions.test.ts` tries more.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { goalStages } from '../../collector/query/goal-expressions.ts'
import { backfillOf, type Carrying, type Goal, MOST_GOALS, readGoal } from '../../collector/sites/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'

const RUNS = Number(process.env.RUNS ?? 300)
const MADE = Date.parse('2026-03-01T00:00:00Z')

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

const piece = fc.constantFrom('/', 'a', 'b', 'ab', 'ba', 'ü', 'ï', '😀', 'a.b', '(', '$', '\\')
const path = fc.array(piece, { maxLength: 8 }).map(parts => `/${parts.join('')}`)
/** Fits many. */
const page = fc
  .array(fc.oneof(piece, fc.constantFrom('*', '*', '**')), { maxLength: 8 })
  .map(parts => `/${parts.join('')}`)
const property = fc.constantFrom('p', 'p', 'p', 'p', 'q', 'a key', 'größe', 'constructor')
const decimal = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e4, max: 1e4 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -300, max: 300 }).map(n => n / 1_000),
  // Next to half a minor unit, on either side.
  fc
    .tuple(
      fc.integer({ min: -2_000, max: 2_000_000 }),
      fc.constantFrom(1, 10, 100, 1_000, 10_000),
      fc.integer({ min: -2, max: 2 }),
    )
    .map(([n, unit, ulps]) => {
      const [bits] = new BigInt64Array(new Float64Array([(n + 0.5) / unit]).buffer)
      return new Float64Array(new BigInt64Array([(bits ?? 0n) + BigInt(ulps)]).buffer)[0] ?? 0
    }),
  fc.constantFrom(
    0,
    -0,
    1e-6,
    9.9e-7,
    1.2345678901234567e-6,
    1e10,
    1e12,
    1e12 + 0.5,
    1e13,
    1e15,
    1e16,
    1e21,
    5_000_000_000,
    0.1 + 0.2,
    1.005,
  ),
)
const numberText = fc.oneof(
  decimal.map(String),
  fc.integer({ min: -1_000, max: 1_000_000 }).map(n => (n / 100).toFixed(2)),
  fc.constantFrom(
    '007',
    '-0',
    '-0.004',
    '0.005',
    '1.',
    '.5',
    '+1',
    '1e3',
    '5 ',
    '5\n',
    '٣',
    '',
    '-',
    'x',
    'true',
    'NaN',
    'Infinity',
  ),
  fc.constantFrom(
    `1${'0'.repeat(300)}`,
    `1${'0'.repeat(299)}`,
    `0.${'0'.repeat(299)}1`,
    `0.${'0'.repeat(300)}1`,
    `1.${'4'.repeat(26)}`,
  ),
)
const value = fc.oneof(
  decimal,
  numberText,
  fc.constantFrom<unknown>(true, false, null, ['5'], { a: 1 }, [], 'pro', 'Pro', '5', 5, 0.5),
)
const condition = fc.oneof(
  fc.record({
    property,
    is: fc.array(fc.oneof(numberText, fc.constantFrom('pro', '5', 'true', 'null', '0', '0.5')), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
  fc.record({ property, present: fc.constant(true as const) }),
  fc.record({
    property,
    compare: fc.constantFrom('>', '>=', '<', '<='),
    to: fc.oneof(decimal, fc.constantFrom(0, 5, 0.5)),
  }),
)
const currency = fc.constantFrom('EUR', 'JPY', 'KWD', 'CLF')
const input = fc.record({
  page: fc.option(page, { nil: undefined, freq: 1 }),
  where: fc.option(fc.array(condition, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 1 }),
  value: fc.option(
    fc.oneof(fc.record({ amount: fc.constantFrom(0, 5, '-1.25'), currency }), fc.record({ property, currency })),
    { nil: undefined },
  ),
  since: fc.constantFrom(MADE, MADE + 60_000),
})
const goalList = fc.array(input, { minLength: 1, maxLength: 4 }).map(list =>
  list.map(
    ({ page, where, value, since }, i): Goal =>
      readGoal(
        {
          name: `$goal ${i}`,
          ...(page === undefined ? { event: 'order' } : { page }),
          ...(where && { where }),
          ...(value && { value }),
        },
        new Date(since),
      ),
  ),
)
const event = fc.record({
  ts: fc.constantFrom(MADE - 1, MADE + 299_999, MADE + 300_000, MADE + 359_999, MADE + 360_000).map(at => new Date(at)),
  meta: fc.record({ name: fc.constantFrom('pageview', 'order', 'order', 'other') }),
  path: fc.option(path, { nil: undefined }),
  props: fc.option(fc.dictionary(property, value, { minKeys: 1, maxKeys: 4 }), { nil: undefined, freq: 9 }),
  goals: fc.option(fc.subarray(['$goal 0', 'before']), { nil: undefined }),
  money: fc.option(fc.constantFrom([500, 'EUR'] as const, [0, 'JPY'] as const), { nil: undefined, freq: 1 }),
})

/** As it is told, in an order. */
const told = ({ goals, revenue, currency }: Partial<Carrying>) => ({
  goals: [...(goals ?? [])].sort(),
  ...(currency !== undefined && { revenue, currency }),
})

test(`${RUNS} lists of goals add the same to events here and there`, { timeout: 600_000 }, async () => {
  let [added, worth] = [0, 0]
  await fc.assert(
    fc.asyncProperty(goalList, fc.array(event, { minLength: 20, maxLength: 60 }), async (goals, drawn) => {
      const events = drawn.map(
        ({ money, ...one }): Carrying => ({
          ...one,
          ...(money && { revenue: money[0], currency: money[1] }),
        }),
      )
      const backfill = backfillOf(goals, MADE - 1)
      if (!backfill) throw new Error('none is to be added')
      const collection = database.db.collection('drawn')
      await collection.deleteMany({})
      await collection.insertMany(
        events.map((one, i) => ({ i, ...one })),
        { ignoreUndefined: true },
      )
      const found = await collection
        .aggregate<Carrying & { i: number }>([{ $sort: { i: 1 } }, ...goalStages(goals)])
        .toArray()
      const expected = events.map(one => ({ event: one, met: told(backfill(one)) }))
      expect(found.map((one, i) => ({ event: events[i], met: told(one) }))).toEqual(expected)
      for (const { event, met } of expected) {
        if (met.goals.length > (event.goals?.length ?? 0)) added++
        if (met.currency && !event.currency) worth++
      }
    }),
    { numRuns: RUNS, ...(process.env.SEED && { seed: Number(process.env.SEED) }) },
  )
  process.stderr.write(`${added} events met a goal, ${worth} were worth something by one\n`)
  expect(Math.min(added, worth)).toBeGreaterThan(RUNS / 10)
})

test('as many goals as a site may have, as large as they may be, are one pipeline', async () => {
  const where = Array.from({ length: 10 }, (_, i) => ({ property: `p${i}`, compare: '>' as const, to: i }))
  const page = `/${'a*'.repeat(240)}`
  const goals = Array.from({ length: MOST_GOALS }, (_, i) =>
    readGoal({ name: `goal ${i}`, page, where, value: { property: 'total', currency: 'EUR' } }, new Date(MADE)),
  )
  const collection = database.db.collection('one')
  const props = { ...Object.fromEntries(where.map(({ property }) => [property, 10])), total: '5' }
  await collection.insertOne({ ts: new Date(MADE), meta: { name: 'pageview' }, path: `/${'ab'.repeat(240)}`, props })
  const [met] = await collection.aggregate<Carrying>(goalStages(goals)).toArray()
  expect(met).toMatchObject({ revenue: 500, currency: 'EUR' })
  expect(met?.goals).toHaveLength(MOST_GOALS)
})
