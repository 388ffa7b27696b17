/** What of a URL leaves the page: no secret, no email address, and of the query only what says where a visit came from. */
import { options } from './options.ts'
import { view } from './queue.ts'
import { at, safely } from './safely.ts'

/** A part with a run of 20 or more letters and digits, one of them a digit: a token, a hash. */
const TOKEN = /[^/]*(?=[^\W_]*\d)[^\W_]{20}[^/]*/g

/** Cleans the URLs of each envelope before it leaves, and puts the canonical one in where the site wants it. */
export const urls = () => {
  const clean = (url: string, link?: boolean): string =>
    // Whatever has to be cleaned has one of these: most URLs have none, and the expressions below are slow to start.
    url.match(/[#?@%]|[^\W_]{20}/)
      ? url
          // by hand, as setting parts of a `URL` parses it anew for each
          .replace(
            /^(\w+:..[^/?#]*|)([^?#]*)(\??[^#]*)(.*)/s,
            (_, origin, path, query, hash) =>
              origin +
              path.replace(TOKEN, '*') +
              query
                .replace(/[?&]([^=&]*)[^&]*/g, (pair: string, name: string) =>
                  (
                    link
                      ? !pair.match(TOKEN)
                      : /^utm_|clid$|braid$|^li_fat|^ref$/i.test(name) || `${options.query}`.split(',').includes(name)
                  )
                    ? pair
                    : '',
                )
                .replace(/^&/, '?') +
              (options.hash ? hash.replace(TOKEN, '*') : ''),
          )
          .replace(/[^/?&=#]+(@|%40)[^/?&=#]+/g, '*')
      : url
  at('send', envelope => {
    // Pages change the link as they change the title, after the URL: it is read late, and for the current view only.
    const canonical =
      options.canonical && view.w === envelope.w && document.querySelector<HTMLLinkElement>('link[rel=canonical]')?.href
    const p = envelope.p
    envelope.p = { ...p, u: clean(canonical || p.u), r: clean(p.r as string) }
    envelope.e.map(
      safely(event => {
        if ((event.d.url as string)?.match(/^http/)) event.d.url = clean(event.d.url as string, true)
      }),
    )
  })
}
