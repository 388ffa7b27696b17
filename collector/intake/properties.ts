import { LIMITS } from '../../tag/wire.ts'
import type { Refusal } from './reasons.ts'

/** Whether a text can be stored and found again: no NUL, no half of a surrogate pair. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/

/** Whether a text may be a name or an id: storable and without control characters. */
export const isPrintable = (text: string): boolean => !CONTROL.test(text) && text.isWellFormed()

/**
 * Checks properties against {@link LIMITS}: how many, how deep, keys, texts. Walks with a stack of its own and never
 * deeper than the limit, so nesting in the input cannot exhaust the call stack.
 */
export function refuseProperties(properties: unknown): Refusal | undefined {
  if (!isObject(properties)) return { reason: 'properties-invalid' }
  const open: { value: object; depth: number }[] = [{ value: properties, depth: 1 }]
  let count = 0
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth } = next
    const isList = Array.isArray(value)
    for (const [key, inner] of Object.entries(value)) {
      if (++count > LIMITS.properties) return { reason: 'properties-too-many' }
      if (!isList && !isKey(key)) return { reason: 'property-key-invalid', detail: `property ${count}` }
      if (typeof inner === 'string') {
        if (inner.length > LIMITS.text) return { reason: 'text-too-long', detail: `property ${count}` }
        if (!isStorable(inner)) return { reason: 'text-invalid', detail: `property ${count}` }
      } else if (typeof inner === 'object' && inner !== null) {
        if (depth >= LIMITS.depth) return { reason: 'properties-too-deep' }
        open.push({ value: inner, depth: depth + 1 })
      }
    }
  }
  return undefined
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `__proto__` would be lost, and the driver takes an object with `_bsontype` for one of its own and refuses the whole page. */
const RESERVED = ['__proto__', '_bsontype']

const isKey = (key: string): boolean =>
  key !== '' &&
  key.length <= LIMITS.key &&
  !key.startsWith('$') &&
  !key.includes('.') &&
  !RESERVED.includes(key) &&
  isPrintable(key)
