import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventsOf, type StoredPage } from '../../collector/journal/index.ts'
import type { RawEvent } from '../../collector/settle/index.ts'
import { claimKey } from '../../collector/settle/seen.ts'
import type { DebugAnswer } from '../../tag/wire.ts'
import { envelope, startCollector, type TestCollector } from '../fixtures/collector.ts'

let it: TestCollector
beforeAll(async () => {
  it = await startCollector()
})
afterAll(() => it.close())

/** Texts that have broken a parser, a query language or a store somewhere. */
const nasty = fc.constantFrom(
  '$where',
  'a.b',
  '__proto__',
  'constructor',
  '_bsontype',
  '_id',
  '',
  '\0',
  '\ud800',
  'x'.repeat(5_000),
  '\u4e00'.repeat(3_000),
  'toBSON',
  '{}',
)
const text = fc.oneof(fc.string({ unit: 'binary' }), nasty)
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(2 ** 31, 2 ** 53, 2 ** 63, -0, 1e300, -1e300))
const anything = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    number,
    fc.jsonValue(),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(text, tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).value

const field = (...names: string[]) => fc.constantFrom(...names)
/** A change of a valid envelope: of its head, its page or an event. */
const mutation = fc.record({
  place: fc.constantFrom('head', 'page', 'event', 'event', 'event'),
  head: field('s', 't', 'w', 'p', 'c', 'i', 'k', 'e', 'x'),
  page: field('u', 'r', 'ti', 'vw', 'l', 'z'),
  event: field('n', 'q', 't', 'd', 'd', 'id'),
  value: anything,
})

const body = fc.oneof(
  anything.map(value => JSON.stringify(value) ?? ''),
  fc.string({ unit: 'binary' }),
  fc.array(mutation, { minLength: 1, maxLength: 3 }).map(mutations => {
    const one = envelope([{}, { n: 'middle', d: { a: 1 } }, { n: 'last', id: 'own' }])
    for (const { place, head, page, event, value } of mutations) {
      if (place === 'head') Object.assign(one, { [head]: value })
      else if (place === 'page') Object.assign(Object(one.p), { [page]: value })
      else Object.assign(Object(Object(one.e)[1]), { [event]: value })
    }
    return JSON.stringify(one).replace(/1e\+300/g, '1e400')
  }),
)

test('whatever is sent: never a 5xx, and everything that was taken is settled once, nothing parked', async () => {
  let taken = 0
  await fc.assert(
    fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 8 }), async bodies => {
      const responses = await Promise.all(bodies.map(one => it.send(one)))
      for (const response of responses) {
        expect(response.status).toBeLessThan(500)
        const answer = (await response.json()) as Partial<DebugAnswer>
        if (response.status === 200) taken += answer.accepted ?? 0
        else expect(answer).toHaveProperty('reason')
      }
    }),
    { numRuns: 150 },
  )
  expect(taken).toBeGreaterThan(100)
  await it.folded()
  const pages = await it.db.collection<StoredPage>('journal').find().toArray()
  const keys = pages.flatMap(page => eventsOf(page.envelopes).map(claimKey))
  expect(keys).toHaveLength(taken)
  expect(await it.db.collection('parked').find().toArray()).toEqual([])
  expect(await it.db.collection<RawEvent>('events').countDocuments()).toBe(new Set(keys).size)
  expect((await fetch(`${it.url}/readyz`)).status).toBe(200)
})
