/** What is shown, as it stands in the address: so a view can be shared, and the back button works. */
export const VIEWS = ['overview', 'live', 'mails', 'sites', 'settings'] as const
export type ViewName = (typeof VIEWS)[number]

export interface Address {
  view: ViewName
  /** of a shared link: its token */
  share: string | null
  /** key of the site; null until one is known */
  site: string | null
  /** what the view itself keeps in the query string */
  params: Readonly<Record<string, string>>
}

/** @param base path under which the collector is mounted, with a slash at its end */
export function readAddress(pathname: string, search: string, base: string): Address {
  const [first = '', token = '', last = ''] = pathname.slice(base.length).split('/')
  const { site = null, ...params } = Object.fromEntries(new URLSearchParams(search))
  const name = first === 'share' ? last : first
  const view = VIEWS.find(one => one === name) ?? 'overview'
  return { view, share: first === 'share' && token ? token : null, site, params }
}

export function hrefOf({ view, share, site, params }: Address, base: string): string {
  const query = new URLSearchParams()
  if (site !== null && share === null) query.set('site', site)
  for (const [name, value] of Object.entries(params)) if (value !== '') query.set(name, value)
  const path = share === null ? view : `share/${share}${view === 'overview' ? '' : `/${view}`}`
  // Slashes, commas, colons and semicolons may stand in a query: the address is there to be read.
  const text = query.toString().replace(/%2F|%2C|%3A|%3B/g, decodeURIComponent)
  return `${base}${path}${text && `?${text}`}`
}
