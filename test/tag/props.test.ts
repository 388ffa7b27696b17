// @vitest-environment happy-dom
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { encode, snapshot } from '../../tag/props.ts'
import type { Props } from '../../tag/types.ts'

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withSparseArray: true })
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

afterEach(() => {
  Reflect.deleteProperty(Array.prototype, 'toJSON')
})

describe('encode', () => {
  it('is JSON.stringify for any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        expect(encode(value)).toBe(JSON.stringify(value))
      }),
    )
  })

  it('keeps arrays as arrays at every depth, though the page gave them a toJSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        Reflect.deleteProperty(Array.prototype, 'toJSON')
        const expected = JSON.stringify(value)
        Object.assign(Array.prototype, { toJSON: () => 'not an array' })
        expect(encode(value)).toBe(expected)
      }),
    )
  })
})

describe('snapshot', () => {
  it('any JSON value round-trips, under any key but __proto__, which the collector refuses', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (key, value) => {
        const props = Object.fromEntries([[key, value]])
        expect(encode(snapshot(props))).toBe(key === '__proto__' ? '{}' : JSON.stringify(props))
      }),
      { examples: [['__proto__', { a: 1 }]] },
    )
  })

  it('is a copy: nothing that the page changes later is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), list => {
        const copy = snapshot({ list })
        const before = encode(copy)
        list.push('later')
        expect(encode(copy)).toBe(before)
      }),
    )
  })

  it('never throws, and what it gives can always be encoded', () => {
    fc.assert(
      fc.property(anything, value => {
        expect(typeof encode(snapshot(value as Props))).toBe('string')
        expect(typeof encode(snapshot({ value }))).toBe('string')
      }),
      { numRuns: 1_000 },
    )
  })

  it('leaves out only the property that JSON cannot hold', () => {
    const cycle: Props = {}
    cycle.self = cycle
    const bad = fc.constantFrom<unknown>(1n, [1n], { deep: { big: 1n } }, cycle, () => 1, Symbol('s'), undefined)
    fc.assert(
      fc.property(fc.jsonValue(), bad, fc.jsonValue(), (first, wrong, last) => {
        const throws = {
          get broken(): never {
            throw new Error('broken')
          },
        }
        const props = Object.defineProperties({ first, wrong }, Object.getOwnPropertyDescriptors(throws))
        expect(snapshot(Object.assign(props, { last }))).toEqual({ first: json(first), last: json(last) })
      }),
    )
  })

  it('adds to what is there, and the later value counts', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(snapshot({ b }, { a: json(a), b: 'before' })).toEqual({ a: json(a), b: json(b) })
      }),
    )
  })
})
