/** What is asked of a history, checked. */
import { readTime, type Site, startOfDay } from '../sites/index.ts'
import { KEPT } from '../store/index.ts'
import type { Plan } from './history.ts'

export interface SeedOptions {
  events: number
  days: number
  /** the same seed gives the same history; 1 if absent */
  seed?: number
  /** date of the site's day before which it ends; today if absent */
  until?: string | undefined
  /** share of cookieless visitors; if absent, what the site's mode takes: {@link COOKIELESS} */
  cookieless?: number | undefined
}

/** A history that can't be: every mistake, one a line. */
export class SeedError extends Error {
  override name = 'SeedError'
}

/** By mode: without it nothing comes in that way. */
const COOKIELESS: Record<Site['consent'], number> = { required: 0, cookieless: 0.6, none: 0 }
const DAY_MS = 86_400_000
const MOST = { events: 1_000_000_000, days: Math.floor(KEPT.events / DAY_MS) } as const

/** @param now ms @throws SeedError */
export function planOf(site: Site, options: SeedOptions, now: number): Plan {
  const { events, days, seed = 1, until, cookieless = COOKIELESS[site.consent] } = options
  const today = startOfDay(now, site.timezone)
  const to = until === undefined ? today : /^\d{4}-\d\d-\d\d$/.test(until) ? readTime(until, site.timezone) : undefined
  const wrong: string[] = []
  if (!isWhole(events, 1, MOST.events))
    wrong.push(`events is a whole number from 1 to ${MOST.events.toLocaleString('en')}, not ${events}`)
  if (!isWhole(days, 1, MOST.days))
    wrong.push(`days is a whole number from 1 to ${MOST.days}, as events are kept for so long, not ${days}`)
  if (!isWhole(seed, 0, Number.MAX_SAFE_INTEGER)) wrong.push(`seed is a whole number from 0, not ${seed}`)
  if (!(cookieless >= 0 && cookieless <= 1))
    wrong.push(`cookieless is a share of the visitors, from 0 to 1, not ${cookieless}`)
  if (to === undefined) wrong.push(`until is a date such as 2026-03-29, not "${until}"`)
  else if (to > today) wrong.push(`until is today at the latest, in ${site.timezone}: a history is over`)
  else if (isWhole(days, 1, MOST.days) && startOfDay(to, site.timezone, days) < now - KEPT.events)
    wrong.push(`it would begin over ${MOST.days} days ago, and events are kept for so long: take a later until`)
  if (wrong.length > 0 || to === undefined) throw new SeedError(wrong.join('\n'))
  return { site, seed, events, from: startOfDay(to, site.timezone, days), to, cookieless }
}

const isWhole = (n: number, least: number, most: number): boolean => Number.isInteger(n) && n >= least && n <= most
