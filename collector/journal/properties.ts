/**
 * Declared properties as a dimension: all of a site's in one, each event in one row of each. What an event has not is
 * `(none)`, a row as any other. So the rows of a property add up to all events if, and only if, it was declared when each of
 * them came: whoever reads them needs no time of declaration, and no clock, to know whether they tell all.
 */
import { NONE, OTHER } from './dimensions.ts'

/** Of a value, UTF-16 code units: a longer one is `(other)`. */
export const MOST_PROPERTY_TEXT = 200
/** No name of a property has one. */
const BETWEEN = '.'

/** The value of the dimension `property`, as in `plan.pro`. */
export const propertyKey = (name: string, text: string): string => name + BETWEEN + text
/** Back to both. */
export function fromPropertyKey(key: string): { name: string; text: string } {
  const at = key.indexOf(BETWEEN)
  return { name: key.slice(0, at), text: key.slice(at + 1) }
}

/**
 * The text of a property as the scan of raw events has it (`eventText` of the query API), or `(other)`, which is left to the
 * scan: what is too long, and numbers that mongod may write otherwise than JavaScript.
 */
export function propertyText(props: Readonly<Record<string, unknown>> | undefined, name: string): string {
  const value = props && Object.hasOwn(props, name) ? props[name] : undefined
  if (value === undefined || value === null) return NONE
  if (typeof value === 'string') return value.length > MOST_PROPERTY_TEXT ? OTHER : value
  if (typeof value === 'number') return numberText(value)
  return typeof value === 'boolean' ? String(value) : '(object)'
}

/** A double is sure of 15 digits: what has more, or is written with an exponent, mongod rounds or writes otherwise. */
function numberText(value: number): string {
  const size = Math.abs(value)
  const text = String(value)
  if (Number.isInteger(value)) return size < 1e15 ? text : OTHER
  return size >= 1e-4 && size < 1e14 && value.toPrecision(15).replace(/0+$/, '') === text ? text : OTHER
}
