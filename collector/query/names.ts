/**
 * The names of the query API: metrics and dimensions, as Plausible's Stats API v2 has them, and the fields that they are
 * here. What Plausible has and livetag has not (yet) is named too, so that a refusal can say what to ask instead.
 */

/** What can be counted. */
export const METRICS = [
  'visitors',
  'visits',
  'pageviews',
  'events',
  'views_per_visit',
  'bounce_rate',
  'visit_duration',
  'percentage',
  'conversion_rate',
  'group_conversion_rate',
  'total_revenue',
  'average_revenue',
] as const
export type Metric = (typeof METRICS)[number]

/** Metrics of whole visits: they make no sense for single events. */
export const VISIT_METRICS: readonly Metric[] = ['views_per_visit', 'bounce_rate', 'visit_duration']

/** Of the visitors of a goal, and of what its conversions were worth: they take a filter or dimension `event:goal`. */
export const CONVERSION_METRICS: readonly Metric[] = ['conversion_rate', 'group_conversion_rate']
export const REVENUE_METRICS: readonly Metric[] = ['total_revenue', 'average_revenue']

/** Dimensions of a visit and the fields of its session. The values are those of its first page view. */
export const VISIT_FIELDS = {
  'visit:entry_page': 'entry',
  'visit:entry_page_hostname': 'host',
  'visit:exit_page': 'exit',
  'visit:source': 'source',
  'visit:referrer': 'ref',
  'visit:channel': 'channel',
  'visit:utm_source': 'utm',
  'visit:utm_medium': 'medium',
  'visit:utm_campaign': 'campaign',
  'visit:utm_term': 'term',
  'visit:utm_content': 'content',
  'visit:device': 'device',
  'visit:browser': 'browser',
  'visit:browser_version': 'version',
  'visit:os': 'os',
  'visit:language': 'language',
  'visit:screen': 'screen',
  'visit:country': 'country',
  'visit:country_name': 'country',
  'visit:region': 'region',
  'visit:city': 'city',
  'visit:city_name': 'city',
} as const
export type VisitDimension = keyof typeof VISIT_FIELDS

/**
 * Dimensions of an event and its fields; `event:props:<name>` beside them. An event meets any number of goals: as a dimension
 * each is a row, and a filter holds where one of them fits.
 */
export const EVENT_FIELDS = {
  'event:name': 'meta.name',
  'event:page': 'path',
  'event:hostname': 'host',
  'event:consent': 'consent',
  'event:bot': 'bot',
  'event:goal': 'goals',
} as const
export type EventDimension = keyof typeof EVENT_FIELDS | `event:props:${string}`

export const INTERVALS_OF_TIME = ['minute', 'hour', 'day', 'week', 'month'] as const
export type TimeUnit = (typeof INTERVALS_OF_TIME)[number]
export type TimeDimension = `time:${TimeUnit}`

export type Dimension = VisitDimension | EventDimension | TimeDimension
/** What a filter can ask for. */
export type Attribute = VisitDimension | EventDimension

/** A property's name has at most 100 characters, as at the door. */
export const PROPERTY = /^event:props:.{1,100}$/su

export const isVisitDimension = (name: string): name is VisitDimension => Object.hasOwn(VISIT_FIELDS, name)
export const isEventDimension = (name: string): name is EventDimension =>
  Object.hasOwn(EVENT_FIELDS, name) || PROPERTY.test(name)
export const isTimeDimension = (name: string): name is TimeDimension => name.startsWith('time:')

const PAGES = 'It cannot be answered exactly yet.'

/** Names of Plausible's that are not answered, and why. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  scroll_depth: PAGES,
  time_on_page: PAGES,
  exit_rate: PAGES,
  segment: 'There are no saved segments: write their filters out.',
  'visit:region_name': 'Of a region its code is kept (ISO 3166-2): ask visit:region.',
  'visit:os_version': 'The version of an operating system is not kept: ask visit:os.',
  'visit:exit_page_hostname': 'Only the host of the first page view is kept: ask visit:entry_page_hostname.',
}
