/** What of a URL leaves the page: no secret, no email address, and of the query only what says where a visit came from. */
import { options } from './options.ts'
import { view } from './queue.ts'
import { at, safely } from './safely.ts'

/** Query parameters of a page that are kept: campaigns, and the click ids of advertisers. A site may name more. */
const KEPT = /^utm_|clid$|braid$|^li_fat|^ref$/i
/** A part with a run of 20 or more letters and digits, one of them a digit: a token, a hash. */
const TOKEN = /[^/]*(?=[^\W_]*\d)[^\W_]{20}[^/]*/g
const EMAIL = /[^/?&=#]+(@|%40)[^/?&=#]+/g

/** Cleans the URLs of each envelope before it leaves, and puts the canonical one in where the site wants it. */
export const urls = () => {
  const clean = (url: string, link?: boolean): string => {
    const cleaned = new URL(url)
    const { searchParams } = cleaned
    for (const [name, value] of [...searchParams])
      if (link ? value.match(TOKEN) : !KEPT.test(name) && !`${options.query}`.split(',').includes(name))
        searchParams.delete(name)
    cleaned.pathname = cleaned.pathname.replace(TOKEN, '*')
    cleaned.hash = options.hash ? cleaned.hash.replace(TOKEN, '*') : ''
    return cleaned.href.replace(EMAIL, '*')
  }
  at('send', envelope => {
    const { p, w, e } = envelope
    // Pages change the link as they change the title, after the URL: it is read late, and for the current view only.
    const canonical =
      options.canonical && view.w === w && document.querySelector<HTMLLinkElement>('link[rel=canonical]')?.href
    envelope.p = { ...p, u: clean(canonical || p.u), r: (p.r && clean(p.r)) as string }
    e.map(
      safely(({ d }) => {
        if (/^http/.test(d.url as string)) d.url = clean(d.url as string, true)
      }),
    )
  })
}
