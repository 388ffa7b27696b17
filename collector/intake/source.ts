/** Where a page view came from and what page it is of, from its URL and referrer. */
import { LIMITS } from '../../tag/wire.ts'
import { type Arrival, readArrival } from './channel.ts'
import { tidy } from './tidy.ts'
import { cleanUrl } from './url.ts'

export interface Place {
  /** cleaned, as everything here */
  url: string
  host: string
  path: string
  /** referrer without query, empty inside the same host */
  ref: string
  arrival: Arrival
}

/**
 * Lengths beyond which a part is cut. A URL grows up to nine times when it is parsed and percent-encoded, each event of
 * a page of the journal holds these parts, and a rollup document holds 10,000 paths or referrers: both have to stay below 16 MB.
 */
const MOST = { host: 255, path: 1_500, text: 500, ref: 1_500 } as const

/** What is held of pages that were read already: these many, and only of URLs up to so many characters together. */
const HELD = { places: 2_000, length: 600 } as const
const held = new Map<string, Place>()

/**
 * Never throws: a text that is no URL is kept as the path. Pages repeat, and cleaning and parsing a URL takes 13 µs, so
 * the newest 2,000 are held.
 * @param parameters of the query that the site wants kept
 */
export function readPlace(pageUrl: string, referrer: string, parameters: readonly string[] = []): Place {
  if (pageUrl.length + referrer.length > HELD.length) return parsePlace(pageUrl, referrer, parameters)
  const key = `${pageUrl.length} ${parameters.join()} ${pageUrl}${referrer}`
  const known = held.get(key)
  if (known) return known
  const place = parsePlace(pageUrl, referrer, parameters)
  const [oldest] = held.size >= HELD.places ? held.keys() : []
  if (oldest !== undefined) held.delete(oldest)
  held.set(key, place)
  return place
}

function parsePlace(pageUrl: string, referrer: string, parameters: readonly string[]): Place {
  const url = cleanUrl(tidy(pageUrl, LIMITS.url), parameters)
  const page = parseUrl(url)
  const from = parseUrl(cleanUrl(tidy(referrer, LIMITS.url)))
  const arrival = readArrival(page, from)
  return {
    url,
    host: page?.host.slice(0, MOST.host) ?? '',
    path: page ? page.pathname.slice(0, MOST.path) : tidy(url, MOST.text),
    ref: from && from.host !== page?.host ? (from.origin + from.pathname).slice(0, MOST.ref) : '',
    arrival,
  }
}

function parseUrl(text: string): URL | undefined {
  if (text === '') return undefined
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
