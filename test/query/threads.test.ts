/** Scanning in threads: what is answered is what this thread answers, and what goes wrong there is told here. */
import { afterAll, describe, expect, test, vi } from 'vitest'
import { type SessionRead, startBlock } from '../../collector/columns/build.ts'
import { type Block, type ColumnName, ColumnsGone, columnOf, TooManyDifferent } from '../../collector/columns/index.ts'
import type { Ask } from '../../collector/query/engine.ts'
import { type Supply, scanHere, type Work } from '../../collector/query/scanning.ts'
import { createThreads } from '../../collector/query/threads/threads.ts'
import type { Site } from '../../collector/sites/index.ts'
import { startThreads } from '../fixtures/threads.ts'

const FROM = Date.parse('2026-03-10T00:00:00Z')
const DAY = 86_400_000
const SOURCES = ['direct', 'google', 'bing', 'newsletter']
const SESSIONS = 40_000
const never = new AbortController().signal

/** Of one day; its columns have keys, as those that are kept. */
function makeBlock(day: number): Block {
  const from = FROM + day * DAY
  const builder = startBlock({ site: 'shop', from, to: from + DAY, properties: [], seed: [1, 2] })
  for (let i = 0; i < SESSIONS; i++) {
    const at = new Date(from + i * 1_000)
    const session = {
      start: at,
      end: at,
      views: 1 + (i % 3),
      events: 3,
      visitor: `v${i % 9_000}`,
      source: SOURCES[i % 4],
    }
    builder.addSession({ _id: `shop:${day}-${i}`, site: 'shop', ...session } as unknown as SessionRead)
  }
  const { columns, ...block } = builder.done()
  const ids = Uint32Array.from(columns.get('who.hash')?.numbers ?? [], (_, i) => i)
  const keyed = [...columns, ['who.id', { numbers: ids, texts: [] }] as const].map(
    ([name, column], i) => [name as ColumnName, { ...column, key: day * 1_000 + i + 1 }] as const,
  )
  return { ...block, id: `day ${day}`, columns: new Map(keyed) }
}

const blocks = [0, 1, 2].map(makeBlock)
const KEYS = blocks.flatMap(({ columns }) => [...columns.values()].flatMap(({ key }) => key ?? []))

const ask = (filters: Ask['filters'] = []): Ask => ({
  site: { key: 'shop', timezone: 'UTC' } as Site,
  range: { from: FROM, to: FROM + 3 * DAY, isDays: true },
  grid: undefined,
  over: 'visits',
  measures: ['visits', 'visitors', 'views', 'duration'],
  dimensions: ['visit:source'],
  filters,
  bots: 'none',
  pagesOnly: false,
  exact: true,
  page: { order: [['visitors', -1]], limit: 10, offset: 0, total: true },
})
const work = (filters?: Ask['filters']): Work & { of: 'rows' } => ({ of: 'rows', ask: ask(filters) })
const LIKE_B = [{ kind: 'matches', attribute: 'visit:source', values: ['^[bn]'], exactCase: true }] as Ask['filters']

const LIKE_G = [{ ...LIKE_B[0], values: ['^g'] }] as Ask['filters']

const supply: Supply = {
  async *blocks() {
    yield* blocks
  },
  fits: async (_, values) => new Set(values.filter(value => /^[bn]/.test(value))),
}

const threads = startThreads()
afterAll(() => threads.close())

