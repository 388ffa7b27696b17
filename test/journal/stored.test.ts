import fc from 'fast-check'
import { BSON } from 'mongodb'
import { expect, test } from 'vitest'
import { fromStored, type JournalEvent, type StoredPage, toStored } from '../../collector/journal/index.ts'
import { openPage } from '../fixtures/events.ts'

const text = fc.constantFrom('a', 'b')
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
/** Every field of an event, of few values: so neighbors often have all or nearly all in common. */
const event: fc.Arbitrary<Required<JournalEvent>> = fc.record({
  ...Object.fromEntries(['name', 'id', 'site', 'url', 'host', 'path', 'ref', 'source', 'channel'].map(f => [f, text])),
  ...Object.fromEntries(
    [
      'visitor',
      'session',
      'medium',
      'campaign',
      'term',
      'content',
      'title',
      'language',
      'zone',
      'bot',
      'country',
      'region',
      'city',
    ].map(field => [field, maybe(text)]),
  ),
  ts: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
  own: maybe(fc.constant(true)),
  device: text,
  browser: text,
  os: text,
  width: maybe(fc.constantFrom(0, 320)),
  consent: fc.constantFrom('g', 'x'),
  declared: maybe(fc.constantFrom(['plan'], ['plan', 'size'])),
  props: maybe(fc.dictionary(text, text, { noNullPrototype: true })),
} as unknown as { [field in keyof JournalEvent]-?: fc.Arbitrary<JournalEvent[field]> }) as never

const bson = { ignoreUndefined: true }
const throughBson = (page: StoredPage) => BSON.deserialize(BSON.serialize(page, bson)) as StoredPage

test('a page comes back from the collection as it was: every field, in the same order', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 20 }), events => {
      const page = openPage(events)
      expect(fromStored(throughBson(toStored(page)))).toEqual(page)
    }),
    { numRuns: 300 },
  )
})

test('what neighbors share stands once, and one difference in it begins another envelope', () => {
  fc.assert(
    fc.property(event, event, (a, b) => {
      const { name, id, own, ts, props, ...shared } = b
      const twin = { ...a, name, id, own, ts, props }
      expect(toStored(openPage([a, twin])).envelopes).toHaveLength(1)
      for (const [field, value] of Object.entries(shared)) {
        const differs = value !== a[field as keyof JournalEvent]
        expect(toStored(openPage([a, { ...twin, [field]: value }])).envelopes).toHaveLength(differs ? 2 : 1)
      }
    }),
    { numRuns: 100 },
  )
})
