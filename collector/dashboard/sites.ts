/** The sites that whoever is logged in may see. */
export interface Site {
  key: string
  domain: string
  consent: string
  timezone: string
}

export type SitesAnswer = { kind: 'sites'; sites: Site[] } | { kind: 'signed-out' } | { kind: 'unreachable' }

/** Asks `GET /api/v2/sites`; never throws: being signed out and being cut off are answers too. */
export async function fetchSites(fetch: typeof globalThis.fetch): Promise<SitesAnswer> {
  try {
    const response = await fetch('/api/v2/sites', { headers: { accept: 'application/json' }, cache: 'no-store' })
    if (response.status === 401 || response.status === 403) return { kind: 'signed-out' }
    if (!response.ok) return { kind: 'unreachable' }
    const body: { sites: Site[] } = await response.json()
    return { kind: 'sites', sites: body.sites }
  } catch {
    return { kind: 'unreachable' }
  }
}
