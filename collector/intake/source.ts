/** Where a page view came from and what page it is of, from its URL and referrer. */

export interface Place {
  url: string
  host: string
  path: string
  /** referrer without query, empty inside the same host */
  ref: string
  /** `utm_source`, else the referrer's host, else `direct`; `internal` inside the same host */
  source: string
}

/**
 * Lengths beyond which a part is cut. A URL grows up to nine times when it is parsed and percent-encoded, each event of
 * a page of the journal holds these parts, and a rollup document holds 10,000 paths: both have to stay below 16 MB.
 */
const MOST = { host: 255, path: 1_500, text: 500, ref: 2_048, source: 255 } as const

/** Never throws: a text that is no URL is kept as the path. */
export function readPlace(url: string, referrer: string): Place {
  const page = parseUrl(url)
  const from = parseUrl(referrer)
  const host = page?.host ?? ''
  const campaign = page?.searchParams.get('utm_source')
  const internal = from !== undefined && from.host === host && host !== ''
  return {
    url,
    host: host.slice(0, MOST.host),
    path: page ? page.pathname.slice(0, MOST.path) : tidy(url, MOST.text),
    ref: from && !internal ? (from.origin + from.pathname).slice(0, MOST.ref) : '',
    source: tidy(campaign || (internal ? 'internal' : from?.host.replace(/^www\./, '') || 'direct'), MOST.source),
  }
}

/** Cut, and without what can't be stored: a bad title must not cost the page view. */
export const tidy = (text: string, length: number): string => text.slice(0, length).toWellFormed().replaceAll('\0', '')

function parseUrl(text: string): URL | undefined {
  if (text === '') return undefined
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
