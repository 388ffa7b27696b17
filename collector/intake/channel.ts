/**
 * How a visit came about: campaign parameters and the channel, from the page's URL and its referrer. The rules follow
 * GA4's default channel grouping (https://support.google.com/analytics/answer/9756891), with fewer channels.
 */
import { kindOfSite } from './origins.ts'
import { tidy } from './tidy.ts'

export const CHANNELS = [
  'direct',
  'internal',
  'organic search',
  'paid search',
  'organic social',
  'paid social',
  'email',
  'referral',
  'display',
  'affiliate',
  'video',
  'other campaign',
] as const
export type Channel = (typeof CHANNELS)[number]

export interface Arrival {
  /** `utm_source`, else the referrer's host, else `direct`; `internal` inside the same host */
  source: string
  channel: Channel
  /** `utm_source` alone */
  utm?: string | undefined
  medium?: string | undefined
  campaign?: string | undefined
  term?: string | undefined
  content?: string | undefined
}

/** Length beyond which a parameter is cut. */
const MOST = 255

/** What a click id tells by itself. Facebook marks every link with `fbclid`, paid or not; the others are ads'. */
const CLICK_IDS: [name: string, channel: Channel][] = [
  ['gclid', 'paid search'],
  ['gbraid', 'paid search'],
  ['wbraid', 'paid search'],
  ['msclkid', 'paid search'],
  ['dclid', 'display'],
  ['ttclid', 'paid social'],
  ['twclid', 'paid social'],
  ['li_fat_id', 'paid social'],
  ['fbclid', 'organic social'],
]

/** Channels that `utm_medium` names by itself. */
const MEDIA: [medium: RegExp, channel: Channel][] = [
  [/^(?:display|banner|expandable|interstitial|cpm)$/, 'display'],
  [/^(?:e[-_ ]?mail|newsletter)$/, 'email'],
  [/^affiliates?$/, 'affiliate'],
  [/^(?:social|social[-_ ](?:network|media)|sm)$/, 'organic social'],
  [/^organic$/, 'organic search'],
  [/^(?:referral|app|link)$/, 'referral'],
]
const PAID = /^(?:cp[acv]|ppc|retargeting|paid.*)$/

/** @param from the referrer */
export function readArrival(page: URL | undefined, from: URL | undefined): Arrival {
  const internal = page !== undefined && page.host !== '' && from?.host === page.host
  const host = from?.host.replace(/^www\./, '') ?? ''
  const site = internal ? 'internal' : host || 'direct'
  const untagged = (): Channel => (internal ? 'internal' : host ? (kindOfSite(host) ?? 'referral') : 'direct')
  // Most pages have no query: reading one takes longer than all the rest.
  if (!page?.search) return { source: tidy(site, MOST), channel: untagged() }
  const query = page.searchParams
  const read = (name: string) => tidy(query.get(name) ?? '', MOST) || undefined
  const source = read('utm_source')
  const medium = read('utm_medium')
  const campaign = read('utm_campaign')
  const kind = kindOfSite(source ?? host)
  const click = CLICK_IDS.find(([name]) => query.has(name))?.[1]
  const tagged = source !== undefined || campaign !== undefined
  return {
    source: source ?? tidy(site, MOST),
    channel:
      medium === undefined
        ? (click ?? (tagged ? (kind ?? 'other campaign') : untagged()))
        : channelOf(medium.toLowerCase(), kind, click),
    utm: source,
    medium,
    campaign,
    term: read('utm_term'),
    content: read('utm_content'),
  }
}

/** @param kind what the source is known as, @param click what a click id tells */
function channelOf(medium: string, kind: Channel | undefined, click: Channel | undefined): Channel {
  const named = MEDIA.find(([pattern]) => pattern.test(medium))?.[1]
  if (named) return named
  const paid = PAID.test(medium)
  if (medium.includes('video') || (paid && kind === 'video')) return 'video'
  if (!paid) return click ?? 'other campaign'
  if (medium.includes('social') || kind === 'organic social') return 'paid social'
  if (medium.includes('search') || kind === 'organic search') return 'paid search'
  // The rest of cpc and ppc is search, as it was before there were other ads to click on.
  return click ?? (medium === 'cpc' || medium === 'ppc' ? 'paid search' : 'other campaign')
}
