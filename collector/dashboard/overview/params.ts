/** What the overview shows, as it stands in the address, and which question of the API that is. Plain data, both ways. */
import type { Params } from '../shell/api.ts'

/** Ranges by the name that the address has for them, and what the API calls the same. */
export const RANGES = {
  '30m': '30m',
  '6h': '6h',
  '24h': '24h',
  today: 'day',
  yesterday: '1d',
  '7d': '7d',
  '30d': '30d',
  month: 'month',
  'last-month': '1mo',
  '6mo': '6mo',
  '12mo': '12mo',
  year: 'year',
  all: 'all',
} as const
export type RangeName = keyof typeof RANGES
/** Ranges that end with the present minute, and their length, ms. */
export const ROLLING: Readonly<Record<string, number>> = { '30m': 1_800_000, '6h': 21_600_000, '24h': 86_400_000 }

/** Dimensions by the short name that the address has for them; `prop.<name>` beside them. */
export const DIMENSIONS: Readonly<Record<string, string>> = {
  page: 'event:page',
  hostname: 'event:hostname',
  entry: 'visit:entry_page',
  exit: 'visit:exit_page',
  source: 'visit:source',
  channel: 'visit:channel',
  referrer: 'visit:referrer',
  utm_campaign: 'visit:utm_campaign',
  utm_source: 'visit:utm_source',
  utm_medium: 'visit:utm_medium',
  utm_term: 'visit:utm_term',
  utm_content: 'visit:utm_content',
  country: 'visit:country',
  region: 'visit:region',
  city: 'visit:city',
  language: 'visit:language',
  device: 'visit:device',
  browser: 'visit:browser',
  os: 'visit:os',
  event: 'event:name',
  goal: 'event:goal',
  bot: 'event:bot',
}
const PROPERTY = 'prop.'
export const propertyDim = (name: string) => PROPERTY + name
export const propertyOf = (dim: string) => (dim.startsWith(PROPERTY) ? dim.slice(PROPERTY.length) : undefined)

/** The API's name of a dimension; `undefined` where there is none of this name. */
export function attributeOf(dim: string): string | undefined {
  const name = propertyOf(dim)
  if (name) return `event:props:${name}`
  return Object.hasOwn(DIMENSIONS, dim) ? DIMENSIONS[dim] : undefined
}

export const OPERATORS = ['is', 'is_not', 'contains', 'contains_not'] as const
export type Operator = (typeof OPERATORS)[number]

export interface Filter {
  op: Operator
  dim: string
  /** one of them fits */
  values: readonly string[]
}

export const UNITS = ['minute', 'hour', 'day', 'week', 'month'] as const
export type Unit = (typeof UNITS)[number]
export const COMPARISONS = ['previous', 'year', 'none'] as const
export type Comparison = (typeof COMPARISONS)[number]

export interface Shown {
  /** a name of {@link RANGES}, or `<first date>..<last date>` */
  range: string
  compare: Comparison
  /** of the chart; null where it is left to the range */
  unit: Unit | null
  /** of the chart */
  metric: string
  filters: readonly Filter[]
  /** whether bots are counted, too */
  bots: boolean
  /** dimension whose long list is open */
  details: string | null
}

export const DATES = /^(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)$/

export function readShown(params: Params): Shown {
  const { range = '', compare, by, metric = 'visitors', f = '', bots, details = '' } = params
  return {
    range: Object.hasOwn(RANGES, range) || DATES.test(range) ? range : 'today',
    compare: COMPARISONS.find(one => one === compare) ?? 'previous',
    unit: UNITS.find(one => one === by) ?? null,
    metric,
    filters: readFilters(f),
    bots: bots === '1',
    details: attributeOf(details) ? details : null,
  }
}

/**
 * `is:page:/a,/b;is_not:source:google`: filters that all hold, each with values of which one fits. A backslash stands
 * before a comma, semicolon, colon or backslash that belongs to a name or value.
 */
export function readFilters(text: string): Filter[] {
  return split(text, ';').flatMap(part => {
    const [op = '', dim = '', ...rest] = split(part, ':')
    const operator = OPERATORS.find(one => one === op)
    const values = split(rest.join(':'), ',').map(plain)
    const name = plain(dim)
    return operator && attributeOf(name) && rest.length > 0 ? [{ op: operator, dim: name, values }] : []
  })
}

export const writeFilters = (filters: readonly Filter[]): string =>
  filters
    .map(
      ({ op, dim, values }) => `${op}:${escaped(dim, /[\\,;:]/g)}:${values.map(v => escaped(v, /[\\,;]/g)).join(',')}`,
    )
    .join(';')

/** Where a character is that no backslash stands before. */
function split(text: string, at: string): string[] {
  const parts = ['']
  for (let i = 0; i < text.length; i++) {
    if (text[i] === at) parts.push('')
    else parts.push(parts.pop() + (text[i] === '\\' ? `\\${text[++i] ?? ''}` : (text[i] ?? '')))
  }
  return parts
}
const plain = (text: string) => text.replace(/\\(.?)/gs, '$1')
const escaped = (text: string, what: RegExp) => text.replace(what, '\\$&')

/** The filters after a click on a value: a second click takes it back, and nothing is both wanted and excluded. */
export function toggled(filters: readonly Filter[], dim: string, value: string, excludes = false): Filter[] {
  const [op, other] = excludes ? (['is_not', 'is'] as const) : (['is', 'is_not'] as const)
  const without = leftOf(filters, other, dim, value)
  const own = without.find(filter => filter.op === op && filter.dim === dim)
  if (!own) return [...without, { op, dim, values: [value] }]
  if (own.values.includes(value)) return leftOf(without, op, dim, value)
  return without.map(filter => (filter === own ? { ...own, values: [...own.values, value] } : filter))
}

const leftOf = (filters: readonly Filter[], op: Operator, dim: string, value: string): Filter[] =>
  filters
    .map(filter =>
      filter.op === op && filter.dim === dim
        ? { ...filter, values: filter.values.filter(one => one !== value) }
        : filter,
    )
    .filter(({ values }) => values.length > 0)

export const isFiltered = (filters: readonly Filter[], dim: string, value: string): boolean =>
  filters.some(filter => filter.op === 'is' && filter.dim === dim && filter.values.includes(value))

/** As the API takes it. */
export const filterOf = ({ op, dim, values }: Filter) => [op, attributeOf(dim) ?? dim, [...values]]
