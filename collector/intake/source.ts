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

/** Never throws: a text that is no URL is kept as the path. */
export function readPlace(url: string, referrer: string): Place {
  const page = parseUrl(url)
  const from = parseUrl(referrer)
  const host = page?.host ?? ''
  const internal = from !== undefined && from.host === host && host !== ''
  return {
    url,
    host,
    path: page ? page.pathname : url,
    ref: from && !internal ? from.origin + from.pathname : '',
    source:
      page?.searchParams.get('utm_source') || (internal ? 'internal' : from?.host.replace(/^www\./, '') || 'direct'),
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
