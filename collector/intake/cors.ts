/** What pages of other origins may do: send events, and read the answer's reason. */
import { isPageOf } from './cookie.ts'

const EXPOSED = { 'access-control-expose-headers': 'retry-after, x-livetag' }
const EVERYBODY = { 'access-control-allow-origin': '*', ...EXPOSED }

/** Added for a preflight, which comes from those who send another content type. */
export const PREFLIGHT = {
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'content-type',
  'access-control-max-age': '86400',
}

/**
 * Headers by the origin alone: a preflight and a body that can't be read do not name a site.
 * @param domains of sites whose cookie the collector sets: browsers send and take cookies for a named origin only
 */
export function corsFor(origin: string | undefined, domains: readonly string[]): Record<string, string> {
  if (origin === undefined || !domains.some(domain => isPageOf(origin, domain))) return EVERYBODY
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    vary: 'origin',
    ...EXPOSED,
  }
}
