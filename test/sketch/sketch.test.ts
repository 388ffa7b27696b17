import fc from 'fast-check'
import { expect, test } from 'vitest'
import { drawFrom } from '../../collector/seed/draw.ts'
import { hashOf, type Seed } from '../../collector/sketch/hash.ts'
import {
  addHash,
  ERROR,
  emptySketch,
  estimate,
  FEW,
  type Precision,
  packSketch,
  type Sketch,
  unite,
  unitePacked,
  unpackSketch,
} from '../../collector/sketch/sketch.ts'

/** How many histories are counted: `SKETCHES=200 npx vitest run test/sketch` counts more. */
const HISTORIES = Number(process.env.SKETCHES ?? 4)

const sketchOf = (hashes: Iterable<number>, precision: Precision = 14): Sketch => {
  const sketch = emptySketch(precision)
  for (const hash of hashes) addHash(sketch, hash)
  return sketch
}
const hash = fc.maxSafeNat()
/** Few, and many: a start and a count, as a list of thousands takes long to draw. */
const hashes = fc.oneof(
  fc.array(hash, { maxLength: 20 }),
  fc.tuple(fc.nat(), fc.integer({ min: 200, max: 3_000 })).map(([seed, count]) => manyFrom(seed, count)),
)
function manyFrom(seed: number, count: number): number[] {
  const draw = drawFrom(String(seed))
  return Array.from({ length: count }, () => draw.whole(0, Number.MAX_SAFE_INTEGER - 1))
}
/** Quicker than `toEqual` is for thousands of numbers. */
const isSame = (a: Sketch, b: Sketch): boolean =>
  a.few?.size === b.few?.size &&
  [...(a.few ?? [])].every(hash => b.few?.has(hash)) &&
  Buffer.compare(Buffer.from(a.registers ?? []), Buffer.from(b.registers ?? [])) === 0
const precision = fc.constantFrom<Precision>(12, 14)

test('a sketch united of others is that of all their hashes, in whatever order they come', () => {
  fc.assert(
    fc.property(precision, hashes, hashes, (p, some, others) => {
      const united = sketchOf(some, p)
      unite(united, sketchOf(others, p))
      const other = sketchOf(others, p)
      unite(other, sketchOf(some, p))
      const packed = sketchOf(some, p)
      unitePacked(packed, packSketch(sketchOf(others, p)))
      const all = sketchOf([...others, ...some, ...others], p)
      for (const one of [united, other, packed]) {
        expect(estimate(one)).toEqual(estimate(all))
        expect(isSame(one, all)).toBe(true)
      }
    }),
  )
})

test('it comes back from its bytes as it was', () => {
  fc.assert(
    fc.property(precision, hashes, (p, some) => {
      const sketch = sketchOf(some, p)
      const packed = packSketch(sketch)
      const again = emptySketch(p)
      unite(again, unpackSketch(packed))
      expect(isSame(again, sketch)).toBe(true)
      expect(packed.length).toBe(sketch.registers ? 1 + 2 ** p : 1 + 7 * new Set(some).size)
    }),
  )
})

test('what is united into another stays as it is', () => {
  const day = sketchOf(manyFrom(1, 2_000))
  const before = packSketch(day)
  const month = emptySketch(14)
  unite(month, day)
  unite(month, sketchOf(manyFrom(2, 2_000)))
  expect(packSketch(day)).toEqual(before)
})

test('sketches of two precisions are not united', () => {
  expect(() => unite(emptySketch(12), emptySketch(14))).toThrow('precisions')
})

test(`up to ${FEW} it is exact, and says so`, () => {
  fc.assert(
    fc.property(precision, fc.integer({ min: 0, max: FEW }), fc.nat(), (p, count, seed) => {
      const some = manyFrom(seed, count)
      expect(estimate(sketchOf([...some, ...some], p))).toEqual({ count: new Set(some).size })
    }),
  )
  expect(estimate(sketchOf(manyFrom(3, FEW + 1)))).toEqual({ count: expect.any(Number), error: 0.016 })
})

