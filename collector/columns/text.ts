/** Values of properties as reports show them: what the scan's expression (`query/expressions.ts`) makes of them inside MongoDB. */
import { NONE } from '../rollup/index.ts'

/** @param value as the driver reads it */
export function propertyText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return NONE
  return typeof value === 'number' ? numberText(value) : '(object)'
}

/** What has 15 digits is written out; what is larger, or smaller than a ten thousandth, has six, as C's `%g`. */
function numberText(value: number): string {
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e15) return String(value === 0 ? 0 : value)
  if (size >= 1e-4 && size < 1e14) return String(Number(value.toPrecision(15)))
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
  const [digits = '', exponent = '+0'] = value.toExponential(5).split('e')
  const short = digits.replace(/\.?0+$/, '')
  const power = exponent.slice(1).padStart(2, '0')
  return `${short}e${exponent[0]}${power}`
}
