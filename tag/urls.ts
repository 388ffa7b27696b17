/** What of a URL leaves the page: no secret, no email address, and of the query only what says where a visit came from. */
import { options } from './options.ts'
import { view } from './queue.ts'
import { at, safely } from './safely.ts'

/** A part with a run of 20 or more letters and digits, one of them a digit: a token, a hash. */
const TOKEN = /[^/]*(?=[a-z]*\d)[a-z\d]{20}[^/]*/gi

/** Cleans the URLs of each envelope before it leaves, and puts the canonical one in where the site wants it. */
export const urls = () => {
  const clean = (url: string, link?: boolean): string => {
    const cleaned = new URL(url)
    for (const [name, value] of [...cleaned.searchParams])
      if (
        link
          ? value.match(TOKEN)
          : !/^utm_|clid$|braid$|^li_fat|^ref$/i.test(name) && !`${options.query}`.split(',').includes(name)
      )
        cleaned.searchParams.delete(name)
    cleaned.pathname = cleaned.pathname.replace(TOKEN, '*')
    cleaned.hash = options.hash ? cleaned.hash.replace(TOKEN, '*') : ''
    return cleaned.href.replace(/[^/?&=#]+(@|%40)[^/?&=#]+/g, '*')
  }
  at('send', envelope => {
    // Pages change the link as they change the title, after the URL: it is read late, and for the current view only.
    const canonical =
      options.canonical && view.w === envelope.w && document.querySelector<HTMLLinkElement>('link[rel=canonical]')?.href
    const p = envelope.p
    envelope.p = { ...p, u: clean(canonical || p.u), r: (p.r && clean(p.r)) as string }
    envelope.e.map(
      safely(event => {
        if (/^http/.test(event.d.url as string)) event.d.url = clean(event.d.url as string, true)
      }),
    )
  })
}
