/** What people type for a site, made what a site takes. */

/** The host name (with its port, where it has one) of what may be a whole URL, as browsers say it; the text itself where it is none. */
export function hostOf(text: string): string {
  const trimmed = text.trim()
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`
  return URL.canParse(url) ? new URL(url).host : trimmed
}

/** Characters of a key, as the collector has it. */
const MOST = 64

/** A short key for a host name, not one of those that are taken: `shop` for www.shop.example. */
export function keyFor(host: string, taken: readonly string[]): string {
  const labels = host.replace(/^www\.|:\d+$/g, '').split('.')
  const named = labels.length > 1 && !/^\d+$/.test(labels.at(-1) ?? '') ? labels.slice(0, -1) : labels
  const key = named
    .join('-')
    .toLowerCase()
    .replace(/[^a-z\d_-]/g, '')
    .replace(/^[_-]+/, '')
    .slice(0, MOST - 4)
  if (!key || !taken.includes(key)) return key
  let n = 2
  while (taken.includes(`${key}-${n}`)) n++
  return `${key}-${n}`
}

export function isTimeZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}
