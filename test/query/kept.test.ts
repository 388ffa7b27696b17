/** Answers that are kept: by whom they are shared, when they are made anew, and how many are made at a time. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Caller } from '../../collector/caller.ts'
import { createLimits, LIMITS } from '../../collector/limits.ts'
import { createKept, createQueries, type QueryAnswer, type QueryError } from '../../collector/query/index.ts'
import { shareReads, startWork } from '../../collector/query/work.ts'
import { lanes, noteChange } from '../../collector/settle/index.ts'
import { type ApiKey, addKey, type Site } from '../../collector/sites/index.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'
import { seeded } from './recorded.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const WITHIN = { timeout: 10_000, interval: 20 }
const NOON = Date.parse('2026-03-10T12:00:30Z')

let it: TestCollector
let now = NOON
beforeAll(async () => {
  it = await startCollector({ clock: () => now, sites: [{}, { key: 'other' }, { key: 'random' }, { key: 'slow' }] })
})
afterAll(() => it.close())

let sent = 0
async function visit(at: number, { site = 'shop', session = `s${sent}`, path = '/', source = '' } = {}): Promise<void> {
  const before = now
  now = at
  const u = `https://shop.example${path}${source && `?utm_source=${source}`}`
  await it.deliver(envelope([{}], { s: site, t: at, i: `v-${session}`, k: session, p: { u } }))
  now = before
  sent++
}
const post = (body: object, init: RequestInit = {}) =>
  it.ask('/api/v2/query', { method: 'POST', body: JSON.stringify({ site_id: 'shop', ...body }), ...init })
const ask = async (query: object): Promise<QueryAnswer> => {
  const response = await post(query)
  const body = await response.json()
  if (response.status !== 200) throw new Error(JSON.stringify(body))
  return body as QueryAnswer
}
const TODAY = { metrics: ['visits', 'visitors'], date_range: 'day', dimensions: ['visit:entry_page'] }
const YESTERDAY = { ...TODAY, date_range: '1d' }

describe('an answer', () => {
  beforeAll(async () => {
    await visit(NOON - HOUR)
    await visit(NOON - DAY)
    await it.settled()
  })

  test('is made once for a question, however it is put, and says so', async () => {
    const filters = [
      ['is', 'visit:os', ['Linux', 'Windows']],
      ['is_not', 'visit:device', ['tv']],
    ]
    const first = await ask({ ...TODAY, filters })
    const again = await ask({ ...TODAY, filters })
    const turned = [
      ['not', ['is', 'visit:device', ['tv']]],
      ['is', 'visit:os', ['Windows', 'Linux', 'Windows']],
    ]
    const otherwise = await ask({ ...TODAY, filters: turned, pagination: { limit: 10_000 } })
    expect([first, again, otherwise].map(({ meta }) => meta.cached)).toEqual([false, true, true])
    expect(again.results).toEqual(first.results)
    expect(otherwise.results).toEqual(first.results)
    // What was sent is told back to each.
    expect(otherwise.query).toMatchObject({ filters: turned })
    for (const differs of [{ metrics: ['visits'] }, { pagination: { limit: 1 } }, { include: { total_rows: true } }])
      expect((await ask({ ...TODAY, filters, ...differs })).meta.cached).toBe(false)
  })

  test('is as fresh as it says', async () => {
    await ask(TODAY)
    now += 10_000
    const later = await ask(TODAY)
    expect(later.meta).toMatchObject({ cached: true, fresh: new Date(now).toISOString() })
    // Received, and not counted yet.
    const at = new Date(now - 5_000)
    const lane = (await lanes(it.db).findOne({}))?._id
    const open = { lane, state: 'open', at, epoch: -1, n: 0, envelopes: [] }
    await it.settled()
    const held = await it.db.collection('journal').insertOne(open)
    const { meta } = await ask(TODAY)
    await it.db.collection('journal').deleteOne({ _id: held.insertedId })
    expect([at.toISOString(), new Date(now).toISOString()]).toContain(meta.fresh)
    now = NOON
  })

  test('is made anew when something is settled that it counts, and not for anything else', async () => {
    const cached = async () => {
      const [today, yesterday] = await Promise.all([ask(TODAY), ask(YESTERDAY)])
      return [today.meta.cached, yesterday.meta.cached]
    }
    await cached()
    expect(await cached()).toEqual([true, true])
    await visit(NOON - HOUR, { site: 'other' })
    await it.settled()
    expect(await cached()).toEqual([true, true])
    await visit(NOON - HOUR)
    await it.settled()
    expect(await cached()).toEqual([false, true])
    await it.folded()
    expect(await cached()).toEqual([true, true])
    await visit(NOON - DAY)
    await it.settled()
    expect(await cached()).toEqual([false, false])
  })

  test('of yesterday is made anew when a visit that began then goes on today', async () => {
    const metrics = ['visits', 'pageviews', 'visit_duration']
    const add = async (hours: number) => {
      await visit(NOON - hours * HOUR, { session: 'long' })
      await it.settled()
      return (await ask({ ...YESTERDAY, metrics })).meta.cached
    }
    // The last one changes no count of a minute but today's.
    expect([await add(13), await add(11), await add(11.5)]).toEqual([false, false, false])
  })

  test('is made anew when counts were mended, when pages are gone, and after ten minutes', async () => {
    const again = async () => (await ask(YESTERDAY)).meta.cached
    await again()
    await noteChange(it.db)
    expect([await again(), await again()]).toEqual([false, true])
    await visit(NOON - HOUR)
    await it.folded()
    await it.db.collection('journal').deleteMany({})
    expect([await again(), await again()]).toEqual([false, true])
    let ms = 0
    const kept = createKept(it.db, undefined, () => ms)
    const { client, db } = it
    const queries = createQueries({ client, db, clock: () => now, kept })
    const put = async () => {
      const answer = await queries.ask({ site_id: 'shop', ...YESTERDAY }, SHOP, new AbortController().signal)
      return 'meta' in answer && answer.meta.cached
    }
    expect([await put(), await put()]).toEqual([false, true])
    ms = 10 * MINUTE + 1
    expect(await put()).toBe(false)
  })

  test('is never given to a key of another site', async () => {
    await ask(TODAY)
    const { key } = await addKey(it.db, { name: 'of another', scope: 'read', sites: ['other'] })
    const headers = { authorization: `Bearer ${key}` }
    expect((await post(TODAY, { headers })).status).toBe(404)
    const own = (await (await post({ ...TODAY, site_id: 'other' }, { headers })).json()) as QueryAnswer
    expect(own.meta.cached).toBe(false)
    const { key: shared } = await addKey(it.db, { name: 'of this', scope: 'read', sites: ['shop'] })
    const response = await post(TODAY, { headers: { authorization: `Bearer ${shared}` } })
    expect(((await response.json()) as QueryAnswer).meta.cached).toBe(true)
  })
})

const SHOP: Site = { key: 'shop', domain: 'shop.example', consent: 'none', timezone: 'UTC' }

test('what is kept is always what is computed, whatever was counted meanwhile', async () => {
  const random = seeded(Number(process.env.SEED ?? 1))
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const some = <T>(list: readonly T[]): T[] => list.filter(() => random() < 0.4)
  const { client, db } = it
  const computed = createQueries({ client, db, clock: () => now })
  const asked = Array.from({ length: 25 }, () => {
    const filters = some([
      ['is', 'visit:utm_source', ['a']],
      ['contains', 'event:page', ['/b']],
      ['has_done', ['is', 'event:page', ['/a']]],
    ])
    const dimensions = some(['visit:entry_page', 'visit:source', 'event:page', 'time:day'])
    const date_range = pick(['day', '1d', '2d', '7d', ['2026-03-08', '2026-03-09'], '6h'])
    const comparisons = { mode: 'previous_period' }
    const include = random() < 0.3 ? { comparisons } : random() < 0.2 ? { bots: true } : {}
    return {
      site_id: 'random',
      metrics: pick([['visits'], ['visitors', 'events'], ['pageviews']]),
      date_range,
      dimensions,
      filters,
      include,
    }
  })
  let [hits, misses] = [0, 0]
  for (let round = 0; round < 40; round++) {
    for (let n = Math.floor(random() * 3); n > 0; n--) {
      const at = NOON - Math.floor(random() ** 2 * 4 * DAY)
      const session = `r${Math.floor(random() * 12)}`
      const site = pick(['random', 'random', 'other'])
      await visit(at, { site, session, path: pick(['/a', '/b', '/b/c']), source: pick(['a', 'b', '']) })
    }
    await (random() < 0.2 ? it.folded() : it.settled())
    for (const query of [pick(asked), pick(asked), pick(asked)]) {
      const kept = await ask(query)
      const plain = await computed.ask(query, { ...SHOP, key: 'random' }, new AbortController().signal)
      if ('code' in plain) throw new Error(plain.detail)
      expect(kept.results, JSON.stringify(query)).toEqual(JSON.parse(JSON.stringify(plain.results)))
      if (kept.meta.cached) hits++
      else misses++
    }
  }
  process.stderr.write(`${hits} of ${hits + misses} answers were there already, all as computed\n`)
  expect(hits).toBeGreaterThan(10)
  expect(misses).toBeGreaterThan(10)
}, 120_000)

describe('a question that takes long', () => {
  /** Each text is tried in thousands of ways; with another `n` it is another question. `short` ones are to be answered. */
  const slow = (n = 0, name = 'long') => ({
    site_id: 'slow',
    metrics: ['events'],
    date_range: ['2026-03-01', '2026-03-02'],
    dimensions: ['event:name'],
    filters: [
      ['is', 'event:name', [name]],
      ['matches', 'event:props:text', ['(a|aa)+$']],
    ],
    pagination: { limit: 100 + n },
  })
  const running = async () => {
    const operations = it.client.db('admin').aggregate([
      { $currentOp: { allUsers: true, localOps: true } },
      {
        $match: {
          'command.comment': 'livetag query',
          'command.$db': it.db.databaseName,
          'command.aggregate': 'events',
        },
      },
    ])
    return (await operations.toArray()).length
  }
  const runs = (n: number) => vi.waitFor(async () => expect(await running()).toBe(n), WITHIN)
  const start = (n = 0, name?: string) => {
    const gone = new AbortController()
    return { answer: post(slow(n, name), { signal: gone.signal }).catch(() => undefined), leave: () => gone.abort() }
  }
  beforeAll(async () => {
    const ts = new Date('2026-03-01T12:00:00Z')
    const one = { ts, path: '/', props: { text: `${'a'.repeat(14)}b` } }
    const many = (name: string, length: number) =>
      Array.from({ length }, () => ({ ...one, meta: { site: 'slow', name } }))
    await it.db.collection('events').insertMany([...many('long', 40_000), ...many('short', 12_000)])
    // As if many more had come: then they are left to the database.
    const day = new Date('2026-03-01T00:00:00Z')
    await it.db.collection('revisions').insertOne({ site: 'slow', day, lane: 0, events: { 12: 1_000_000 } })
    // Who asks next reads in another snapshot than those who asked before.
    await noteChange(it.db)
  })

  test('is computed once for all who ask it at the moment', async () => {
    const first = start(0, 'short')
    await runs(1)
    const others = Array.from({ length: 5 }, () => start(0, 'short'))
    expect(await running()).toBe(1)
    const answers = await Promise.all([first, ...others].map(async ({ answer }) => (await answer)?.json()))
    for (const answer of answers) expect(answer).toMatchObject({ results: [], meta: { cached: false } })
    expect(await ask(slow(0, 'short'))).toMatchObject({ results: [], meta: { cached: true } })
  })

  test('goes on when one of two leaves, and stops in the database when both have', async () => {
    const [one, two] = [start(1, 'short'), start(1, 'short')]
    await runs(1)
    one.leave()
    expect((await two.answer)?.status).toBe(200)
    const [three, four] = [start(2, 'short'), start(2, 'short')]
    await runs(1)
    three.leave()
    expect(await three.answer).toBe(undefined)
    expect(await running()).toBe(1)
    four.leave()
    await runs(0)
    expect((await ask(slow(2, 'short'))).meta.cached).toBe(false)
  })

  test('leaves a caller three more; others wait for their turn, but not for what is there', async () => {
    await ask(TODAY)
    const four = [3, 4, 5, 6].map(n => start(n))
    await runs(4)
    const fifth = start(7, 'short')
    expect((await ask(TODAY)).meta.cached).toBe(true)
    const { key } = await addKey(it.db, { name: 'another', scope: 'read', sites: ['shop'] })
    const body = { metrics: ['visitors'], date_range: '3d' }
    expect((await post(body, { headers: { authorization: `Bearer ${key}` } })).status).toBe(200)
    expect(await running()).toBe(4)
    for (const { leave } of four) leave()
    expect((await fifth.answer)?.status).toBe(200)
  })

  test('and many more are refused', async () => {
    // More than may: those of before may not all have left.
    const most = Array.from({ length: LIMITS.atOnce + 4 }, (_, n) => start(20 + n))
    // At once: who has waited for 10 s for a turn is refused, and then they are fewer.
    const refused = await vi.waitFor(async () => {
      const response = await post(TODAY)
      expect(response.status).toBe(429)
      return response
    }, WITHIN)
    expect(refused.headers.get('retry-after')).toBe('2')
    expect(await refused.json()).toMatchObject({ code: 'too-many-queries', detail: '32 are on their way.' })
    for (const { leave } of most) leave()
    await runs(0)
    await vi.waitFor(async () => expect((await post(TODAY)).status).toBe(200), WITHIN)
  })

  test('is ended when its time is up', async () => {
    const { client, db } = it
    let stopped = false
    const engine = {
      name: 'scan' as const,
      answer: (_: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise<never>((_, reject) =>
          signal.addEventListener('abort', () => {
            stopped = true
            reject(new Error('as a driver says it'))
          }),
        ),
    }
    const queries = createQueries({ client, db, clock: () => now, engines: [engine], most: 50 })
    const answer = await queries.ask({ site_id: 'shop', ...TODAY }, SHOP, new AbortController().signal)
    expect([answer, stopped]).toEqual([expect.objectContaining({ code: 'query-timeout' }), true])
  })
})

