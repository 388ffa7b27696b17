import fc from 'fast-check'
import { BSON } from 'mongodb'
import { expect, test } from 'vitest'
import { HOUR_COUNTERS, HOUR_DIMENSIONS, type HourDelta, packHour, unpackHour } from '../../collector/journal/index.ts'

/** Small, large and negative, as sums of a page are. */
const number = fc.oneof(fc.integer({ min: -130, max: 130 }), fc.integer({ min: -(2 ** 50), max: 2 ** 50 }))
const row = fc.array(fc.oneof(fc.constant(0), number), {
  minLength: HOUR_COUNTERS.length,
  maxLength: HOUR_COUNTERS.length,
})
const rows = fc.dictionary(fc.string({ unit: 'grapheme' }), row, { maxKeys: 8, noNullPrototype: true })
const hour = fc.array(fc.option(rows, { nil: undefined }), {
  minLength: HOUR_DIMENSIONS.length,
  maxLength: HOUR_DIMENSIONS.length,
})
const maps = (dims: (Record<string, number[]> | undefined)[]) => dims.map(dim => dim && new Map(Object.entries(dim)))
const throughBson = (delta: HourDelta) => BSON.deserialize(BSON.serialize(delta)) as HourDelta

test('what changes comes back as it was, to the last bit, and nothing else does', () => {
  fc.assert(
    fc.property(hour, dims => {
      const packed = packHour('shop', 3_600_000, maps(dims))
      const back = packed ? unpackHour(throughBson(packed)) : []
      const expected = HOUR_DIMENSIONS.flatMap((dim, d) => {
        const all = Object.entries(dims[d] ?? {}).filter(([, row]) => row.some(n => n !== 0))
        if (all.length === 0) return []
        return { site: 'shop', dim, at: 3_600_000, values: all.map(([v]) => v), counters: all.map(([, row]) => row) }
      })
      expect(back).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})

test('a hundred visits that have much in common take few bytes', () => {
  const rows = HOUR_DIMENSIONS.map(dim => new Map([[dim, [2_000, 500, 100, 40, 90_000_000, 1_000_000, 9, 0]]]))
  const packed = packHour('shop', 0, rows)
  expect(packed?.counters.length()).toBeLessThanOrEqual(HOUR_DIMENSIONS.length * 20)
})
