/** The documents of the journal. A {@link JournalPage} is a group of events that became durable together. */
import type { ObjectId } from 'mongodb'
import type { HourDelta } from './hours.ts'

/**
 * An event as intake accepted it: everything that settle, live and the raw record need of it. Fields that are undefined
 * are not stored.
 */
export interface JournalEvent {
  site: string
  name: string
  id: string
  /** whether `id` is the caller's own, unique per site and name; else it is unique per site */
  own?: true | undefined
  /** when it happened, corrected by the collector's clock */
  ts: Date
  visitor?: string | undefined
  session?: string | undefined
  /** without what may tell who somebody is; so are `path` and `ref` */
  url: string
  host: string
  path: string
  ref: string
  source: string
  /** one of a closed list, such as `organic search` */
  channel: string
  /** `utm_source`, where the link had it */
  utm?: string | undefined
  /** `utm_medium`, `utm_campaign`, `utm_term` and `utm_content` */
  medium?: string | undefined
  campaign?: string | undefined
  term?: string | undefined
  content?: string | undefined
  title?: string | undefined
  device: string
  browser: string
  /** of the browser: the number before the first point */
  version?: string | undefined
  os: string
  language?: string | undefined
  zone?: string | undefined
  /** where the visitor is, as much as the site is to know: ISO 3166-1, ISO 3166-2, a name in English */
  country?: string | undefined
  region?: string | undefined
  city?: string | undefined
  /** width of the viewport, CSS pixels */
  width?: number | undefined
  consent: 'g' | 'l' | 'x' | 'd'
  /** what gave a bot away */
  bot?: string | undefined
  /** names of properties that its site had declared when it came: by these it is counted */
  declared?: readonly string[] | undefined
  props?: Record<string, unknown> | undefined
  /** names of the goals that it meets, as the site had them when it came: decided once, before it is written */
  goals?: string[] | undefined
  /** what it is worth, minor units of `currency`: as it says itself, or else the first of its goals that has a value */
  revenue?: number | undefined
  /** of ISO 4217; there where `revenue` is */
  currency?: string | undefined
}

/** What is counted for one value (a path, a name …) in one minute. Rows of {@link Delta} and rollups have this order. */
export const COUNTERS = ['events', 'views', 'sessions', 'bounces', 'duration', 'bots'] as const
export type Counter = (typeof COUNTERS)[number]

/** A row in which nothing has been counted. */
export const emptyRow = (): number[] => COUNTERS.map(() => 0)

/**
 * By what is counted in minutes: all events; by name; page views by path; bots by what gave them away; impressions and clicks
 * of campaigns, without bots, by {@link campaignOf}.
 */
export const DIMENSIONS = ['total', 'name', 'page', 'bot', 'impression', 'click'] as const
export type Dimension = (typeof DIMENSIONS)[number]

/** By how much the counters of one minute and dimension change when a page is settled. `counters` holds one row a value. */
export interface Delta {
  site: string
  dim: Dimension
  /** begin of the minute, ms since the epoch */
  at: number
  values: string[]
  counters: number[][]
}

export interface JournalPage {
  _id: ObjectId
  lane: number
  epoch: number
  /** when it was received */
  at: Date
  /** how many events */
  n: number
  events: JournalEvent[]
  state: 'open' | 'settled'
  /** its number in the lane, from 1, once settled */
  settled?: number
  deltas?: Delta[]
  /** the same by hour, where live views do not look; absent in pages of before */
  hours?: HourDelta[]
  /** when the last rollup took its deltas; its TTL stands on this */
  foldedAt?: Date
}
