/** Who was seen in which rows: each visitor of a row is counted once, however many rows and visitors come, and when. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { idOfPlace, NOTHING, WINDOWS } from '../../collector/columns/index.ts'
import { startSeen } from '../../collector/query/seen.ts'

/** More rows than bits are made for at first, and now and then a visitor far beyond those before. */
const chunk = fc.array(
  fc.tuple(
    fc.oneof(fc.nat(6), fc.nat(700)),
    fc.oneof(
      fc.tuple(fc.nat(WINDOWS - 1), fc.oneof(fc.nat(40), fc.nat(3_000), fc.nat(60_000))),
      fc.constant(undefined),
    ),
  ),
  { minLength: 1, maxLength: 60 },
)

test('who was seen before there were so many rows and visitors is not counted again', () => {
  // First of all, as later ones begin with as much room as was needed before.
  const seen = startSeen(undefined, 1)
  const counted = new Float64Array(100)
  const all = Array.from({ length: 5 }, () => new Set<number>())
  for (const [rows, most] of [
    [2, 100],
    [20, 100],
    [20, 2_000],
    [90, 40_000],
  ] as const) {
    for (let i = 0; i < 300; i++) {
      const [row, id] = [i % 5, idOfPlace(i % WINDOWS, (i * 7) % most)]
      const rowOf = Math.min(row, rows - 1)
      all[rowOf]?.add(id)
      seen.count(counted, Int32Array.of(rowOf), Uint32Array.of(id), 1, rows)
    }
  }
  expect([...counted.subarray(0, 5)]).toEqual(all.map(({ size }) => size))
})

test('each once a row', () => {
  let counts = 0
  fc.assert(
    fc.property(
      fc.array(chunk, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(undefined, 1, 5, 30),
      fc.constantFrom(1, 16),
      (chunks, few, groups) => {
        const seen = startSeen(few, groups)
        const expected = new Map<number, Set<number>>()
        const counted = new Float64Array(701 * groups)
        let held = 0
        for (const pairs of chunks) {
          const rows = pairs.map(([row]) => row)
          held = Math.max(held, ...rows.map(row => row + 1))
          const ids = pairs.map(([, visitor]) => (visitor ? idOfPlace(...visitor) : NOTHING))
          const places = rows.map((row, i) => row * groups + ((ids[i] as number) % groups))
          seen.count(counted, Int32Array.from(places), Uint32Array.from(ids), rows.length, held)
          for (const [i, row] of rows.entries()) {
            if (!expected.has(row)) expected.set(row, new Set())
            if (ids[i] !== NOTHING) expected.get(row)?.add(ids[i] as number)
          }
        }
        for (const [row, visitors] of expected) {
          // Few are always counted, others where there is room.
          if (few === undefined || row < few) expect(seen.isCounted(row)).toBe(true)
          if (!seen.isCounted(row)) continue
          counts += visitors.size
          const of = counted.subarray(row * groups, (row + 1) * groups)
          expect(of.reduce((sum, n) => sum + n, 0)).toBe(visitors.size)
        }
        seen.end()
      },
    ),
    { numRuns: 500 },
  )
  expect(counts).toBeGreaterThan(3_000)
})

test('bits of many rows are not made anew, whatever else was asked meanwhile', () => {
  const begin = (rows: number) => {
    const seen = startSeen(rows, 1)
    return { ...seen, bits: seen.bitsFor(rows, idOfPlace(0, 30_000))?.bits }
  }
  const all = [20, 40, 60, 80, 100].map(begin)
  for (const { end } of all) end()
  for (let i = 0; i < 3; i++) {
    const many = begin(100)
    expect(all.some(({ bits }) => bits === many.bits)).toBe(true)
    many.end()
  }
})