test('the longest run of zeros that a hash can have is counted, and so is the hash of nothing', () => {
  for (const p of [12, 14] as const) {
    const sketch = sketchOf(manyFrom(4, FEW + 1), p)
    addHash(sketch, 0)
    expect(sketch.registers?.[0]).toBe(53 - p + 1)
    addHash(sketch, Number.MAX_SAFE_INTEGER)
    expect(sketch.registers?.at(-1)).toBeGreaterThan(0)
    expect(estimate(sketch).count).toBeLessThan(400)
  }
})

/** Relative errors at each of these counts, in histories of visitors that come one after another. */
function errorsOf(p: Precision, counts: number[], histories: number, hashAt: (history: number, n: number) => number) {
  const errors: number[] = []
  for (let history = 0; history < histories; history++) {
    const sketch = emptySketch(p)
    let n = 0
    for (const count of counts) {
      for (; n < count; n++) addHash(sketch, hashAt(history, n))
      errors.push(estimate(sketch).count / count - 1)
    }
  }
  return errors
}
const p95 = (errors: number[]): number =>
  errors.map(Math.abs).sort((a, b) => a - b)[Math.ceil(errors.length * 0.95) - 1] ?? 0
const mean = (errors: number[]): number => errors.reduce((sum, error) => sum + error, 0) / errors.length

/** A counter that is well mixed (SplitMix), of 53 bits. */
function mixed(history: number, n: number): number {
  const word = (salt: number): number => {
    let z = Math.imul(n + 1, 0x9e3779b9) ^ Math.imul(history + 1, salt)
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97) ^ salt
    z = Math.imul(z ^ (z >>> 15), 0x85ebca6b)
    return (z ^ (z >>> 16)) >>> 0
  }
  return word(0x68bc21eb) * 0x20_0000 + (word(0x02e5be93) >>> 11)
}

test.each<[Precision, number]>([
  [14, 10_000_000],
  [12, 300_000],
])(
  'with precision %i, at p95 the error is within what is promised, up to %i visitors',
  (p, most) => {
    const counts: number[] = []
    for (let count = FEW + 1; count < most; count = Math.ceil(count * 1.5)) counts.push(count)
    const errors = errorsOf(p, [...counts, most], HISTORIES, mixed)
    const all = { p95: p95(errors), bias: mean(errors), checked: errors.length }
    if (process.env.SKETCHES)
      console.log(p, all, 'at most visitors', p95(errors.filter((_, i) => i % (counts.length + 1) > counts.length - 6)))
    expect(all.p95).toBeLessThanOrEqual(ERROR[p])
    expect(Math.abs(all.bias)).toBeLessThan(ERROR[p] / 4)
  },
  600_000,
)

test.each<[string, (draw: ReturnType<typeof drawFrom>) => string]>([
  ['ids of the tag', draw => draw.id()],
  ['cookieless visitors', draw => `~${draw.hash()}`],
  ['numbers', draw => String(draw.whole(0, 1_000_000_000))],
])(
  'so are hashes of %s',
  (_, make) => {
    const seed: Seed = [0x1234_5678, 0x9abc_def0]
    const draws = new Map<number, ReturnType<typeof drawFrom>>()
    const hashAt = (history: number): number => {
      const draw = draws.get(history) ?? drawFrom(`history ${history}`)
      draws.set(history, draw)
      return hashOf(make(draw), seed)
    }
    const errors = errorsOf(12, [300, 1_000, 3_000, 10_000, 30_000], HISTORIES * 10, hashAt)
    if (process.env.SKETCHES) console.log({ p95: p95(errors), bias: mean(errors) })
    expect(p95(errors)).toBeLessThanOrEqual(ERROR[12])
  },
  600_000,
)

test('a hash is the same for ever, another with another seed, and another of each counted id', () => {
  expect(hashOf('', [0, 0])).toBe(0)
  const ids = Array.from({ length: 200_000 }, (_, i) => `visitor-${i}`)
  expect(new Set(ids.map(id => hashOf(id, [1, 2]))).size).toBe(ids.length)
  expect(ids.filter(id => hashOf(id, [1, 2]) === hashOf(id, [1, 3]))).toEqual([])
})
