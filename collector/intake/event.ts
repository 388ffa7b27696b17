/** What events are made of once they are accepted: what all of a request have in common, and what each has alone. */
import { type ConsentFlag, LIMITS, type PageInfo } from '../../tag/wire.ts'
import type { Shared } from '../journal/index.ts'
import { PLACES, type Site } from '../sites/index.ts'
import type { Agent } from './agent.ts'
import { allowsIdentifier } from './consent.ts'
import { IN_COOKIE } from './cookie.ts'
import { declaredBy, sizeOfDeclared } from './declared.ts'
import { NOWHERE, type Place } from './mmdb.ts'
import { isStorable } from './properties.ts'
import { readPlace } from './source.ts'
import { tidy } from './tidy.ts'

/** What a pixel may lack, too. */
type SharedPage = { [field in keyof PageInfo]: PageInfo[field] | undefined } & Pick<PageInfo, 'u'>

/** Who sends: what is told of them, and where they are. */
export interface Sender {
  agent: Agent
  /** BCP 47 */
  language?: string | undefined
  place(): Place
}

/**
 * What all events of an envelope have in common. Visitor and session are taken only where consent covers them, of the place
 * as much as the site is to know, and none where consent is withdrawn.
 */
export function readShared(
  site: Site,
  head: { p: SharedPage; c: ConsentFlag; i?: string | undefined; k?: string | undefined },
  { agent, language, place }: Sender,
): Shared {
  const { p, c } = head
  const named = allowsIdentifier(c)
  const { country, region, city } = c === 'd' ? NOWHERE : upTo(site.place, place)
  const { url, host, path, ref, arrival } = readPlace(p.u, p.r ?? '', site.query)
  return {
    site: site.key,
    visitor: named && head.i !== IN_COOKIE ? head.i : undefined,
    session: named ? head.k : undefined,
    url,
    host,
    path,
    ref,
    source: arrival.source,
    channel: arrival.channel,
    utm: arrival.utm,
    medium: arrival.medium,
    campaign: arrival.campaign,
    term: arrival.term,
    content: arrival.content,
    title: p.ti ? tidy(p.ti, LIMITS.title) || undefined : undefined,
    device: agent.device,
    browser: agent.browser,
    version: agent.version,
    os: agent.os,
    language: storable(p.l) ?? language,
    zone: storable(p.z),
    country,
    region,
    city,
    width: p.vw === undefined ? undefined : Math.round(p.vw),
    consent: c,
    bot: agent.bot,
    declared: declaredBy(site),
  }
}

/** Names a cookieless visitor, whose day is one session to settle, which divides it into visits. */
export function nameVisitor(shared: Shared, visitor: string | undefined): void {
  shared.visitor = visitor
  shared.session = visitor
}

function upTo(level: Site['place'] = 'country', place: () => Place): Place {
  const most = PLACES.indexOf(level)
  if (most < 1) return NOWHERE
  const { country, region, city } = place()
  return { country, region: most > 1 ? region : undefined, city: most > 2 ? city : undefined }
}

const storable = (text: string | undefined) => (text !== undefined && isStorable(text) ? text : undefined)

/** Estimate of what each event of an envelope takes beside its properties, bytes. */
export function sizeOf({ url, path, ref, source, title = '', declared }: Shared): number {
  // What is left of a query is a campaign, which has fields of its own.
  const campaign = url.includes('?') ? url.length : 0
  const texts = url.length + path.length + ref.length + source.length + title.length + campaign
  return 330 + 2 * texts + sizeOfDeclared(declared)
}
