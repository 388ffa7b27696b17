/** A page of rows whose visitors are read of few rows, against the page of all of them. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Ask, Page, Row } from '../../collector/query/engine.ts'
import { pageOf } from '../../collector/query/order.ts'
import { pageOfFew } from '../../collector/query/top-visitors.ts'

const DIMENSIONS: Ask['dimensions'] = ['visit:source']
const askOf = (page: Page): Ask => ({ page, grid: undefined, dimensions: DIMENSIONS }) as Partial<Ask> as Ask
/** Few numbers, so that many are the same. */
const counts = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 11 }))
const direction = fc.constantFrom<1 | -1>(1, -1)
const by = fc.constantFrom('visitors' as const, 'visits' as const, 'percentage' as const, 'visit:source' as const)
const page = fc.record({
  order: fc.array(fc.tuple(by, direction), { maxLength: 2 }),
  limit: fc.integer({ min: 1, max: 30 }),
  offset: fc.integer({ min: 0, max: 30 }),
  total: fc.boolean(),
})

test('the page is the same, whatever the order, the limit and the ties at its border', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(counts, { maxLength: 120 }), page, async (drawn, page) => {
      const all = drawn.map(([visits, fewer], i): Row => {
        const visitors = Math.max(0, visits - fewer)
        return { values: [`s${i}`], bucket: 0, counts: { visits, visitors } }
      })
      const without = all.map(({ counts: { visits = 0 }, ...row }): Row => ({ ...row, counts: { visits } }))
      const few = await pageOfFew(askOf(page), without, 'visits', async some =>
        some.map(({ values }) => all.find(row => row.values[0] === values[0]) as Row),
      )
      expect(few).toEqual(pageOf(all, DIMENSIONS, page))
    }),
    { numRuns: 2_000 },
  )
})

test('of many rows few are read', async () => {
  const rows = Array.from(
    { length: 1_000 },
    (_, i): Row => ({ values: [`s${i}`], bucket: 0, counts: { visits: 1_000 - i } }),
  )
  let read = 0
  const page: Page = { order: [['visitors', -1]], limit: 10, offset: 0, total: true }
  const { total } = await pageOfFew(askOf(page), rows, 'visits', async some => {
    read += some.length
    return some.map(row => ({ ...row, counts: { ...row.counts, visitors: Math.ceil((row.counts.visits ?? 0) * 0.9) } }))
  })
  expect([read < 150, total]).toEqual([true, 1_000])
})
