/** By what is counted in hours: one table. A new attribute of visits needs a line in {@link ATTRIBUTES} and nothing else. */
import type { JournalEvent } from './page.ts'

/**
 * What is counted for one value in one hour. Rows of hours have this order; those of {@link EVENT_DIMENSIONS} have the first
 * two, and that of revenue the last one, too, in minor units. `goals` are the conversions of visits.
 */
// biome-ignore format: one line
export const HOUR_COUNTERS = ['events', 'views', 'sessions', 'bounces', 'duration', 'engaged', 'goals', 'revenue'] as const
export type HourCounter = (typeof HOUR_COUNTERS)[number]

/** Of viewport widths, CSS pixels: each class takes those below its bound. */
export const SCREENS = [
  ['mobile', 576],
  ['tablet', 992],
  ['laptop', 1_440],
  ['desktop', Number.POSITIVE_INFINITY],
] as const

export const screenOf = (width: number | undefined): string | undefined =>
  width === undefined || !(width > 0) ? undefined : SCREENS.find(([, bound]) => width < bound)?.[0]

/**
 * What a visit has of the event that tells how it came about: its first page view; without one, its first event. Fields of
 * sessions have these names. Empty is as if absent: the value `(none)`.
 */
export const ATTRIBUTES = {
  source: event => event.source,
  ref: event => event.ref,
  channel: event => event.channel,
  utm: event => event.utm,
  medium: event => event.medium,
  campaign: event => event.campaign,
  term: event => event.term,
  content: event => event.content,
  language: event => event.language,
  screen: event => screenOf(event.width),
  device: event => event.device,
  browser: event => event.browser,
  version: event => event.version,
  os: event => event.os,
  country: event => event.country,
  region: event => event.region,
  city: event => event.city,
} as const satisfies Record<string, (event: JournalEvent) => string | undefined>
export type Attribute = keyof typeof ATTRIBUTES

/**
 * Of events, in the hour in which they happened: all, by name, by path, by host, by state of consent; and by what gave a bot
 * away. Bots are in that one alone. Of a path or host `events` are all that happened there, and `views` the page views:
 * where only page views are asked for, rows without any are left out. By goal: an event is in the row of each that it meets.
 * By revenue: what is worth something, see {@link revenueKey}. By property: an event is in one row of each that its site had
 * declared when it came, see `propertyKey`.
 */
// biome-ignore format: one line
export const EVENT_DIMENSIONS = ['total', 'name', 'page', 'host', 'consent', 'bot', 'goal', 'revenue', 'property'] as const
/** Of visits, in the hour in which they began, without bots: all, and by what each is. */
export const VISIT_DIMENSIONS = [
  'visits',
  'entry',
  'exit',
  ...(Object.keys(ATTRIBUTES) as Attribute[]),
] as const satisfies readonly string[]
export const HOUR_DIMENSIONS = [...EVENT_DIMENSIONS, ...VISIT_DIMENSIONS] as const
export type HourDimension = (typeof HOUR_DIMENSIONS)[number]

/** What is a whole, or divides none: into rows that overlap, or that say themselves what has no value. */
const APART: readonly HourDimension[] = ['total', 'visits', 'bot', 'goal', 'revenue', 'property']

/** The value of what has none. */
export const NONE = '(none)'
/** The value of what is beyond the values, or the length of a text, that is counted by itself. */
export const OTHER = '(other)'

/** What holds all of what a dimension divides, so that the rest of it is what has no value. */
export const wholeOf = (dim: HourDimension): 'total' | 'visits' | undefined => {
  if (APART.includes(dim)) return undefined
  return (EVENT_DIMENSIONS as readonly string[]).includes(dim) ? 'total' : 'visits'
}

/** The value of the dimension `revenue`: a currency, and a goal; without one, all that was worth something in the currency. */
export const revenueKey = (currency: string, goal = ''): string => `${currency} ${goal}`
/** Back to both. A code of ISO 4217 has three letters. */
export const fromRevenueKey = (key: string): { currency: string; goal: string } => ({
  currency: key.slice(0, 3),
  goal: key.slice(4),
})
