/** Where a page view came from and what page it is of, from its URL and referrer. */
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
 * a page of the journal holds these parts, and a rollup document holds 10,000 paths: both have to stay below 16 MB.
 */
const MOST = { host: 255, path: 1_500, text: 500, ref: 2_048 } as const

/**
 * Never throws: a text that is no URL is kept as the path.
 * @param parameters of the query that the site wants kept
 */
export function readPlace(pageUrl: string, referrer: string, parameters: readonly string[] | undefined): Place {
  const url = cleanUrl(pageUrl, parameters)
  const page = parseUrl(url)
  const from = parseUrl(cleanUrl(referrer))
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