describe('in a thread', () => {
  test('the answer is the same, also of several questions at once, and when columns have to be sent again', async () => {
    const here = await scanHere(work(), supply, never)
    expect(here.rows.map(({ values, counts }) => [values[0], counts.visits])).toEqual(
      expect.arrayContaining(SOURCES.map(source => [source, (3 * SESSIONS) / 4])),
    )
    const asked = Array.from({ length: 6 }, () => threads.scanning(work(), supply, never))
    for (const there of await Promise.all(asked)) expect(there).toEqual(here)
    threads.drop(KEYS)
    expect(await threads.scanning(work(), supply, never)).toEqual(here)
  })

  test('what texts fit is asked here', async () => {
    const there = await threads.scanning(work(LIKE_B), supply, never)
    expect(there.rows.map(({ values }) => values[0]).sort()).toEqual(['bing', 'newsletter'])
    expect(there).toEqual(await scanHere(work(LIKE_B), supply, never))
  })

  test('an error of what it reads is the very same one, and others go on', async () => {
    const gone = new ColumnsGone('they are gone')
    const broken: Supply = {
      ...supply,
      async *blocks() {
        yield blocks[0] as Block
        throw gone
      },
    }
    const others = threads.scanning(work(), supply, never)
    await expect(threads.scanning(work(), broken, never)).rejects.toBe(gone)
    // Of a pattern that no thread has asked of yet.
    const unfit: Supply = { ...supply, fits: () => Promise.reject(gone) }
    await expect(threads.scanning(work(LIKE_G), unfit, never)).rejects.toBe(gone)
    expect((await others).rows).toHaveLength(4)
  })

  test('what is too much there is too much here', async () => {
    const odd = SOURCES.map((_, i) => `${i}`)
    const many: Supply = {
      ...supply,
      async *blocks() {
        for (let part = 0; part < 4; part++) {
          const [block] = blocks as [Block]
          const numbers = Uint32Array.from({ length: block.sessions }, (_, i) => i)
          const texts = Array.from(numbers, i => `${odd[part]}-${i}-${part}`)
          const columns = new Map<string, unknown>([...block.columns, ['session.source', { numbers, texts }]])
          yield { ...block, id: undefined, columns } as unknown as Block
        }
      },
    }
    const found = await threads.scanning(work(), many, never)
    expect(found.total).toBe(4 * SESSIONS)
    const more: Supply = {
      ...many,
      async *blocks(names, from) {
        for (let round = 0; round < 2; round++)
          for await (const block of many.blocks(names, from)) {
            const { numbers, texts } = columnOf(block, 'session.source')
            const other = { numbers, texts: texts.map(text => `${round} ${text}`) }
            yield { ...block, columns: new Map([...block.columns, ['session.source', other]]) }
          }
      },
    }
    await expect(threads.scanning(work(), more, never)).rejects.toBeInstanceOf(TooManyDifferent)
  })

  test('who has gone hears of it at once, and nothing more is read for them', async () => {
    const stop = new AbortController()
    let read = 0
    const endless: Supply = {
      ...supply,
      async *blocks() {
        for (;;) {
          if (++read === 20) stop.abort(new Error('gone'))
          yield blocks[read % 3] as Block
        }
      },
    }
    await expect(threads.scanning(work(), endless, stop.signal)).rejects.toThrow('gone')
    const after = read
    await threads.scanning(work(), supply, never)
    expect(read - after).toBeLessThanOrEqual(32)
    await expect(threads.scanning(work(), supply, stop.signal)).rejects.toThrow('gone')
  })
})

test('a thread that ends fails what it was to do, and another one takes its place', async () => {
  const ending = createThreads(new URL('data:text/javascript,process.exit(3)'), { size: 1 })
  await expect(ending.scanning(work(), supply, never)).rejects.toThrow('has ended')
  await expect(ending.scanning(work(), supply, never)).rejects.toThrow('has ended')
  await ending.close()
  await expect(ending.scanning(work(), supply, never)).rejects.toThrow('closed')
})

/** Never comes to an end. */
const stuck: Supply = {
  ...supply,
  blocks: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
}

test('what a thread has no turn for waits, and is begun when another has ended', async () => {
  const one = startThreads({ size: 1 })
  const [stop, gone] = [new AbortController(), new AbortController()]
  let opened = 0
  const counted: Supply = {
    ...stuck,
    blocks(...asked) {
      opened++
      return stuck.blocks(...asked)
    },
  }
  const begun = [0, 1].map(() => one.scanning(work(), counted, stop.signal))
  let hasBegun = false
  const seen: Supply = {
    ...supply,
    async *blocks() {
      hasBegun = true
      yield* blocks
    },
  }
  const waits = one.scanning(work(), seen, never)
  const leaves = one.scanning(work(), stuck, gone.signal)
  gone.abort(new Error('gone'))
  await expect(leaves).rejects.toThrow('gone')
  // A third one would have been begun right after these.
  await vi.waitFor(() => expect(opened).toBe(2), 20_000)
  expect(hasBegun).toBe(false)
  stop.abort(new Error('stopped'))
  for (const each of begun) await expect(each).rejects.toThrow('stopped')
  expect((await waits).rows).toHaveLength(4)
  await one.close()
})

test('while there is much else to do they rest, and answer the same', async () => {
  let asked = 0
  const busy = startThreads({
    isBusy() {
      asked++
      return true
    },
  })
  expect(await busy.scanning(work(), supply, never)).toEqual(await scanHere(work(), supply, never))
  expect(asked).toBeGreaterThan(1)
  await busy.close()
})

test('closing fails what is under way, and what waits', async () => {
  const closed = startThreads({ size: 1 })
  const under = [0, 1].map(() => expect(closed.scanning(work(), stuck, never)).rejects.toThrow('has ended'))
  const waits = expect(closed.scanning(work(), stuck, never)).rejects.toThrow('closed')
  await closed.close()
  await Promise.all([...under, waits])
})
