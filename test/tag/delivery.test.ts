// @vitest-environment happy-dom
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Tag } from '../../tag/types.ts'
import { type Fate, type Network, type Running, run, type Sent, stop } from './running.ts'

const BATCH = 16_000
const RETRIED: Fate[] = [408, 425, 429, 500, 502, 503, 599, 'lost', 'throws']
const FINAL: Fate[] = [200, 204, 301, 400, 403, 404, 410, 422]

afterEach(stop)

const ids = (sent: Sent[]) => sent.flatMap(({ body }) => body.e.map(({ q }) => `${body.w}.${q}`))
const names = ({ body }: Sent) => body.e.map(({ n }) => n)
/** Whether the events of a body are done with: taken, or refused for good. */
const isDone = ({ fate, body }: Sent) =>
  fate === true || FINAL.includes(fate as Fate) || (fate === 413 && body.e.length === 1)
/** How long after the first answer the second body came, ms; answers come at once. */
const pause = ({ sent }: Running, from = 0) => (sent[from + 1]?.at ?? Number.NaN) - (sent[from]?.at ?? Number.NaN)

describe('whatever the network does', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('track' as const), length: fc.nat(6_000) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(5_000) }) },
    fc.record({ kind: fc.constantFrom('flush' as const, 'hide' as const, 'leave' as const, 'page' as const) }),
  )
  const fate = fc.oneof(
    fc.constantFrom(...RETRIED),
    fc.constantFrom(...FINAL),
    fc.constant<Fate>(413),
    fc.constant<Fate>(204),
  )

  it('each event is sent until it is done with, never after, in bodies of 16 KB', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.array(fate, { maxLength: 25 }),
        fc.array(fc.boolean(), { maxLength: 10 }),
        fc.nat(3_000),
        async (steps, fates, beacons, latency) => {
          const network: Network = {
            latency,
            fate: () => fates.shift() ?? 204,
            beacon: () => beacons.shift() ?? true,
          }
          const running = await run({}, network)
          let tracked = 0
          let views = 1
          for (const action of steps) {
            if (action.kind === 'track') running.tag.track('many', { n: tracked++, text: 'x'.repeat(action.length) })
            else if (action.kind === 'advance') await running.advance(action.ms)
            else if (action.kind === 'page') views += Number(running.tag.page() === undefined)
            else if (action.kind === 'flush') running.tag.flush()
            else running[action.kind]()
          }
          fates = []
          await running.advance(600_000)
          const { sent } = running
          const done = new Set(ids(sent.filter(isDone)))
          expect(done.size).toBe(tracked + views)
          expect(new Set(ids(sent))).toEqual(done)
          for (const { length, body } of sent) if (body.e.length > 1) expect(length).toBeLessThanOrEqual(BATCH)
          // An event is in one body at a time, so it is done with once.
          expect(ids(sent.filter(isDone))).toHaveLength(done.size)
          const properties = sent
            .filter(isDone)
            .flatMap(({ body }) => body.e.flatMap(({ n, d }) => (n === 'many' ? d?.n : [])))
          expect(properties.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: tracked }, (_, n) => n))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('the time of an event is what it was, however late it is sent', async () => {
    const fates: Fate[] = [503, 'lost', 503]
    const running = await run({}, { fate: () => fates.shift() ?? 204 })
    const at = Date.now()
    await running.advance(60_000)
    expect(running.sent).toHaveLength(4)
    for (const { body } of running.sent) expect(body.t - (body.e[0]?.t ?? 0)).toBe(at)
    expect(new Set(ids(running.sent)).size).toBe(1)
  })
})