test('who asks while something is read gets the next read, and all of them one', async () => {
  const ends: ((n: number) => void)[] = []
  const read = shareReads(() => new Promise<number>(resolve => ends.push(resolve)))
  const first = read()
  const [second, third] = [read(), read()]
  expect(ends.length).toBe(1)
  ends[0]?.(1)
  expect(await first).toBe(1)
  await vi.waitFor(() => expect(ends.length).toBe(2))
  const fourth = read()
  ends[1]?.(2)
  expect([await second, await third]).toEqual([2, 2])
  await vi.waitFor(() => expect(ends.length).toBe(3))
  ends[2]?.(3)
  expect(await fourth).toBe(3)
})

test('a computation that fails is not kept, and each who waits hears of it', async () => {
  const work = startWork(() => Promise.reject(new Error('no')))
  const joined = [work.join(new AbortController().signal), work.join(new AbortController().signal)]
  expect(await Promise.allSettled(joined)).toMatchObject([{ reason: { message: 'no' } }, { reason: { message: 'no' } }])
  const kept = createKept(it.db)
  const { signal } = new AbortController()
  const moment = { at: 0, oldest: undefined, settled: new Map(), changes: 0 }
  const asked = { key: 'a', basis: { site: 'shop', to: 0 }, moment, signal, turn: async () => () => {} }
  await expect(kept.take({ ...asked, begin: () => startWork(() => Promise.reject(new Error('no'))) })).rejects.toThrow(
    'no',
  )
  expect(await kept.take({ ...asked, begin: () => startWork(async () => 1) })).toEqual({ answer: 1, cached: false })
  expect(await kept.take({ ...asked, begin: () => startWork(async () => 2) })).toEqual({ answer: 1, cached: true })
})

