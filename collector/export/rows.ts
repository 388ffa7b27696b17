/** From documents of the database to rows. What is not in a table of columns is not given out. */
import type { JournalEvent } from '../journal/index.ts'
import type { RawEvent, Session } from '../settle/index.ts'
import { toMajor } from '../sites/index.ts'
import type { EVENT_COLUMNS, RowOf, SESSION_COLUMNS } from './columns.ts'

export type EventRow = RowOf<typeof EVENT_COLUMNS>
export type SessionRow = RowOf<typeof SESSION_COLUMNS>

/** Fields of {@link RawEvent} that came with the event. */
export type StoredEvent = RawEvent & Partial<Omit<JournalEvent, 'site' | 'name'>>

/** Empty is as if absent. */
const text = (value: string | undefined): string | null => value || null
const whole = (value: number | undefined): number | null => (Number.isSafeInteger(value) ? (value ?? null) : null)

export const eventRow = (event: StoredEvent): EventRow => ({
  time: event.ts,
  id: event.id,
  name: event.meta.name,
  visitor: text(event.visitor),
  session: text(event.session),
  url: text(event.url),
  host: text(event.host),
  path: text(event.path),
  title: text(event.title),
  source: text(event.source),
  channel: text(event.channel),
  referrer: text(event.ref),
  utm_source: text(event.utm),
  utm_medium: text(event.medium),
  utm_campaign: text(event.campaign),
  utm_term: text(event.term),
  utm_content: text(event.content),
  device: text(event.device),
  browser: text(event.browser),
  browser_version: text(event.version),
  os: text(event.os),
  language: text(event.language),
  country: text(event.country),
  region: text(event.region),
  city: text(event.city),
  timezone: text(event.zone),
  width: whole(event.width),
  consent: text(event.consent),
  bot: text(event.bot),
  properties: event.props ?? null,
  goals: event.goals ?? null,
  revenue:
    event.revenue === undefined || !event.currency ? null : toMajor({ value: event.revenue, currency: event.currency }),
  currency: text(event.currency),
})

export function sessionRow(session: Session): SessionRow {
  const visits = session.visits ?? [session]
  return {
    start: session.start,
    id: sessionId(session),
    visitor: text(session.visitor),
    end: session.end,
    visits: visits.length,
    bounces: visits.filter(({ views }) => views <= 1).length,
    duration_ms: visits.reduce((sum, { start, end }) => sum + (end.getTime() - start.getTime()), 0),
    engaged_ms: whole(session.engaged),
    views: session.views,
    events: session.events,
    goals: whole(session.goals),
    entry: text(session.entry),
    exit: text(session.exit),
    host: text(session.host),
    source: text(session.source),
    channel: text(session.channel),
    referrer: text(session.ref),
    utm_source: text(session.utm),
    utm_medium: text(session.medium),
    utm_campaign: text(session.campaign),
    utm_term: text(session.term),
    utm_content: text(session.content),
    device: text(session.device),
    browser: text(session.browser),
    browser_version: text(session.version),
    os: text(session.os),
    language: text(session.language),
    country: text(session.country),
    region: text(session.region),
    city: text(session.city),
    screen: text(session.screen),
    bot: text(session.bot),
  }
}

/** As events name it: without the site. */
export const sessionId = ({ _id, site }: Pick<Session, '_id' | 'site'>): string => _id.slice(site.length + 1)
