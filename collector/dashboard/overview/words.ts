/** Dates and values of the overview as the reader writes them. */
import type { MetricValue } from '../../query/schema.ts'
import { strings } from '../strings.ts'
import type { Format } from '../ui/format.ts'
import type { Days } from './dates.ts'
import type { Kind } from './metrics.ts'
import { propertyOf, type Unit } from './params.ts'

const UTC = { timeZone: 'UTC' } as const
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', ...UTC })
const FORMATS: Record<Unit, Intl.DateTimeFormat> = {
  minute: new Intl.DateTimeFormat(undefined, { timeStyle: 'short', ...UTC }),
  hour: new Intl.DateTimeFormat(undefined, { timeStyle: 'short', ...UTC }),
  day: new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', ...UTC }),
  week: new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', ...UTC }),
  month: new Intl.DateTimeFormat(undefined, { month: 'short', year: 'numeric', ...UTC }),
}
const LONG = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  ...UTC,
})
const LONG_TIME = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: 'numeric',
  minute: '2-digit',
  ...UTC,
})

const percent = new Intl.NumberFormat(undefined, {
  style: 'percent',
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
})
const two = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 })
const narrow = (unit: string) => new Intl.NumberFormat(undefined, { style: 'unit', unit, unitDisplay: 'narrow' })
const [hours, minutes, seconds] = [narrow('hour'), narrow('minute'), narrow('second')]

/** A label of the API is a time on the site's clock, which is shown as it is. */
const clock = (label: string) => Date.parse(`${label.slice(0, 19).replace(' ', 'T')}${label.length > 10 ? 'Z' : ''}`)

export const bucketShort = (label: string, unit: Unit) => FORMATS[unit].format(clock(label))
export const bucketLong = (label: string, unit: Unit) =>
  (unit === 'month' ? FORMATS.month : label.length > 10 ? LONG_TIME : LONG).format(clock(label)) + label.slice(19)

export const daysText = ({ first, last }: Days) => dates.formatRange(clock(first), clock(last))

export function lengthText(whole: number): string {
  const s = Math.round(whole)
  if (s < 60) return seconds.format(s)
  if (s < 3_600) return `${minutes.format(Math.floor(s / 60))} ${seconds.format(s % 60)}`
  return `${hours.format(Math.floor(s / 3_600))} ${minutes.format(Math.floor((s % 3_600) / 60))}`
}

export const percentText = (value: number) => percent.format(value / 100)
export const ratioText = (value: number) => two.format(value)

/** @param short for a narrow place, as an axis is */
export function valueText(value: MetricValue | undefined, kind: Kind, words: Format, short = false): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'object') return short ? value.short : value.long
  // An estimated part may be larger than its whole.
  if (kind === 'percent') return percentText(Math.min(value, 100))
  if (kind === 'length') return lengthText(value)
  if (kind === 'ratio') return ratioText(value)
  return short ? words.compact(value) : words.count(value)
}

export const dimName = (dim: string): string => propertyOf(dim) ?? strings.overview.dims[dim] ?? dim

/** What a value of a dimension is called: codes of countries have names. */
export function nameOfValue(dim: string, value: string): string {
  if (dim === 'country' && /^[A-Z]{2}$/.test(value)) return countries?.of(value) ?? value
  if (dim === 'language' && /^[a-z]{2,3}(-|$)/.test(value)) return languageName(value)
  return value
}

let countries: Intl.DisplayNames | undefined
let languages: Intl.DisplayNames | undefined
try {
  countries = new Intl.DisplayNames(undefined, { type: 'region' })
  languages = new Intl.DisplayNames(undefined, { type: 'language' })
} catch {
  // Then codes are shown.
}
function languageName(value: string): string {
  try {
    return languages?.of(value) ?? value
  } catch {
    return value
  }
}
