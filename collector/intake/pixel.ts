/**
 * `GET /p.gif?site=…&event=…&…`: one event from where no script runs. Parameters that are not named in {@link KNOWN}
 * become properties. Always answered with a GIF; the reason of a refusal is in the header `x-livetag`.
 */
import { randomUUID } from 'node:crypto'
import { parse } from 'node:querystring'
import { ConsentFlag, LIMITS } from '../../tag/wire.ts'
import { eventOf, type JournalEvent } from '../journal/index.ts'
import type { Site } from '../sites/index.ts'
import type { Circumstances } from './accept.ts'
import { allowsIdentify, fits, withoutSharing } from './consent.ts'
import { convert } from './conversions.ts'
import { nameVisitor, readShared } from './event.ts'
import { readGpp } from './gpp.ts'
import { isPrintable, refuseProperties } from './properties.ts'
import type { Refusal } from './reasons.ts'
import { readTcf } from './tc-string.ts'

/** A transparent GIF of one pixel, 42 bytes (GIF89a with one color table of two). */
export const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

const KNOWN = new Set([
  ...['site', 'event', 'id', 'url', 'ref', 'title', 'visitor', 'session'],
  ...['consent', 'gdpr', 'gdpr_consent', 'gpp', 'gpp_sid'],
  // A random number, so that no cache answers in our place.
  'cb',
])
/** As ad servers write what they fill in. Where they have not, nothing is known of a consent, and all have one id. */
const MACRO = /[{}]|%%|^\[.*\]$|^__\w+__$/
const NO_MACRO = ['consent', 'gdpr', 'gdpr_consent', 'gpp', 'gpp_sid', 'id']
const IDENTIFIER = /^[\w-]{1,128}$/

/** @param query what follows the `?` */
export function acceptPixel(
  query: string,
  referer: string,
  around: Circumstances,
): JournalEvent | (Refusal & { site: string }) {
  const parameters = parse(query, '&', '=', { maxKeys: LIMITS.properties + KNOWN.size })
  const one = (name: string): string | undefined => {
    const value = parameters[name]
    return Array.isArray(value) ? value[0] : value
  }
  const key = one('site') ?? ''
  const site = around.site(key)
  if (!site) return { reason: 'site-unknown', site: '' }
  const refuse = (refusal: Refusal) => ({ ...refusal, site: site.key })
  const macro = NO_MACRO.find(name => MACRO.test(one(name) ?? ''))
  if (macro !== undefined) return refuse({ reason: 'macro-unexpanded', detail: macro })
  const gpp = readGpp(one('gpp'), one('gpp_sid'))
  const consent = one('consent') ?? consentOf(site, readTcf(one('gdpr'), one('gdpr_consent')) ?? gpp.consent)
  if (!isConsent(consent) || consent === 'd' || !fits(site.consent, consent))
    return refuse({ reason: 'consent-missing' })
  const name = one('event') ?? 'pageview'
  if (name === '' || name.length > LIMITS.name || !isPrintable(name)) return refuse({ reason: 'name-invalid' })
  const id = one('id')
  if (id !== undefined && (id === '' || id.length > LIMITS.id || !isPrintable(id)))
    return refuse({ reason: 'id-invalid' })
  const [visitor, session] = [one('visitor'), one('session')]
  if ((visitor !== undefined && !IDENTIFIER.test(visitor)) || (session !== undefined && !IDENTIFIER.test(session))) {
    return refuse({ reason: 'id-invalid' })
  }
  let props: Record<string, string> | undefined
  for (const parameter in parameters) {
    if (KNOWN.has(parameter)) continue
    if (parameter === '__proto__') return refuse({ reason: 'property-key-invalid' })
    props ??= {}
    props[parameter] = one(parameter) ?? ''
  }
  const refusal = props && refuseProperties(props)
  if (refusal) return refuse(refusal)
  const page = { u: one('url') ?? referer, r: one('ref'), ti: one('title') }
  const shared = readShared(site, { p: page, c: consent, i: visitor, k: session }, around)
  if (name === 'identify' && !allowsIdentify(consent, shared.visitor)) return refuse({ reason: 'consent-missing' })
  if (consent === 'l') nameVisitor(shared, around.cookieless(site, around.received))
  const ts = new Date(around.received)
  const met = convert(site, { name, path: shared.path, props })
  if ('reason' in met) return refuse(met)
  return eventOf(shared, {
    name,
    id: id ?? `${randomUUID()}.0`,
    own: id === undefined ? undefined : true,
    ts,
    props: (around.gpc || gpp.optedOut) && name === 'consent' ? withoutSharing(props) : props,
    goals: met.goals,
    revenue: met.revenue,
    currency: met.currency,
  })
}

/** What a pixel is sent under that does not say so itself. A refusal by TC string ends what needs a consent, and the mode `none`. */
function consentOf(site: Site, tcf: ConsentFlag | undefined): ConsentFlag | '' {
  if (tcf === 'g') return 'g'
  if (site.consent === 'cookieless') return 'l'
  return site.consent === 'none' && tcf === undefined ? 'x' : ''
}

const isConsent = (text: string): text is ConsentFlag => (ConsentFlag.enum as readonly string[]).includes(text)
