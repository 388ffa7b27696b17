/**
 * Who opened a mail or followed a link: a person, or which kind of machine. Nothing is dropped by it. A bot library alone would
 * not do: it takes the proxies of Gmail, Yahoo and Apple for bots, through which most people read.
 */
import { CLIENTS, IMAGE_PROXIES, OFFICE_PROBE, PREFETCHERS, PREVIEWS, PRIVACY_PROXY, SCANNERS } from './agents.ts'

export const CLASSES = ['human', 'privacy-proxy', 'image-proxy', 'prefetch', 'scanner'] as const
export type Class = (typeof CLASSES)[number]

/** The class, and which rule decided: a stable name, as `apple-mpp` or `client:thunderbird`. */
export interface Verdict {
  class: Class
  rule: string
}

/** All that is known of a request. */
export interface Signs {
  of: 'open' | 'click'
  method: string
  userAgent: string
  /** what the bot library found in the agent */
  bot: string | undefined
  /** `Sec-Purpose`, `Purpose`, `X-Purpose` or `X-Moz` says that nobody asked to see it */
  prefetch: boolean
  /** its address is in a range of the owner's list */
  listed: boolean
  /** since the token was minted, ms */
  age: number
  /** another request for the same mail of the same recipient asked with HEAD shortly before */
  afterHead: boolean
  /** many links of the same mail of the same recipient at once */
  burst: boolean
}

/** Nobody has a mail, opens it and aims within this time of its minting, ms. */
const TOO_SOON_MS = 3_000

/** Of the first rule that applies: proxies that say who they are, what was asked for, how, and last what the agent is. */
export function classify(signs: Signs): Verdict {
  const { of, method, userAgent, bot } = signs
  const { prefetcher, proxy, scanner, preview, client, probe } = namesOf(userAgent)
  if (method === 'HEAD') return { class: 'scanner', rule: 'head' }
  // Proxies load images. What follows a link under such a name follows it by itself.
  if (of === 'open') {
    if (userAgent === PRIVACY_PROXY) return { class: 'privacy-proxy', rule: 'apple-mpp' }
    if (prefetcher) return { class: 'prefetch', rule: prefetcher }
    if (proxy) return { class: 'image-proxy', rule: proxy }
  }
  if (signs.prefetch) return { class: 'prefetch', rule: 'purpose' }
  if (userAgent === '') return { class: 'scanner', rule: 'no-agent' }
  if (scanner) return { class: 'scanner', rule: `named:${scanner}` }
  if (preview) return { class: 'prefetch', rule: `preview:${preview}` }
  if (signs.listed) return { class: 'scanner', rule: 'listed-range' }
  if (signs.afterHead) return { class: 'scanner', rule: 'head-first' }
  if (signs.burst) return { class: 'scanner', rule: 'burst' }
  if (signs.age < TOO_SOON_MS) return { class: 'scanner', rule: 'too-soon' }
  if (of === 'click' && probe) return { class: 'prefetch', rule: 'office-probe' }
  if (client) return { class: 'human', rule: `client:${client}` }
  if (bot !== undefined) return { class: 'scanner', rule: 'bot-agent' }
  return { class: 'human', rule: 'browser' }
}

/** Whether a machine asked by itself, so that it counts as a bot in the reports of the site. */
export const isMachine = ({ class: kind }: Verdict): boolean => kind !== 'human' && kind !== 'image-proxy'

interface Names {
  prefetcher: string | undefined
  proxy: string | undefined
  scanner: string | undefined
  preview: string | undefined
  client: string | undefined
  probe: boolean
}

/** Looked up once an agent: half a hundred patterns take longer than the rest of an open. */
const HELD = 2_000
const held = new Map<string, Names>()

function namesOf(userAgent: string): Names {
  const known = held.get(userAgent)
  if (known) return known
  const names = {
    prefetcher: named(PREFETCHERS, userAgent),
    proxy: named(IMAGE_PROXIES, userAgent),
    scanner: named(SCANNERS, userAgent),
    preview: named(PREVIEWS, userAgent),
    client: named(CLIENTS, userAgent),
    probe: OFFICE_PROBE.test(userAgent),
  }
  const [oldest] = held.size >= HELD ? held.keys() : []
  if (oldest !== undefined) held.delete(oldest)
  held.set(userAgent, names)
  return names
}

const named = (table: readonly (readonly [string, RegExp])[], userAgent: string): string | undefined =>
  table.find(([, pattern]) => pattern.test(userAgent))?.[0]
