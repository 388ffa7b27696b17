import type { View } from './session.ts'
import { strings } from './strings.ts'

/** What is wrong and what to do about it, above what is known; nothing while all is well. */
export function Notice({ view }: { view: View }) {
  const { link, site, sites } = view
  const { notice } = strings
  if (site === null && sites?.length === 0) {
    return (
      <section class="notice">
        <h2>{notice['no-sites'].title}</h2>
        <p>
          {notice['no-sites'].text}
          <code>{notice['no-sites'].command}</code>
        </p>
      </section>
    )
  }
  if (link === 'unknown-site' && site !== null) {
    return (
      <section class="notice">
        <h2>{notice[link].title}</h2>
        <p>
          {notice[link].text(site)}
          <code>{notice[link].command(site)}</code>
        </p>
      </section>
    )
  }
  if (link === 'signed-out') {
    return (
      <section class="notice">
        <h2>{notice[link].title}</h2>
        <p>{notice[link].text}</p>
        <a class="button primary" href="/login">
          {notice[link].action}
        </a>
      </section>
    )
  }
  if (link === 'reconnecting' || link === 'offline') {
    return (
      <section class="notice quiet">
        <h2>{notice[link].title}</h2>
        <p>{notice[link].text}</p>
      </section>
    )
  }
  return null
}
