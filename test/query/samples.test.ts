/** Estimates from a sample of visitors: how far off they are, and that they come before the answer where it takes long. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type EventRead, type SessionRead, startBlock } from '../../collector/columns/build.ts'
import { type Block, buildBlocks, columnOf, WINDOWS } from '../../collector/columns/index.ts'
import { startVisitors, windowOf } from '../../collector/columns/visitors.ts'
import { createLimits } from '../../collector/limits.ts'
import type { Ask, Row } from '../../collector/query/engine.ts'
import { createKept, createQueries, type QueryAnswer } from '../../collector/query/index.ts'
import { type Supply, scanHere } from '../../collector/query/scanning.ts'
import { serveQuery } from '../../collector/query-api.ts'
import type { Site } from '../../collector/sites/index.ts'
import { hashOf, makeSeed, type Seed } from '../../collector/sketch/index.ts'
import { type FreshDatabase, freshDatabase } from '../fixtures/database.ts'
import { makeEvents, record, seeded } from './recorded.ts'

const FROM = Date.parse('2026-03-10T00:00:00Z')
const DAY = 86_400_000
const DAYS = 3
const PARTS = 16
const VISITORS = 12_000
const SOURCES = ['direct', 'google', 'bing', 'letter', 'ad']
const PATHS = ['/', '/shoes', '/cart', '/pricing']
const never = new AbortController().signal

interface Visit {
  visitor: string
  day: number
  source: string
  paths: string[]
  /** of events without a session */
  isLoose: boolean
}

/** Some come every day and look at much, most once. */
function makeVisits(): Visit[] {
  const random = seeded(7)
  const one = <T>(of: readonly T[]): T => of[Math.floor(of.length * random() ** 2)] as T
  const visits: Visit[] = []
  for (let v = 0; v < VISITORS; v++) {
    const often = random() < 0.1
    for (let day = 0; day < DAYS; day++) {
      if (!often && Math.floor(random() * DAYS) !== day) continue
      const paths = Array.from({ length: 1 + Math.floor((often ? 30 : 4) * random()) }, () => one(PATHS))
      visits.push({ visitor: `v${v}`, day, source: one(SOURCES), paths, isLoose: random() < 0.05 })
    }
  }
  return visits
}
const visits = makeVisits()

/** All days in parts, in the order in which these are read. */
function makeBlocks(seed: Seed): { block: Block; begin: number }[] {
  const visitors = startVisitors()
  const partOf = (visitor: string) => Math.floor((windowOf(hashOf(visitor, seed)) * PARTS) / WINDOWS)
  const made = Array.from({ length: DAYS }, (_, day) => {
    const from = FROM + day * DAY
    const parts = Array.from({ length: PARTS }, () =>
      startBlock({ site: 'shop', from, to: from + DAY, properties: [], seed }),
    )
    for (const [i, { visitor, day: of, source, paths, isLoose }] of visits.entries()) {
      if (of !== day) continue
      const [start, part] = [new Date(from + (i % 80_000) * 1_000), parts[partOf(visitor)]]
      if (!isLoose) {
        const session = { start, end: new Date(+start + 60_000), views: paths.length, events: paths.length }
        part?.addSession({ _id: `shop:s${i}`, site: 'shop', visitor, source, ...session } as SessionRead)
      }
      for (const [n, path] of paths.entries()) {
        const event = { ts: new Date(+start + n), meta: { site: 'shop', name: 'pageview' }, visitor, path }
        part?.addEvent({ ...event, ...(!isLoose && { session: `s${i}` }) } as EventRead)
      }
    }
    return parts.map((part, p) => {
      const block = part.done()
      const ids = visitors.idsOf(columnOf(block, 'who.hash').numbers)
      return { block: { ...block, columns: new Map([...block.columns, ['who.id', ids] as const]) }, begin: p / PARTS }
    })
  }).flat()
  return made.sort((a, b) => a.begin - b.begin || a.block.from - b.block.from)
}

const ask = (asked: Partial<Ask>): Ask => ({
  site: { key: 'shop', timezone: 'UTC' } as Site,
  range: { from: FROM, to: FROM + DAYS * DAY, isDays: true },
  ...{ grid: undefined, over: 'visits', dimensions: [], filters: [], bots: 'none', pagesOnly: false, exact: true },
  measures: ['visits', 'visitors', 'views', 'duration'],
  ...asked,
})
const ASKS: readonly Ask[] = [
  ask({}),
  ask({ dimensions: ['visit:source'] }),
  ask({ over: 'matches', measures: ['events', 'visitors'], dimensions: ['event:page'] }),
  ask({
    ...{ over: 'matches', measures: ['events', 'visitors'] },
    filters: [{ kind: 'is', attribute: 'event:page', values: ['/cart'], exactCase: true }],
  }),
]

