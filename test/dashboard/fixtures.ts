/** Messages of the live stream, and how an answer was made, each with what a test does not care about filled in. */
import type { LiveEvent, LiveSnapshot, LiveTick } from '../../collector/live/messages.ts'
import type { Meta } from '../../collector/query/schema.ts'

/** 2026-03-04T12:34:56Z */
export const NOW = Date.UTC(2026, 2, 4, 12, 34, 56)

export const event = (id: string, with_: Partial<LiveEvent> = {}): LiveEvent => ({
  id,
  name: 'pageview',
  at: NOW,
  received: NOW,
  host: 'shop.example',
  path: '/',
  source: 'direct',
  device: 'desktop',
  browser: 'Firefox',
  os: 'Linux',
  ...with_,
})

export const snapshot = (with_: Partial<LiveSnapshot>): LiveSnapshot => ({
  site: { key: 'shop', domain: 'shop.example', consent: 'required', timezone: 'UTC' },
  now: NOW,
  deltas: [],
  seconds: [],
  active: 0,
  activeBy: { page: [], source: [], country: [] },
  recent: [],
  conversions: [],
  today: { start: 0, end: 86_400_000, hours: [], visitors: null },
  everSeen: true,
  ...with_,
})

export const tick = (with_: Partial<LiveTick>): LiveTick => ({
  now: NOW,
  seconds: [],
  events: [],
  more: 0,
  deltas: [],
  active: 0,
  ...with_,
})

export const meta = (with_: Partial<Meta>): Meta => ({
  source: 'rollups',
  exact: true,
  fresh: new Date(NOW).toISOString(),
  ms: 1,
  cached: false,
  timezone: 'UTC',
  ...with_,
})
