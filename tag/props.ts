/** JSON that holds whatever a page passes in. */
import type { Props } from './types.ts'

/**
 * `JSON.stringify`, in which arrays stay arrays though an old library gave them a `toJSON` (Prototype 1.6 makes strings of
 * them).
 */
export const encode = (value: unknown): string =>
  JSON.stringify(value, function (this: Props, key, json) {
    return Array.isArray(this[key]) ? this[key] : json
  })

/**
 * Copies `props` into `into` as they are now. A property that JSON can't hold (a cycle, a BigInt, a function, a getter
 * that throws) is left out; the others are kept.
 */
export const snapshot = (props?: Props, into: Props = {}): Props => {
  for (const key in props) {
    try {
      into[key] = JSON.parse(encode(props[key]))
    } catch {}
  }
  return into
}
