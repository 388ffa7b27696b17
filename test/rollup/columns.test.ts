import fc from 'fast-check'
import { Binary } from 'mongodb'
import { expect, test } from 'vitest'
import { COUNTERS, OTHER } from '../../collector/journal/index.ts'
import { packRows, unpackRows } from '../../collector/rollup/columns.ts'
import { addDelta, emptyRollup, fromDocument, MOST_VALUES, otherOf, toDocument } from '../../collector/rollup/rollup.ts'

const row = fc.array(fc.double(), { minLength: COUNTERS.length, maxLength: COUNTERS.length })

test('rows come back from their columns as they were, each number to the last bit', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 50 }), rows => {
      const packed = packRows(rows, COUNTERS.length)
      expect(packed.length()).toBe(rows.length * COUNTERS.length * 8)
      expect(unpackRows(packed, rows.length, COUNTERS.length)).toEqual(rows)
    }),
  )
})

test('a whole document does, too', () => {
  const rows = fc.dictionary(fc.string({ unit: 'grapheme' }), row, { maxKeys: 20 })
  fc.assert(
    fc.property(rows, values => {
      const rollup = { ...emptyRollup({ site: 'shop', dim: 'page', at: 60_000 }, 3), upto: 9 }
      addDelta(rollup.rows, { dim: 'page', values: Object.keys(values), counters: Object.values(values) })
      expect(fromDocument(toDocument(rollup))).toEqual(rollup)
    }),
  )
})

test('a counter that was added later is 0 in older documents', () => {
  const [first, second] = [
    [1, 2],
    [3, 4],
  ]
  const bytes = Buffer.alloc(4 * 8)
  for (const [i, n] of [1, 3, 2, 4].entries()) bytes.writeDoubleLE(n, i * 8)
  const rest = COUNTERS.slice(2).map(() => 0)
  expect(unpackRows(new Binary(bytes), 2, COUNTERS.length)).toEqual([
    [...(first ?? []), ...rest],
    [...(second ?? []), ...rest],
  ])
})

test('no value, no row', () => {
  expect(unpackRows(packRows([], 6), 0, 6)).toEqual([])
})

test(`past ${MOST_VALUES} values new ones become ${OTHER}, those that are there go on, and nothing is lost`, () => {
  const rows = new Map<string, number[]>()
  const values = Array.from({ length: MOST_VALUES + 50 }, (_, i) => `/${i}`)
  for (let round = 0; round < 2; round++)
    addDelta(rows, { dim: 'page', values, counters: values.map(() => [1, 2, 0, 0, 0, 0]) })
  expect(rows.size).toBe(MOST_VALUES + 1)
  expect(rows.get('/0')).toEqual([2, 4, 0, 0, 0, 0])
  expect(rows.get(OTHER)).toEqual([100, 200, 0, 0, 0, 0])
  expect(rows.has(`/${MOST_VALUES}`)).toBe(false)
  expect([...rows.values()].reduce((sum, [n = 0]) => sum + n, 0)).toBe(2 * values.length)
})

test('of properties each has its own, so that one of many values does not hide what others are', () => {
  const rows = new Map<string, number[]>()
  const values = ['plan.pro', ...Array.from({ length: MOST_VALUES }, (_, i) => `order.${i}`), 'plan.a.b', 'plan.pro']
  addDelta(rows, { dim: 'property', values, counters: values.map(() => [1, 0]) })
  expect(rows.get('plan.pro')).toEqual([2, 0])
  expect([...rows.keys()].slice(MOST_VALUES)).toEqual(['order.(other)', 'plan.(other)'])
  expect(otherOf('property', 'plan.a.b')).toBe('plan.(other)')
})