describe('back-off', () => {
  for (const fate of RETRIED) {
    it(`${fate} is sent again, after a wait that doubles, jittered, up to 64 s`, async () => {
      const running = await run({}, { fate: () => fate })
      await running.advance(600_000)
      for (const [round, wait] of [1, 2, 4, 8, 16, 32, 32, 32].entries()) {
        expect(pause(running, round)).toBeGreaterThanOrEqual(wait * 1_000)
        expect(pause(running, round)).toBeLessThanOrEqual(wait * 2_000 + 1)
      }
    })
  }

  for (const fate of FINAL) {
    it(`${fate} is final`, async () => {
      const running = await run({}, { fate: () => fate })
      await running.advance(600_000)
      expect(running.sent).toHaveLength(1)
    })
  }

  it('waits as long as Retry-After says', async () => {
    const running = await run({}, { fate: () => 503, retryAfter: '30' })
    await running.advance(180_000)
    for (const round of [0, 1]) {
      expect(pause(running, round)).toBeGreaterThanOrEqual(30_000)
      expect(pause(running, round)).toBeLessThanOrEqual(60_001)
    }
  })

  it('a Retry-After that is a date or nonsense is as good as none', async () => {
    const running = await run({}, { fate: () => 503, retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' })
    await running.advance(10_000)
    expect(pause(running)).toBeGreaterThanOrEqual(1_000)
    expect(pause(running)).toBeLessThanOrEqual(2_001)
  })

  it('several bodies that fail together count once', async () => {
    let away = true
    const running = await run({ mode: 'required' }, { fate: () => (away ? 'lost' : 204) })
    for (let i = 0; i < 30; i++) running.tag.track('many', { text: 'x'.repeat(4_000) })
    running.tag.grant()
    await running.advance(0)
    expect(running.sent.length).toBeGreaterThan(5)
    away = false
    const before = running.sent.length
    await running.advance(2_001)
    expect(ids(running.sent.slice(before))).toHaveLength(32)
  })

  it('new events wait with the old ones, and do not hurry them', async () => {
    const fates: Fate[] = [503]
    const running = await run({}, { fate: () => fates.shift() ?? 204, retryAfter: '20' })
    await running.advance(100)
    for (let i = 0; i < 25; i++) running.tag.track('many')
    running.tag.flush()
    await running.advance(19_800)
    expect(running.sent).toHaveLength(1)
    await running.advance(20_300)
    expect(running.sent.slice(1).map(names)).toEqual([['pageview'], Array(25).fill('many')])
  })

  it('leaving the page does not wait', async () => {
    const running = await run({}, { fate: () => 503, retryAfter: '60' })
    await running.advance(100)
    running.tag.track('last')
    running.leave()
    expect(running.sent.slice(1).map(({ by, body }) => [by, ...body.e.map(({ n }) => n)])).toEqual([
      ['beacon', 'pageview'],
      ['beacon', 'last'],
    ])
  })
})

describe('batches', () => {
  it('events are gathered for a second, or until there are 20', async () => {
    const running = await run()
    await running.advance(0)
    running.tag.track('one')
    await running.advance(990)
    expect(running.sent).toHaveLength(1)
    await running.advance(10)
    expect(running.sent.slice(1).map(names)).toEqual([['one']])
    for (let i = 0; i < 20; i++) running.tag.track('many')
    expect(running.sent.slice(2).map(names)).toEqual([Array(20).fill('many')])
  })

  it('at most four are on their way by keepalive, as their 64 KB are shared', async () => {
    const running = await run({ mode: 'required' }, { latency: 500 })
    for (let i = 0; i < 30; i++) running.tag.track('many', { text: 'x'.repeat(4_000) })
    running.tag.grant()
    expect(running.sent.length).toBeGreaterThan(4)
    expect(running.sent.map(({ keepalive }) => keepalive)).toEqual(running.sent.map((_, i) => i < 4))
    await running.advance(500)
    running.tag.track('after')
    running.tag.flush()
    expect(running.sent.at(-1)?.keepalive).toBe(true)
  })

  it('a beacon that is refused is split, and what is left of it goes by fetch', async () => {
    const running = await run({}, { beacon: ({ e }) => e.length === 1 && e[0]?.n !== 'second' })
    for (const name of ['first', 'second', 'third']) running.tag.track(name)
    running.leave()
    expect(running.sent.slice(1).map(sent => [sent.by, sent.fate, ...names(sent)])).toEqual([
      ['beacon', false, 'first', 'second', 'third'],
      ['beacon', true, 'first'],
      ['beacon', false, 'second', 'third'],
      ['beacon', false, 'second'],
      ['fetch', 204, 'second'],
      ['beacon', true, 'third'],
    ])
  })

  it('leaving twice sends once', async () => {
    const running = await run()
    running.tag.track('last')
    running.hide()
    running.leave()
    running.leave()
    running.hide()
    expect(running.sent.flatMap(names)).toEqual(['pageview', 'last'])
  })
})

describe('callbacks', () => {
  it('one that throws does not keep the next from being called, and each is called once', async () => {
    const fates: Fate[] = [204, 503]
    const running = await run({}, { fate: () => fates.shift() ?? 204 })
    const called: string[] = []
    running.tag.track(
      'first',
      {},
      {
        callback: () => {
          called.push('first')
          throw new Error('of the page')
        },
      },
    )
    running.tag.track('second', {}, { callback: () => void called.push('second') })
    await running.advance(1_000)
    expect(called).toEqual([])
    await running.advance(10_000)
    expect(called).toEqual(['first', 'second'])
  })
})

describe('the queue', () => {
  it('shows a capability what is not confirmed, and takes views from it', async () => {
    let tag: Tag | undefined
    const running = await run({}, { fate: () => 503, retryAfter: '20' }, () => [
      given => {
        tag = given
      },
    ])
    await running.advance(0)
    expect(tag?.queue().flatMap(({ e }) => e.map(({ n }) => n))).toEqual(['pageview'])
    const [view] = structuredClone(
      tag?.queue().map(({ w, p, e }) => ({ w, p, e: e.map(({ callback: _, ...rest }) => rest) })) ?? [],
    )
    if (!view) throw new Error('no view')
    tag?.queue([{ ...view, w: 'an-earlier-page0', e: view.e.map(event => ({ ...event, callback: undefined })) }])
    tag?.flush(2)
    expect(running.sent.slice(1).map(({ body }) => body.w)).toEqual(['an-earlier-page0', running.sent[0]?.body.w])
  })
})
