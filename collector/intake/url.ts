/**
 * Takes out of a URL what may tell who somebody is or let others in: queries, email addresses, tokens, passwords.
 * Whatever sent it: the tag cleans too, but pixels, servers and old tags don't.
 */

/** Click ids of ad networks: long and random, and worth nothing when they are masked. */
const CLICK_IDS = new Set([
  'gclid',
  'dclid',
  'gbraid',
  'wbraid',
  'msclkid',
  'fbclid',
  'ttclid',
  'twclid',
  'li_fat_id',
  'yclid',
  'igshid',
  'epik',
  'ScCid',
])
const CAMPAIGN = /^(?:utm_[a-z_]{1,32}|gclsrc|ref)$/

/** `https:` takes any number of slashes, so all are read before a user's name; other schemes take two. */
const ORIGIN = /^(?:(https?|wss?|ftp):(?:[\\/]|[^\\/]*@)*|((?:[a-z][a-z\d+.-]*:)?[\\/]{2})(?:[^\\/]*@)?)([^\\/]*)/i

/** Words between characters that are in no email address, or that separate parts of a URL. */
const WORD = /[^\s\\/?#&=:;,<>()[\]"]+/g
/** `@`, also percent-encoded, also more than once. */
const AT = /@|%(?:25)*40/
/** A dot and a top-level domain, in letters of any script: `pkg@1.2.3` has none. */
const DOMAIN = /(?:\.|%(?:25)*2e)(?:[\p{L}-]|%[\da-f]{2}){2,}/iu
const LONG_RUN = /[a-z\d]{20,}/gi
const ESCAPE = /%[\da-f]{2}/gi

/**
 * Cleans a URL, or a text that stands in its place. Query parameters are kept when they tell of a campaign or the site
 * names them; the fragment when it is a route (`#/`, `#!`); email addresses and tokens become `*`.
 * Never throws. Cleaning twice is cleaning once.
 * @param names of further parameters to keep
 */
export function cleanUrl(text: string, names: readonly string[] = []): string {
  if (text === '') return ''
  // Browsers drop some control characters when they read a URL: an address must not hide behind them.
  const [rest, fragment = ''] = cut(text.replace(/\p{Cc}/gu, '').trim(), '#')
  const [base, query] = cut(rest, '?')
  const route = /^[/!]/.test(fragment) ? `#${fragment[0]}${cleanRoute(fragment.slice(1), names)}` : ''
  return (cleanBase(base) + cleanQuery(query, names) + route).trimEnd()
}

/**
 * Cleans a text that people did not write, as an error's message: quoted parts, email addresses and tokens become `*`, URLs
 * lose their queries. Never throws.
 */
export const cleanText = (text: string): string =>
  text
    .replace(/"[^"]*"?/g, '*')
    .replace(/\S+/g, word => (/:\/\/|\?.|@|%/.test(word) ? cleanUrl(word) : hasToken(word) ? '*' : word))

function cleanBase(base: string): string {
  const origin = ORIGIN.exec(base)
  if (!origin) return cleanPath(base)
  const [all, scheme, start = '', host = ''] = origin
  return (scheme ? `${scheme}://` : start) + maskEmails(host) + cleanPath(base.slice(all.length))
}

function cleanRoute(route: string, names: readonly string[]): string {
  const [path, query] = cut(route, '?')
  return cleanPath(path) + cleanQuery(query, names)
}

const cleanPath = (path: string): string => path.replace(/[^\\/]+/g, mask)

function cleanQuery(query: string | undefined, names: readonly string[]): string {
  if (!query) return ''
  const kept: string[] = []
  for (const pair of query.split('&')) {
    const [name, value] = cut(pair, '=')
    const isClick = CLICK_IDS.has(name)
    if (!isClick && !CAMPAIGN.test(name) && !names.includes(name)) continue
    kept.push(value === undefined ? name : `${name}=${isClick ? maskEmails(value) : mask(value)}`)
  }
  return kept.length > 0 ? `?${kept.join('&')}` : ''
}

/** A text with a token in it is masked as a whole: what is beside it may belong to it. */
const mask = (text: string): string => (hasToken(text) ? '*' : maskEmails(text))

function hasToken(text: string): boolean {
  if (text.length < 20) return false
  const runs = text.replace(ESCAPE, '%').match(LONG_RUN)
  return runs?.some(run => /\d/.test(run)) ?? false
}

function maskEmails(text: string): string {
  return AT.test(text) ? text.replace(WORD, word => (isEmail(word) ? '*' : word)) : text
}

function isEmail(word: string): boolean {
  const at = word.search(AT)
  return at >= 0 && DOMAIN.test(word.slice(at))
}

function cut(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