describe('an estimate', () => {
  test('is as far off as it says, 95 of 100 times, and no less sure than that', async () => {
    let [inside, figures, spread] = [0, 0, 0]
    for (let n = 0; n < 9; n++) {
      const blocks = makeBlocks([n + 1, 77 * n])
      const supplyOf = (windows: number): Supply => ({
        async *blocks() {
          for (const { block, begin } of blocks) if (begin < windows / WINDOWS) yield block
        },
        fits: async () => new Set(),
      })
      // Also of windows that are a part of what was read.
      const sampled = n % 3 === 2 ? 6 : 4
      for (const one of ASKS) {
        const key = ({ values }: Row) => values.join()
        const { rows, error, sample } = await scanHere(
          { of: 'rows', ask: { ...one, sampled } },
          supplyOf(sampled),
          never,
        )
        expect(sample).toBe(sampled / WINDOWS)
        const answer = await scanHere({ of: 'rows', ask: one }, supplyOf(WINDOWS), never)
        expect(answer).not.toHaveProperty('sample')
        const exact = new Map(answer.rows.map(row => [key(row), row.counts]))
        for (const row of rows) {
          for (const [measure, n] of Object.entries(row.counts) as [keyof Row['counts'], number][]) {
            const off = Math.abs(n - (exact.get(key(row))?.[measure] ?? 0)) / n
            figures++
            spread = Math.max(spread, off)
            if (off <= (error as number)) inside++
          }
        }
      }
    }
    expect(figures).toBeGreaterThan(300)
    expect(inside / figures).toBeGreaterThanOrEqual(0.95)
    // Not because it says that it knows nothing: a sample is off by some percent.
    expect(spread).toBeGreaterThan(0.03)
    expect(spread).toBeLessThan(0.5)
  })

  test('of one share of the visitors has nothing of another one of the same columns', async () => {
    const blocks = makeBlocks([1, 2]).map(({ block }, i) => {
      const ids = columnOf(block, 'who.id')
      return {
        ...block,
        id: `kept ${i}`,
        columns: new Map([...block.columns, ['who.id', { ...ids, key: i + 1 }] as const]),
      }
    })
    const read = async (named: boolean, sampled: number) => {
      const supply: Supply = {
        async *blocks() {
          for (const { id, ...block } of blocks) yield named ? { ...block, id } : block
        },
        fits: async () => new Set(),
      }
      return await scanHere({ of: 'rows', ask: ask({ dimensions: ['visit:source'], sampled }) }, supply, never)
    }
    for (const sampled of [4, 16, 8]) expect(await read(true, sampled)).toEqual(await read(false, sampled))
  })

  test('of nobody in the sample says so', async () => {
    const blocks = makeBlocks([1, 2])
    const supply: Supply = {
      async *blocks() {
        for (const { block } of blocks) yield block
      },
      fits: async () => new Set(),
    }
    const nobody = ask({ filters: [{ kind: 'is', attribute: 'visit:source', values: ['x'], exactCase: true }] })
    const { rows, error } = await scanHere({ of: 'rows', ask: { ...nobody, sampled: 4 } }, supply, never)
    expect([rows, error]).toEqual([[], 1])
  })
})

