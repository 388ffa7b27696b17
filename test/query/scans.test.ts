/** Scans of one block that are hard to come to by questions. */
import { expect, test } from 'vitest'
import { type SessionRead, startBlock } from '../../collector/columns/build.ts'
import { type Block, TooManyDifferent } from '../../collector/columns/index.ts'
import type { Asked, Reading } from '../../collector/query/analyses/reading.ts'
import { retention } from '../../collector/query/analyses/retention.ts'
import { scanEvents } from '../../collector/query/block-events.ts'
import { createFitting } from '../../collector/query/block-filters.ts'
import type { Ask } from '../../collector/query/engine.ts'
import { startSums } from '../../collector/query/sum-rows.ts'
import type { Site } from '../../collector/sites/index.ts'

const FROM = Date.parse('2026-03-10T00:00:00Z')
const DAY = 86_400_000
const site = { key: 'shop', timezone: 'UTC' } as Site

const numbered = (block: Block): Block => {
  const numbers = Uint32Array.from(block.columns.get('who.hash')?.numbers ?? [], (_, i) => i)
  return { ...block, columns: new Map([...block.columns, ['who.id', { numbers, texts: [] }]]) }
}
const start = (days: number) =>
  startBlock({ site: 'shop', from: FROM, to: FROM + days * DAY, properties: [], seed: [1, 2] })

test('what was counted by goal when a question failed is not counted by the next one', async () => {
  const builder = start(1)
  for (let i = 0; i < 50; i++)
    builder.addEvent({
      ts: new Date(FROM + i),
      meta: { site: 'shop', name: 'buy' },
      visitor: `v${i}`,
      goals: ['Bought'],
    })
  const block = numbered(builder.done())
  const ask: Ask = {
    ...{ site, range: { from: FROM, to: FROM + DAY, isDays: true }, grid: undefined, over: 'matches' },
    ...{
      measures: ['events', 'visitors'],
      dimensions: ['event:goal'],
      filters: [],
      bots: 'none',
      pagesOnly: false,
      exact: true,
    },
  }
  const scan = async (sums: ReturnType<typeof startSums>) => {
    const fitting = createFitting(async () => new Set())
    await scanEvents({ ask, block, fitting, done: new Map(), sums, sampling: undefined, chosen: undefined })
    return sums.rows().map(({ values, counts }) => [values[0], counts])
  }
  const full = {
    ...startSums(ask),
    placeOf(): number {
      throw new TooManyDifferent('no room')
    },
  }
  await expect(scan(full)).rejects.toThrow('no room')
  expect(await scan(startSums(ask))).toEqual([['Bought', { events: 50, visitors: 50 }]])
})

test('retention of many periods has no visitors but those that there are', async () => {
  const days = 90
  const builder = start(days)
  const visitors = 1_500
  for (let i = 0; i < visitors; i++) {
    const at = new Date(FROM + (32 + (i % 30)) * DAY)
    const session = { site: 'shop', start: at, end: at, views: 1, events: 1, visitor: `v${i}` }
    builder.addSession({ _id: `shop:${i}`, ...session } as SessionRead)
  }
  const block = numbered(builder.done())
  const starts = Array.from({ length: days }, (_, day) => FROM + day * DAY)
  const labels = starts.map(at => new Date(at).toISOString())
  const asked: Asked = { site, range: { from: FROM, to: FROM + days * DAY, isDays: true }, bots: 'none', filters: [] }
  const reading: Reading = {
    asked,
    async *read() {
      yield { block, fits: undefined, test: async () => undefined, codes: async () => new Uint8Array() }
    },
  }
  const { results } = await retention({ unit: 'day', starts, labels, partial: [] }, reading)
  expect(results.flatMap(({ returned }) => returned).reduce((sum, n) => sum + n, 0)).toBe(visitors)
  expect(results.filter(({ visitors: n }) => n > 0)).toHaveLength(30)
})

test('what is read of more than 49 days keeps its times', () => {
  const builder = start(90)
  const times = [0, 40, 60, 89].map(day => FROM + day * DAY + 5)
  for (const at of times) builder.addEvent({ ts: new Date(at), meta: { site: 'shop', name: 'pageview' } })
  const { columns } = builder.done()
  expect([...(columns.get('event.at')?.numbers ?? [])].map(at => FROM + at)).toEqual(times)
})