test('answers take no more memory than they may: what was used least lately goes first', async () => {
  const most = 100_000
  const kept = createKept(it.db, most)
  const moment = { at: 0, oldest: undefined, settled: new Map(), changes: 0 }
  const take = async (key: string, size = 5_000) => {
    const { signal } = new AbortController()
    const asked = { key, basis: { site: 'shop', to: 0 }, moment, signal, turn: async () => () => {} }
    const { cached } = await kept.take({ ...asked, begin: () => startWork(async () => 'x'.repeat(size)) })
    expect(kept.bytes).toBeLessThanOrEqual(most)
    return cached
  }
  for (let n = 0; n < 100; n++) {
    await take(`${n}`)
    await take('used')
  }
  expect(kept.bytes).toBeGreaterThan(most * 0.9)
  expect([await take('used'), await take('99'), await take('0')]).toEqual([true, true, false])
  // One that would drive out many others is not kept.
  expect([await take('large', 50_000), await take('large', 50_000), await take('used')]).toEqual([false, false, true])
})

describe('limits', () => {
  const key: ApiKey = { id: 'lt_12345', name: 'one', scope: 'read', sites: ['*'], createdAt: new Date(0) }
  const KEY: Caller = { kind: 'key', key }

  test('of a minute hold for each API key, and end with it', () => {
    let at = 90_500
    const limits = createLimits(() => at, { ...LIMITS, perMinute: 2 })
    const enter = (caller: Caller = KEY) => {
      const entrance = limits.enter(caller)
      if ('code' in entrance) return [entrance.code, entrance.retryAfter]
      entrance.leave()
      return 'in'
    }
    expect([enter(), enter(), enter()]).toEqual(['in', 'in', ['too-many-a-minute', 30]])
    const owner = { kind: 'owner' } as const
    const other = { kind: 'key', key: { ...key, id: 'lt_other' } } as const
    expect([enter(other), enter(owner), enter(owner), enter(owner)]).toEqual(Array(4).fill('in'))
    at = 120_000
    expect(enter()).toBe('in')
  })

  test('of computing hand the turn on in order, and to nobody who has gone; who waits too long is refused', async () => {
    const limits = createLimits(() => 0, { ...LIMITS, computing: 1, wait: 200 })
    const entrance = limits.enter(KEY)
    if ('code' in entrance) throw new Error(entrance.code)
    const { turn } = entrance
    const { signal } = new AbortController()
    const done = await turn(signal)
    const gone = new AbortController()
    const order: string[] = []
    const left = turn(gone.signal).catch(() => order.push('left'))
    const second = turn(signal).then(next => {
      order.push('second')
      return next
    })
    const third = turn(signal).catch((error: QueryError) => order.push(error.fault.code))
    gone.abort()
    await left
    done()
    const next = await second
    await third
    expect(order).toEqual(['left', 'second', 'too-many-queries'])
    next()
    expect(await turn(signal)).toBeTypeOf('function')
  })
})