describe('over HTTP', () => {
  const site = { key: 'utc', timezone: 'UTC' } as Site
  const [from, to] = [Date.parse('2026-10-22'), Date.parse('2026-10-27')]
  let database: FreshDatabase
  let url: string
  let close: () => void
  /** called when an estimate was told */
  let told = async () => {}
  beforeAll(async () => {
    database = await freshDatabase()
    const { client, db } = database
    await db.collection<{ _id: string; timezone: string }>('sites').insertOne({ _id: 'utc', timezone: 'UTC' })
    await record(db, [makeEvents({ ...site, from, to }, 5)], () => 'UTC')
    // Of so few visitors it is chance which are in the first windows: the same ones in every run.
    await makeSeed(db, 'utc')
    await db.collection('sketches').updateOne({ site: 'utc', seed: { $exists: true } }, { $set: { seed: [1, 2] } })
    for (let at = from; at < to; at += DAY)
      await buildBlocks(db, { site: 'utc', from: at, to: at + DAY, properties: [] }, 0, undefined, 20)
    const queries = createQueries({ client, db, clock: () => to + 10 * DAY, kept: createKept(db), large: 1 })
    const asking: Parameters<typeof serveQuery>[0] = (body, of, signal, turn, tell) =>
      queries.ask(
        body,
        of,
        signal,
        async signal => {
          await told()
          return await turn(signal)
        },
        tell,
      )
    const app = express()
      .use((_, response, next) => {
        response.locals.caller = { kind: 'owner' }
        next()
      })
      .post(
        '/query',
        express.json({ type: () => true }),
        serveQuery(asking, { get: () => site }, createLimits(Date.now)),
      )
    const server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/query`
    close = () => {
      server.closeAllConnections()
      server.close()
    }
  })
  afterAll(async () => {
    close()
    await database.drop()
  })
  const post = (body: object, accept: string) =>
    fetch(url, {
      method: 'POST',
      headers: { accept },
      body: JSON.stringify({
        ...{ site_id: 'utc', date_range: ['2026-10-22', '2026-10-26'], metrics: ['visitors', 'visits', 'bounce_rate'] },
        filters: [['contains', 'event:page', ['s']]],
        ...body,
      }),
    })
  const lines = async (body: object): Promise<(QueryAnswer & { code?: string })[]> => {
    const response = await post(body, 'application/x-ndjson')
    expect(response.headers.get('content-type')).toContain('application/x-ndjson')
    // nginx hands on each line as it comes.
    expect(response.headers.get('x-accel-buffering')).toBe('no')
    return (await response.text())
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  }

  test('it is the first line, and the last one is the answer; who does not ask for lines has that alone', async () => {
    const [estimate, answer, ...more] = await lines({})
    expect(more).toEqual([])
    expect(estimate?.meta).toMatchObject({ exact: false, sample: 4 / WINDOWS, source: 'blocks' })
    expect(estimate?.meta.error).toBeGreaterThan(0)
    expect(answer?.meta).toMatchObject({ exact: true, source: 'blocks' })
    expect(answer?.meta).not.toHaveProperty('sample')
    expect(answer?.query).toEqual(estimate?.query)
    // Kept: there is nothing to estimate any more.
    expect(await lines({})).toMatchObject([{ results: answer?.results, meta: { cached: true } }])
    const plain = await post({}, 'application/json')
    expect(plain.headers.get('content-type')).toContain('application/json')
    expect(await plain.json()).toMatchObject({ results: answer?.results, meta: { exact: true } })
    expect(await (await post({}, '*/*')).json()).toMatchObject({ results: answer?.results })
  })

  test('what is told by rollups, and what is wrong, is one line or a problem', async () => {
    expect(await lines({ filters: [], metrics: ['events'] })).toHaveLength(1)
    const wrong = await post({ metrics: ['x'] }, 'application/x-ndjson')
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { code: 'query-invalid' }])
  })

  test('questions can be asked as a list: each line says whose it is', async () => {
    const whole = (body: object) => ({
      ...{ site_id: 'utc', date_range: ['2026-10-22', '2026-10-26'], metrics: ['visitors', 'visits'] },
      filters: [['contains', 'event:page', ['e']]],
      ...body,
    })
    const ask = (list: unknown, accept = 'application/x-ndjson') =>
      fetch(url, { method: 'POST', headers: { accept }, body: JSON.stringify(list) })
    const bodies = [whole({}), whole({ metrics: ['x'] }), whole({ filters: [], metrics: ['events'] })]
    const response = await ask(bodies)
    expect([response.status, response.headers.get('content-type')]).toMatchObject([
      200,
      expect.stringContaining('application/x-ndjson'),
    ])
    const said = (await response.text())
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as QueryAnswer & { question: number; code?: string })
    const of = (question: number) => said.filter(line => line.question === question)
    expect(said).toHaveLength(4)
    expect(of(0).map(({ meta }) => meta.sample)).toEqual([4 / WINDOWS, undefined])
    expect(of(0)[1]?.results).toEqual((await (await ask(bodies[0], '*/*')).json()).results)
    expect(of(1)).toMatchObject([{ code: 'query-invalid', status: 400 }])
    expect(of(2)).toMatchObject([{ meta: { exact: true } }])

    for (const list of [[], [1], [bodies[0], { ...bodies[0], site_id: 'other' }], Array(33).fill(bodies[0])])
      expect((await ask(list)).status).toBe(400)
    expect(await (await ask(bodies, 'application/json')).json()).toMatchObject({ code: 'body-invalid' })
    // As many as one may ask at a time; what is more is refused by itself.
    let asked = 0
    let go = (): void => {}
    const gone = new Promise<void>(done => {
      go = done
    })
    told = () => {
      asked++
      return gone
    }
    try {
      const many = ask(Array.from({ length: 32 }, (_, i) => whole({ pagination: { limit: 10 + i } })))
      await vi.waitFor(() => expect(asked).toBe(32), 20_000)
      const refused = (await (await ask([bodies[0], bodies[2]])).text()).trimEnd().split('\n')
      expect(refused.map(line => JSON.parse(line))).toMatchObject(
        [0, 1].map(question => ({ question, code: 'too-many-queries', status: 429 })),
      )
      go()
      const answered = (await (await many).text()).trimEnd().split('\n')
      expect(answered.filter(line => JSON.parse(line).meta.exact)).toHaveLength(32)
    } finally {
      go()
      told = async () => {}
    }
  })

  test('what fails after it is the last line', async () => {
    let asked = 0
    told = async () => {
      if (++asked === 2) throw new Error('away')
    }
    try {
      const [estimate, problem, ...more] = await lines({ metrics: ['visits'] })
      expect(more).toEqual([])
      expect(estimate?.meta.sample).toBe(4 / WINDOWS)
      expect(problem).toMatchObject({ code: 'unavailable', status: 503 })
    } finally {
      told = async () => {}
    }
  })
})
